"""One contract suite for the durable tier: Postgres keeps every promise that the one in memory keeps."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.contract.model import Value
from ebb.ports import Access, DurableTier, FeatureRecord, FeatureUpdate, RepairTier, SubjectTier
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.subjects import PostgresSubjects
from local.servers.postgres import Postgres
from tests.fakes.durable import MemoryDurable
from tests.integration.databases import Database

ACCESS = Access(1.5e9, "tester", "erase", "call-1")


class Everything(DurableTier, RepairTier, SubjectTier, Protocol):
    """All ports of the durable tier at once."""

    def page(self, after: str, limit: int) -> dict[str, FeatureRecord]:
        """The records of the next entities after one."""


class _Postgres(PostgresFeatures, PostgresSubjects):
    """Both adapters on one connection."""

    def __init__(self, database: Database) -> None:
        connection = database.connect()
        PostgresFeatures.__init__(self, connection)
        PostgresSubjects.__init__(self, connection)


@pytest.fixture(scope="module")
def postgres(postgres_server: Postgres) -> Iterator[_Postgres]:
    tier = _Postgres(Database.fresh(postgres_server))
    yield tier
    tier.close()


@pytest.fixture(params=["memory", "postgres"])
def durable(request: pytest.FixtureRequest) -> Everything:
    tier: Everything = MemoryDurable() if request.param == "memory" else request.getfixturevalue("postgres")
    return tier


def _id() -> str:
    return f"e-{uuid4().hex}"


def test_nobody_is_none(durable: Everything) -> None:
    who = _id()
    assert durable.read(who) is None
    assert durable.read_many([who]) == {}
    assert durable.known_at(who, 2e9, 2e9) is None
    assert durable.history(who) == []
    assert durable.accesses(who) == []


@pytest.mark.parametrize("who", ["a\\b", 'quote"', "tab-free space", "é中\u2028", "%s:{}", "x" * 256, "{a,b}", "null"])
def test_any_entity_id(durable: Everything, who: str) -> None:
    for _ in range(2):
        merged = durable.merge([FeatureUpdate(who, {"a": 1.0}, 1e9)])
    assert durable.read(who) == merged.records[who] == durable.read_many([who, _id()])[who]
    assert who in durable.unsettled(-1, 10_000)[-1].entity_ids


def test_the_newer_event_time_wins_value_by_value(durable: Everything) -> None:
    who = _id()
    durable.merge([FeatureUpdate(who, {"a": 1, "b": 1}, 100.0)])
    durable.merge([FeatureUpdate(who, {"b": 2, "c": 2}, 200.0)])
    merged = durable.merge([FeatureUpdate(who, {"a": 3, "b": 3, "c": 3, "d": 3}, 150.0)]).records[who]
    assert merged.values == {"a": 3, "b": 2, "c": 2, "d": 3}
    assert merged.event_times == {"a": 150.0, "b": 200.0, "c": 200.0, "d": 150.0}
    assert merged.version == 3
    assert durable.read(who) == merged


def test_the_salt_is_made_with_the_first_features_and_stays(durable: Everything) -> None:
    who, other = _id(), _id()
    records = durable.merge([FeatureUpdate(who, {"a": 1}, 1.0), FeatureUpdate(other, {"a": 1}, 1.0)]).records
    again = durable.merge([FeatureUpdate(who, {"b": 1}, 2.0)]).records[who]
    assert records[who].salt == again.salt != records[other].salt
    assert len(bytes.fromhex(again.salt)) == 16


def test_one_call_may_update_an_entity_twice(durable: Everything) -> None:
    who, other = _id(), _id()
    updates = [
        FeatureUpdate(who, {"a": 1}, 2.0),
        FeatureUpdate(other, {"a": 9}, 1.0),
        FeatureUpdate(who, {"a": 2}, 1.0),
    ]
    merged = durable.merge(updates)
    assert merged.records[who].values == {"a": 1}
    assert merged.records[who].version == 2
    assert merged.records[other].version == 1
    assert [set(n.entity_ids) for n in durable.unsettled(-1, 10_000) if n.id == merged.repair] == [{who, other}]


def test_writing_twice_changes_no_value(durable: Everything) -> None:
    who = _id()
    update = FeatureUpdate(who, {"a": 1, "b": "x"}, 100.0)
    first, again = durable.merge([update]).records[who], durable.merge([update]).records[who]
    assert replace(again, version=0) == replace(first, version=0)
    assert again.version > first.version


def test_a_note_stands_until_it_is_settled(durable: Everything) -> None:
    who = _id()
    merged = durable.merge([FeatureUpdate(who, {"a": 1}, 1.0)])
    assert merged.repair in {note.id for note in durable.unsettled(-1, 10_000)}
    assert merged.repair not in {note.id for note in durable.unsettled(60, 10_000)}
    durable.settle(merged.repair)
    durable.settle(merged.repair)
    assert merged.repair not in {note.id for note in durable.unsettled(-1, 10_000)}


def test_the_oldest_notes_come_first(durable: Everything) -> None:
    made = [durable.merge([FeatureUpdate(_id(), {"a": 1}, 1.0)]).repair for _ in range(3)]
    everyone = [note.id for note in durable.unsettled(-1, 10_000)]
    assert everyone == sorted(everyone)
    assert set(made) <= set(everyone)
    assert [note.id for note in durable.unsettled(-1, 2)] == everyone[:2]


def test_pages_name_everybody_once(durable: Everything) -> None:
    made = {_id() for _ in range(7)}
    durable.merge([FeatureUpdate(who, {"a": 1}, 1.0) for who in made])
    seen: list[str] = []
    while page := durable.page(seen[-1] if seen else "", 3):
        seen += page
    assert made <= set(seen)
    assert len(seen) == len(set(seen))


def test_an_erasure_leaves_a_tombstone_and_no_history(durable: Everything) -> None:
    who, now = _id(), time.time()
    held = durable.merge([FeatureUpdate(who, {"a": 1}, now - 10)]).records[who]
    merged = durable.erase(who, ACCESS)
    tombstone = merged.records[who]
    assert tombstone == durable.read(who)
    assert tombstone.is_tombstone
    assert tombstone.version > held.version
    assert tombstone.salt == ""
    assert tombstone.erased_at == pytest.approx(time.time(), abs=5)
    assert durable.history(who) == []
    assert durable.known_at(who, 2e9, 2e9) is None
    assert durable.accesses(who) == [ACCESS]
    assert who in {each for note in durable.unsettled(-1, 10_000) for each in note.entity_ids}


def test_nobody_may_be_erased_too(durable: Everything) -> None:
    who = _id()
    tombstone = durable.erase(who, ACCESS).records[who]
    assert (tombstone.version, tombstone.is_tombstone) == (1, True)
    assert durable.merge([FeatureUpdate(who, {"a": 1}, time.time() - 60)]).records[who] == tombstone


def test_a_late_event_resurrects_nobody_and_a_newer_one_has_a_new_salt(durable: Everything) -> None:
    who = _id()
    before = durable.merge([FeatureUpdate(who, {"a": 1, "b": 1}, time.time() - 10)]).records[who]
    tombstone = durable.erase(who, ACCESS).records[who]
    late = FeatureUpdate(who, {"a": 2}, tombstone.erased_at or 0)
    both = durable.merge([late, FeatureUpdate(_id(), {"a": 1}, 1.0)])
    assert both.records[who] == tombstone
    assert durable.history(who) == []
    back = durable.merge([FeatureUpdate(who, {"a": 3}, time.time() + 10)]).records[who]
    assert back.values == {"a": 3}
    assert back.salt not in {"", before.salt}
    assert (back.erased_at, back.is_tombstone) == (tombstone.erased_at, False)
    assert durable.merge([late]).records[who] == back == durable.read(who)
    assert [row.values for row in durable.history(who)] == [{"a": 3}]
    another = _id()
    durable.erase(another, ACCESS)
    returned = durable.merge([FeatureUpdate(another, {"a": 3}, time.time() + 10)]).records[another]
    assert len({returned.salt, back.salt, before.salt}) == 3, "nobody can guess it from another one's"


def test_accesses_are_kept_in_their_order_and_outlive_an_erasure(durable: Everything) -> None:
    who = _id()
    looks = [Access(1e9 + i, f"client {i}", "export", str(i)) for i in range(3)]
    for look in looks:
        durable.record_access(who, look)
    durable.erase(who, replace(ACCESS, at=1e9 + 9))
    assert durable.accesses(who) == [*looks, replace(ACCESS, at=1e9 + 9)]


def test_history_is_as_it_was_written_the_newest_event_first(durable: Everything) -> None:
    who, now = _id(), float(int(time.time()))
    for values, event_time in ({"a": 1}, now - 5), ({"b": None}, now - 9), ({"a": "é"}, now - 5):
        durable.merge([FeatureUpdate(who, values, event_time)])
    rows = durable.history(who)
    assert [(row.values, row.event_time) for row in rows] == [
        ({"a": "é"}, now - 5),
        ({"a": 1}, now - 5),
        ({"b": None}, now - 9),
    ]
    assert rows[0].ingested_at > rows[1].ingested_at
    assert all(abs(row.ingested_at - time.time()) < 60 for row in rows)


def test_what_was_known_then(durable: Everything) -> None:
    who, now = _id(), float(int(time.time()))
    durable.merge([FeatureUpdate(who, {"a": 1, "b": 1}, now - 100)])
    first = durable.history(who)[0].ingested_at
    durable.merge([FeatureUpdate(who, {"a": 2}, now - 50)])
    durable.merge([FeatureUpdate(who, {"a": 3, "b": 3}, now - 200)])

    def known(event_time: float, ingested_at: float) -> dict[str, Value] | None:
        record = durable.known_at(who, event_time, ingested_at)
        assert record is None or record.version == 0
        return dict(record.values) if record else None

    assert known(now, now + 60) == {"a": 2, "b": 1}
    assert known(now - 75, now + 60) == {"a": 1, "b": 1}
    assert known(now - 150, now + 60) == {"a": 3, "b": 3}
    assert known(now - 201, now + 60) is None
    assert known(now, first) == {"a": 1, "b": 1}
    assert known(now - 150, first) is None
    assert known(now, first - 1) is None


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(-3e38, 3e38),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
)
WRITES = st.lists(
    st.tuples(st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1), st.integers(1, 5).map(float)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WRITES, st.booleans())
def test_postgres_merges_as_the_memory_does(
    postgres: _Postgres, sequence: list[tuple[dict[str, Value], float]], together: bool
) -> None:
    memory, who = MemoryDurable(), _id()
    updates = [FeatureUpdate(who, values, event_time) for values, event_time in sequence]
    for call in [updates] if together else [[update] for update in updates]:
        expected = memory.merge(call).records[who]
        merged = postgres.merge(call).records[who]
        assert _as_floats(merged) == _as_floats(expected)
    assert _as_floats(postgres.read(who)) == _as_floats(merged)


STEPS = st.lists(
    st.one_of(
        st.just(None),  # an erasure
        # Long before it, or so far ahead that it is newer than any erasure of this test.
        st.tuples(
            st.dictionaries(st.sampled_from("abc"), st.integers(0, 9), min_size=1), st.sampled_from([-99, 500, 600])
        ),
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_postgres_erases_as_the_memory_does(
    postgres: _Postgres, steps: list[tuple[dict[str, Value], int] | None]
) -> None:
    memory, who, now = MemoryDurable(), _id(), float(int(time.time()))
    for step in steps:
        if step is None:
            records = [tier.erase(who, ACCESS).records[who] for tier in (memory, postgres)]
        else:
            update = FeatureUpdate(who, step[0], now + step[1])
            records = [tier.merge([update]).records[who] for tier in (memory, postgres)]
        expected, merged = records
        assert (merged.values, merged.event_times, merged.version) == (
            expected.values,
            expected.event_times,
            expected.version,
        )
        assert (merged.is_tombstone, bool(merged.salt)) == (expected.is_tombstone, bool(expected.salt))
        assert merged == postgres.read(who)
        # The same write again is no new row of Postgres's history.
        rows = [[(str(r.values), r.event_time) for r in tier.history(who)] for tier in (memory, postgres)]
        assert set(rows[0]) == set(rows[1])


def _as_floats(record: FeatureRecord | None) -> FeatureRecord:
    """Numbers as the graph takes them: a large float comes back from JSON as the integer that rounds to it."""
    assert record is not None
    values = {
        k: float(v) if isinstance(v, int | float) and not isinstance(v, bool) else v for k, v in record.values.items()
    }
    return replace(record, values=values, salt="")


def test_calls_that_name_entities_in_any_order_never_lock_each_other_out(postgres_server: Postgres) -> None:
    database = Database.fresh(postgres_server)
    tiers = [_Postgres(database) for _ in range(3)]
    ids = [f"e-{i}" for i in range(30)]

    def write(number: int) -> None:
        for turn in range(15):
            order = ids[turn:] + ids[:turn] if number % 2 else ids[turn::-1] + ids[:turn:-1]
            twice = [*order[:10], *order]
            tiers[number].merge([FeatureUpdate(who, {"a": turn}, float(i)) for i, who in enumerate(twice)])

    with ThreadPoolExecutor(3) as road:
        list(road.map(write, range(3)))
    assert len(tiers[0].page("", 100)) == len(ids)
    for tier in tiers:
        tier.close()


def test_rows_are_locked_in_the_order_of_their_names_however_a_call_names_them(postgres_server: Postgres) -> None:
    """Who waits for the first row holds none behind it: so no two calls can ever wait for each other."""
    database = Database.fresh(postgres_server)
    tier, holder, other = _Postgres(database), database.connect(), database.connect()
    tier.merge([FeatureUpdate(who, {"a": 1}, 1.0) for who in "ab"])
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as road, holder.transaction() as held:
        held.run("select 1 from features where entity_id = 'a' for update")
        call = road.submit(tier.merge, [FeatureUpdate(who, {"a": 2}, 2.0) for who in "ba"])
        deadline = time.monotonic() + 1.5
        while other.query(waiting) != [[1]]:
            assert time.monotonic() < deadline, "it never waited"
        assert other.query("select 1 from features where entity_id = 'b' for update nowait") == [[1]]
    assert {record.values["a"] for record in call.result().records.values()} == {2}
    for connection in (tier, holder, other):
        connection.close()
