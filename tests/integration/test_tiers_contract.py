"""One contract suite for every tier: the in-memory fake, Valkey and Postgres keep the same promises."""

import socket
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.errors import Unavailable
from ebb.ports import DurableTier, FeatureRecord, FeatureTier, FeatureUpdate
from ebb.postgres.features import PostgresFeatures
from ebb.record_json import record_from_json, values_to_json
from ebb.valkey.features import ValkeyFeatures
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from tests.fakes.tiers import MemoryTier


def _postgres(server: Postgres) -> PostgresFeatures:
    return PostgresFeatures(
        "127.0.0.1", server.port, user=server.user, password=server.password, database=server.database
    )


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[PostgresFeatures]:
    tier = _postgres(postgres_server)
    tier.create_schema()
    tier.create_schema()
    yield tier
    tier.close()


@pytest.fixture
def valkey(valkey_server: Valkey) -> ValkeyFeatures:
    return ValkeyFeatures("127.0.0.1", valkey_server.port, timeout=2.0)


@pytest.fixture(params=["memory", "valkey", "postgres"])
def tier(request: pytest.FixtureRequest) -> FeatureTier:
    if request.param == "memory":
        return MemoryTier()
    found: FeatureTier = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["memory", "postgres"])
def durable(request: pytest.FixtureRequest) -> DurableTier:
    if request.param == "memory":
        return MemoryTier()
    found: DurableTier = request.getfixturevalue(request.param)
    return found


def _id() -> str:
    return f"e-{uuid4().hex}"


def _record(version: int, **values: float | str | None) -> FeatureRecord:
    return FeatureRecord(values, dict.fromkeys(values, 1.5e9), version)


def test_nobody_is_none(tier: FeatureTier) -> None:
    assert tier.read(_id()) is None


def test_what_was_put_is_read(tier: FeatureTier) -> None:
    who, record = _id(), FeatureRecord({"a": 1.25, "b": "é中", "c": None}, {"a": 1e9, "b": 2e9, "c": 1e9}, 7)
    tier.put({who: record})
    assert tier.read(who) == record


def test_a_lower_or_equal_version_never_replaces_a_higher_one(tier: FeatureTier) -> None:
    who = _id()
    tier.put({who: _record(5, a=5.0)})
    tier.put({who: _record(4, a=4.0)})
    tier.put({who: _record(5, a=5.5)})
    assert tier.read(who) == _record(5, a=5.0)
    tier.put({who: _record(10, a=10.0)})
    assert tier.read(who) == _record(10, a=10.0)


@pytest.mark.parametrize("who", ["a\\b", 'quote"', "tab-free space", "é中\u2028", "%s:{}", "x" * 256])
def test_any_entity_id(tier: FeatureTier, who: str) -> None:
    tier.put({who: _record(1, a=1.0)})
    assert tier.read(who) == _record(1, a=1.0)


def test_the_newer_event_time_wins_value_by_value(durable: DurableTier) -> None:
    who = _id()
    durable.merge([FeatureUpdate(who, {"a": 1, "b": 1}, 100.0)])
    durable.merge([FeatureUpdate(who, {"b": 2, "c": 2}, 200.0)])
    merged = durable.merge([FeatureUpdate(who, {"a": 3, "b": 3, "c": 3, "d": 3}, 150.0)])[who]
    assert merged.values == {"a": 3, "b": 2, "c": 2, "d": 3}
    assert merged.event_times == {"a": 150.0, "b": 200.0, "c": 200.0, "d": 150.0}
    assert merged.version == 3
    assert durable.read(who) == merged


def test_one_call_may_update_an_entity_twice(durable: DurableTier) -> None:
    who = _id()
    merged = durable.merge([FeatureUpdate(who, {"a": 1}, 2.0), FeatureUpdate(who, {"a": 2}, 1.0)])
    assert merged[who].values == {"a": 1}


def test_writing_twice_changes_no_value(durable: DurableTier) -> None:
    who = _id()
    update: dict[str, float | str | None] = {"a": 1, "b": "x"}
    first = durable.merge([FeatureUpdate(who, update, 100.0)])[who]
    again = durable.merge([FeatureUpdate(who, update, 100.0)])[who]
    assert (again.values, again.event_times) == (first.values, first.event_times)
    assert again.version > first.version


