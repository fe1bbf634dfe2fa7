"""What was known at a moment: as a naive model says, for any sequence of writes and any question."""

import time
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import pg8000.native
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.contract.model import Value
from ebb.ports import FeatureUpdate
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.history import _NEWEST, _OLDER, PostgresHistory
from ebb.postgres.layouts import layout_of
from ebb.postgres.merge import _ONE_NOTED, INCOMING, merge_incoming
from ebb.postgres.months import PostgresMonths
from local.servers.postgres import Postgres
from tests.integration.databases import Database

DAY = 86_400.0
KEEP = 30 * DAY
NOW = float(int(time.time()))
LATER = NOW + 3600

Write = tuple[dict[str, Value], float]


@pytest.fixture(scope="module")
def connection(postgres_server: Postgres) -> Iterator[PostgresConnection]:
    made = Database.fresh(postgres_server).connect()
    yield made
    made.close()


class Subject:
    """One entity, its writes, and the naive model of what was known of it.

    Attributes:
        who: its id.
        known: each write that the history keeps, with the moment it was taken, in order.
        moments: when each write was taken, also of those too old for the history.
    """

    def __init__(self, connection: PostgresConnection) -> None:
        self.who = f"e-{uuid4().hex}"
        self.connection = connection
        self.features, self.history = PostgresFeatures(connection, KEEP), PostgresHistory(connection)
        self.known: list[tuple[dict[str, Value], float, float]] = []
        self.moments: list[float] = []

    def write(self, values: dict[str, Value], event_time: float) -> None:
        self.features.merge([FeatureUpdate(self.who, values, event_time)])
        self.took(values, event_time)

    def took(self, values: dict[str, Value], event_time: float) -> None:
        at = self.connection.query(
            "select extract(epoch from written_at)::float8 from features where entity_id = :who", who=self.who
        )[0][0]
        self.moments.append(at)
        if event_time >= NOW - KEEP:
            self.known.append((values, event_time, at))

    def model(self, event_time: float, ingested_at: float) -> tuple[dict[str, Value], dict[str, float]]:
        """The current values count as written with the last write: what was known of them before is not kept."""
        current = self.features.read(self.who)
        assert current is not None
        last = [({n: v}, current.event_times[n], self.moments[-1]) for n, v in current.values.items()]
        fit = [w for w in [*self.known, *last] if w[1] <= event_time and w[2] <= ingested_at]
        values: dict[str, Value] = {}
        times: dict[str, float] = {}
        for brought, moment, _ in sorted(fit, key=lambda write: write[1:]):
            values |= brought
            times |= dict.fromkeys(brought, moment)
        return values, times

    def ask(self, event_time: float, ingested_at: float) -> tuple[dict[str, Value], dict[str, float]]:
        record = self.history.known_at(self.who, event_time, ingested_at)
        return (dict(record.values), dict(record.event_times)) if record else ({}, {})


