"""What is written comes back: from Valkey and from Postgres, to the last bit, and without growing."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import pytest

from ebb.connect import connect_fast
from ebb.errors import Unavailable
from ebb.features.values import FLOAT32_MAX
from ebb.metrics import Silent
from ebb.ports import FeatureRecord, FeatureUpdate
from ebb.postgres.features import PostgresFeatures
from ebb.store.store import FeatureStore
from ebb.valkey.features import ValkeyFeatures
from tests.real_stores import RealStores

NOW = 1_800_000_000.0
NUMBERS = (1e-320, 5e-324, 2.0**-149, 0.1, 1.0000000000000002, 123456789.12345679, 2**53 + 1, 1e15, 1e16, 1e22, 3.4e38)
EDGES = (FLOAT32_MAX, -FLOAT32_MAX, 2**63 - 1, -(2**63), 0, 1.0, 100.0)
TEXTS = ("😀", "\\", "\\.", "\\N", "a\tb\nc\rd", "\x01\x1f\x7f", "\"'`", "{}", "\u2028", "\u00e9", "e\u0301", "\uffff")


@dataclass
class Tiers:
    """Both real tiers, and the store on them."""

    store: FeatureStore
    fast: ValkeyFeatures
    durable: PostgresFeatures

    def held(self, entity_id: str) -> list[FeatureRecord]:
        """Return what each tier holds of one entity; it must be the same."""
        records = [self.fast.ask(entity_id, "me").record, self.durable.read(entity_id)]
        assert records[0] == records[1]
        return [record for record in records if record is not None]


@pytest.fixture(scope="module")
def tiers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiers]:
    servers = RealStores(tmp_path_factory.mktemp("stores"))
    fast = connect_fast(servers.settings, Silent())
    try:
        yield Tiers(servers.writer(), fast, servers.durable())
    finally:
        fast.close()
        servers.end()


@pytest.mark.parametrize("given", [*NUMBERS, *EDGES])
def test_a_number_comes_back_to_the_last_bit(tiers: Tiers, given: float) -> None:
    tiers.store.write([FeatureUpdate("number", {"x": given}, time.time())])
    for record in tiers.held("number"):
        held = record.values["x"]
        assert isinstance(held, int | float)
        assert held == given
        assert float(held).hex() == float(given).hex()


def test_minus_zero_loses_its_sign_and_nothing_else(tiers: Tiers) -> None:
    tiers.store.write([FeatureUpdate("zero", {"x": -0.0}, time.time())])
    assert [record.values["x"] for record in tiers.held("zero")] == [0.0, 0.0]


@pytest.mark.parametrize("given", TEXTS)
def test_a_text_comes_back_as_id_and_as_value(tiers: Tiers, given: str) -> None:
    tiers.store.write([FeatureUpdate(given, {"x": given}, time.time())])
    for record in tiers.held(given):
        assert record.values == {"x": given}


def test_writing_again_and_again_never_grows_a_record(tiers: Tiers) -> None:
    values = {f"x{number}": value for number, value in enumerate(NUMBERS)}
    written = [tiers.store.write([FeatureUpdate("grow", values, NOW + n)])["grow"] for n in range(5)]
    assert all(record.values == values for record in written)
    part = [tiers.store.write([FeatureUpdate("grow", {"x0": 1e-320}, NOW + 9 + n)])["grow"] for n in range(5)]
    assert len({len(orjson.dumps(dict(record.event_times))) for record in part}) == 1


@pytest.mark.parametrize("when", [5e-324, 1e-310, 0.1, 1_800_000_000.123456])
def test_an_event_time_comes_back_to_the_last_bit(tiers: Tiers, when: float) -> None:
    tiers.store.write([FeatureUpdate(f"t{when!r}", {"x": 1}, when)])
    for record in tiers.held(f"t{when!r}"):
        assert record.event_times == {"x": when}


@pytest.mark.parametrize(("entity_id", "value"), [("nul", "Ada\0Lovelace"), ("Ada\0Lovelace", "x")])
def test_what_postgres_cannot_hold_is_refused_whole_and_unrepeated(tiers: Tiers, entity_id: str, value: str) -> None:
    with pytest.raises(Unavailable) as raised:
        tiers.store.write([FeatureUpdate("whole", {"x": 1}, NOW), FeatureUpdate(entity_id, {"x": value}, NOW)])
    assert "Ada" not in str(raised.value)
    assert tiers.store.read("whole", "me", {}).record is None