updates = st.lists(
    st.tuples(
        st.dictionaries(
            st.sampled_from("abc"),
            st.one_of(
                st.none(),
                st.booleans(),
                st.integers(-(2**53), 2**53),
                st.floats(-3e38, 3e38),
                st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
            ),
            min_size=1,
        ),
        st.integers(1, 5).map(float),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(updates)
def test_postgres_merges_as_the_fake_does(
    postgres: PostgresFeatures, sequence: list[tuple[dict[str, float | str | None], float]]
) -> None:
    fake, who = MemoryTier(), _id()
    for values, event_time in sequence:
        expected = fake.merge([FeatureUpdate(who, values, event_time)])[who]
        merged = postgres.merge([FeatureUpdate(who, values, event_time)])[who]
        assert _as_floats(merged) == _as_floats(expected)
    assert postgres.read(who) == merged


def _as_floats(record: FeatureRecord) -> FeatureRecord:
    """Numbers as the graph takes them: a large float comes back from JSON as the integer that rounds to it."""
    values = {
        k: float(v) if isinstance(v, int | float) and not isinstance(v, bool) else v for k, v in record.values.items()
    }
    return FeatureRecord(values, record.event_times, record.version)


def test_the_bulk_road_writes_what_the_single_one_does(postgres: PostgresFeatures, valkey: ValkeyFeatures) -> None:
    who = _id()
    merged = postgres.merge_json([(who, 100.0, values_to_json({"a": 0.1, "b": "tab\there\\n\nand\r"}))])
    assert [(entity_id, version) for entity_id, version, _ in merged] == [(who, 1)]
    assert record_from_json(merged[0][2], 1) == postgres.read(who)
    valkey.put_json(iter(merged))
    assert valkey.read(who) == postgres.read(who)


def test_a_failed_merge_writes_nothing(postgres: PostgresFeatures) -> None:
    who = _id()
    with pytest.raises(Unavailable, match="Postgres refused"):
        postgres.merge_json([(who, 1.0, b'{"a": 1}'), (_id(), 1.0, b"{broken")])
    assert postgres.read(who) is None


def test_postgres_is_connected_again_after_the_connection_is_lost(
    postgres: PostgresFeatures, postgres_server: Postgres
) -> None:
    who = _id()
    postgres.merge([FeatureUpdate(who, {"a": 1}, 1.0)])
    other = _postgres(postgres_server)
    with other._connection.use() as connection:
        connection.run(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where pid <> pg_backend_pid() and backend_type = 'client backend'"
        )
    other.close()
    with pytest.raises(Unavailable):
        postgres.read(who)
    record = postgres.read(who)
    assert record is not None
    assert record.values == {"a": 1}


def test_valkey_forgets_after_its_ttl(valkey_server: Valkey) -> None:
    brief = ValkeyFeatures("127.0.0.1", valkey_server.port, timeout=2.0, ttl=1.0)
    who = _id()
    brief.put({who: _record(1, a=1.0)})
    assert brief.read(who) is not None
    deadline = time.monotonic() + 5
    while brief.read(who) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert brief.read(who) is None


def test_a_server_that_is_not_there_is_unavailable_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        port = silent.getsockname()[1]
        start = time.monotonic()
        with pytest.raises(Unavailable, match="Valkey does not answer"):
            ValkeyFeatures("127.0.0.1", port, timeout=0.05).read("x")
        with pytest.raises(Unavailable, match="Postgres does not answer"):
            PostgresFeatures("127.0.0.1", port, user="u", password="p", database="d", timeout=0.2).read("x")
        assert time.monotonic() - start < 2
    with pytest.raises(Unavailable):
        ValkeyFeatures("127.0.0.1", port, timeout=0.05).put({"x": _record(1)})
    with pytest.raises(Unavailable):
        PostgresFeatures("127.0.0.1", port, user="u", password="p", database="d", timeout=0.2).read("x")


def test_valkey_takes_writes_again_after_it_forgot_the_script(valkey: ValkeyFeatures, valkey_server: Valkey) -> None:
    valkey.put({_id(): _record(1, a=1.0)})
    with redis.Redis(port=valkey_server.port) as client:
        client.script_flush()
    who = _id()
    valkey.put({who: _record(1, a=1.0)})
    assert valkey.read(who) == _record(1, a=1.0)


def test_an_interrupt_in_the_middle_of_a_transaction_writes_nothing_and_the_next_use_works(
    postgres: PostgresFeatures,
) -> None:
    who = _id()

    def interrupted() -> None:
        with postgres._connection.transaction() as connection:
            insert = 'insert into features (entity_id, version, event_time, "values") values (:who, 1, 0, :values)'
            connection.run(insert, who=who, values="{}")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert postgres.read(who) is None
    postgres.merge([FeatureUpdate(who, {"a": 1}, 1.0)])
    assert postgres.read(who) is not None