writes = st.lists(
    st.tuples(
        st.dictionaries(
            st.sampled_from("abcd"), st.integers(0, 99) | st.none() | st.text("xé\\\"'", max_size=2), min_size=1
        ),
        # Some in the past month, some of them equal; some too old for the history.
        st.sampled_from([NOW - n * 7 * DAY + n % 3 * 0.25 for n in range(8)]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes, st.data())
def test_as_the_model_says(connection: PostgresConnection, sequence: Sequence[Write], data: st.DataObject) -> None:
    subject = Subject(connection)
    for values, event_time in sequence:
        subject.write(values, event_time)
    for _ in range(6):
        event_time = data.draw(st.sampled_from([NOW - n * 3.5 * DAY + n % 5 * 0.25 for n in range(-1, 16)]))
        ingested_at = data.draw(st.sampled_from([subject.moments[0] - 1, *subject.moments, LATER]))
        assert subject.ask(event_time, ingested_at) == subject.model(event_time, ingested_at)


def test_the_same_write_again_is_no_new_one(connection: PostgresConnection) -> None:
    subject = Subject(connection)
    for _ in range(3):
        subject.write({"a": 1, "b": "x"}, NOW - 5)
    subject.write({"a": 2}, NOW - 5)
    subject.write({"a": 2}, NOW - 5)
    assert [row.values for row in subject.history.history(subject.who)] == [{"a": 2}, {"a": 1, "b": "x"}]


def test_a_correction_that_is_taken_back_is_known_as_such(connection: PostgresConnection) -> None:
    subject = Subject(connection)
    for value in (1, 2, 1):
        subject.write({"a": value}, NOW - 5)
    subject.write({"a": 9}, NOW)
    assert subject.ask(NOW - 5, subject.moments[1]) == ({"a": 2}, {"a": NOW - 5})
    assert subject.ask(NOW - 5, LATER) == ({"a": 1}, {"a": NOW - 5})


def test_many_partial_writes_are_merged_until_every_name_is_found(connection: PostgresConnection) -> None:
    subject = Subject(connection)
    subject.write({"rare": "once"}, NOW - 20 * DAY)
    for i in range(300):
        subject.write({"often": i}, NOW - 10 * DAY + i * 60)
    subject.write({"rare": "late"}, NOW)
    assert subject.ask(NOW - 1, LATER) == (
        {"rare": "once", "often": 299},
        {"rare": NOW - 20 * DAY, "often": NOW - 10 * DAY + 299 * 60},
    )
    assert subject.ask(NOW - 10 * DAY, LATER)[0] == {"rare": "once", "often": 0}
    assert subject.ask(NOW - 15 * DAY, LATER)[0] == {"rare": "once"}


def test_a_whole_row_needs_one_look(connection: PostgresConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject(connection)
    for i in range(40):
        subject.write({"a": i, "b": i}, NOW - 60 + i)
    asked: list[str] = []
    query = connection.query

    def counted(sql: str, **values: Any) -> list[Any]:
        asked.append(sql)
        return query(sql, **values)

    monkeypatch.setattr(connection, "query", counted)
    assert subject.ask(NOW - 31, LATER) == ({"a": 29, "b": 29}, dict.fromkeys("ab", NOW - 31))
    assert len(asked) == 2
    asked.clear()
    assert subject.ask(NOW, LATER)[0] == {"a": 39, "b": 39}
    assert len(asked) == 1  # everything current was known by then


def test_a_row_of_a_bulk_load_holds_values_only(connection: PostgresConnection) -> None:
    subject = Subject(connection)
    PostgresMonths(connection, KEEP).ensure([NOW - 9])
    with connection.transaction() as own:
        layout = layout_of(own, ["b", "a"])
        assert layout_of(own, ["b", "a"]) == layout != layout_of(own, ["a", "b"])
        own.run(INCOMING)
        row = f'{subject.who}\t{NOW - 9}\t{{"a": 1, "b": "x"}}\t{layout}\t["x",1]\n'
        own.run("copy incoming from stdin", stream=[row.encode()])
        merged = merge_incoming(own, KEEP)
    assert [(r.entity_id, r.version, r.values) for r in merged.rows] == [(subject.who, 1, None)]
    assert [n.entity_ids for n in subject.features.unsettled(-1, 9_999) if n.id == merged.repair] == [(subject.who,)]
    subject.took({"a": 1, "b": "x"}, NOW - 9)
    subject.write({"a": 2}, NOW)
    assert subject.ask(NOW - 1, LATER) == ({"a": 1, "b": "x"}, dict.fromkeys("ab", NOW - 9))
    assert [row.values for row in subject.history.history(subject.who)] == [{"a": 2}, {"a": 1, "b": "x"}]


def test_a_long_history_comes_in_parts(connection: PostgresConnection) -> None:
    subject = Subject(connection)
    for age in range(5):
        subject.write({"a": age}, NOW - age)
    parts = [subject.history.history(subject.who, first, 2) for first in (0, 2, 4, 6)]
    assert [[row.values["a"] for row in part] for part in parts] == [[0, 1], [2, 3], [4], []]


def test_a_layout_may_name_a_thousand_features(connection: PostgresConnection) -> None:
    names = [uuid4().hex for _ in range(1_000)]
    with connection.use() as own:
        assert layout_of(own, names) == layout_of(own, names) != layout_of(own, names[::-1])


def test_ingestion_goes_forward_also_where_the_clock_was_set_back(connection: PostgresConnection) -> None:
    subject = Subject(connection)
    subject.write({"a": 1}, NOW - 9)
    connection.query(
        "update features set written_at = now() + interval '1 hour' where entity_id = :who", who=subject.who
    )
    subject.write({"a": 2}, NOW - 9)
    assert subject.moments[1] > time.time() + 3000
    assert [row.values for row in subject.history.history(subject.who)] == [{"a": 2}, {"a": 1}]


def test_the_plan_of_an_as_of_read_looks_at_few_months(connection: PostgresConnection) -> None:
    """A generic plan, pruned when it starts, and in order: no sort over all months."""
    PostgresMonths(connection, 400 * DAY).ensure(NOW - n * 30 * DAY for n in range(12))
    asked = {"entity_id": "'x'", "event_time": f"{NOW - 300 * DAY}", "ingested_at": f"{LATER}", "most": "1"}
    after = {"after_event": "'2026-01-31 12:00+00'", "after_ingested": "'2026-01-31 12:00+00'"}
    for number, sql in enumerate((_NEWEST, _OLDER)):
        statement, in_order = pg8000.native.to_statement(sql)
        with connection.use() as own:
            own.run(f"prepare asked_{number} as {statement}")
            rows = own.run(f"explain execute asked_{number}({', '.join(in_order(asked | after))})")
        plan = "\n".join(row[0] for row in rows)
        assert "Subplans Removed" in plan
        assert "Sort" not in plan
        assert "Merge Append" not in plan


def test_a_write_opens_only_the_months_it_brings(connection: PostgresConnection) -> None:
    """Looking for the same write in two years of months would cost more than all the rest of it."""
    PostgresMonths(connection, 400 * DAY).ensure(NOW - n * 30 * DAY for n in range(12))
    statement, in_order = pg8000.native.to_statement(_ONE_NOTED)
    values = {"entity_id": "'x'", "content": "'{}'", "keep": f"{400 * DAY}"}
    moments = dict.fromkeys(("event_time", "oldest", "newest"), f"{NOW - 100 * DAY}")
    with connection.use() as own:
        own.run(f"prepare put as {statement}")
        plan = [row[0] for row in own.run(f"explain execute put({', '.join(in_order(values | moments))})")]
    looks = [line for line in plan if "Scan" in line and "_pkey on history_" in line]
    assert len(looks) == 1, looks
