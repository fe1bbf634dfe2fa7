"""What is written comes back: from Valkey and from Postgres, to the last bit, and without growing."""

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import orjson
import pytest

from ebb.errors import Unavailable
from ebb.features.values import FLOAT32_MAX
from ebb.ports import FeatureUpdate
from ebb.postgres.features import PostgresFeatures
from ebb.store.store import FeatureStore
from ebb.valkey.features import ValkeyFeatures
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey

NOW = 1_800_000_000.0
NUMBERS = (1e-320, 5e-324, 2.0**-149, 0.1, 1.0000000000000002, 123456789.12345679, 2**53 + 1, 1e15, 1e16, 1e22, 3.4e38)
EDGES = (FLOAT32_MAX, -FLOAT32_MAX, 2**63 - 1, -(2**63), 0, 1.0, 100.0)
TEXTS = ("😀", "\\", "\\.", "\\N", "a\tb\nc\rd", "\x01\x1f\x7f", "\"'`", "{}", "\u2028", "\u00e9", "e\u0301", "\uffff")


@dataclass
class Tiers:
    """Both real tiers."""

    fast: ValkeyFeatures
    durable: PostgresFeatures

    @property
    def store(self) -> FeatureStore:
        return FeatureStore(self.fast, self.durable)


@pytest.fixture(scope="module")
def tiers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiers]:
    with ExitStack() as stack:
        postgres = Postgres.start(tmp_path_factory.mktemp("postgres"), durable=False)
        stack.callback(postgres.stop)
        valkey = Valkey.start(tmp_path_factory.mktemp("valkey"))
        stack.callback(valkey.stop)
        durable = PostgresFeatures(
            postgres.host,
            postgres.port,
            user=postgres.user,
            password=postgres.password,
            database=postgres.database,
        )
        stack.callback(durable.close)
        durable.create_schema()
        yield Tiers(ValkeyFeatures("127.0.0.1", valkey.port, timeout=2.0), durable)


@pytest.mark.parametrize("given", [*NUMBERS, *EDGES])
def test_a_number_comes_back_to_the_last_bit(tiers: Tiers, given: float) -> None:
    tiers.store.write([FeatureUpdate("number", {"x": given}, time.time())])
    for tier in (tiers.fast, tiers.durable):
        record = tier.read("number")
        assert record is not None
        held = record.values["x"]
        assert isinstance(held, int | float)
        assert held == given
        assert float(held).hex() == float(given).hex()


def test_minus_zero_loses_its_sign_and_nothing_else(tiers: Tiers) -> None:
    tiers.store.write([FeatureUpdate("zero", {"x": -0.0}, time.time())])
    held = [tier.read("zero") for tier in (tiers.fast, tiers.durable)]
    assert all(record is not None and record.values["x"] == 0.0 for record in held)
    assert len({math.copysign(1, float(record.values["x"] or 0.0)) for record in held if record is not None}) == 1


@pytest.mark.parametrize("given", TEXTS)
def test_a_text_comes_back_as_id_and_as_value(tiers: Tiers, given: str) -> None:
    tiers.store.write([FeatureUpdate(given, {"x": given}, time.time())])
    for tier in (tiers.fast, tiers.durable):
        record = tier.read(given)
        assert record is not None
        assert record.values == {"x": given}


def test_writing_again_and_again_never_grows_a_record(tiers: Tiers) -> None:
    values = {f"x{number}": value for number, value in enumerate(NUMBERS)}
    written = [tiers.store.write([FeatureUpdate("grow", values, NOW + n)])["grow"] for n in range(5)]
    assert len({orjson.dumps(record.values) for record in written}) == 1
    part = [tiers.store.write([FeatureUpdate("grow", {"x0": 1e-320}, NOW + 9 + n)])["grow"] for n in range(5)]
    assert len({len(orjson.dumps(record.event_times)) for record in part}) == 1


@pytest.mark.parametrize("when", [5e-324, 1e-310, 0.1, 1_800_000_000.123456, 1e308])
def test_an_event_time_comes_back_to_the_last_bit(tiers: Tiers, when: float) -> None:
    tiers.store.write([FeatureUpdate(f"t{when!r}", {"x": 1}, when)])
    for tier in (tiers.fast, tiers.durable):
        record = tier.read(f"t{when!r}")
        assert record is not None
        assert record.event_times == {"x": when}


@pytest.mark.parametrize(("entity_id", "value"), [("nul", "Ada\0Lovelace"), ("Ada\0Lovelace", "x")])
def test_what_postgres_cannot_hold_is_refused_whole_and_unrepeated(tiers: Tiers, entity_id: str, value: str) -> None:
    with pytest.raises(Unavailable) as raised:
        tiers.store.write([FeatureUpdate("whole", {"x": 1}, NOW), FeatureUpdate(entity_id, {"x": value}, NOW)])
    assert "Ada" not in str(raised.value)
    assert tiers.store.read("whole") is None
