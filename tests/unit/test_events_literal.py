"""The snapshot's time written into the SQL: less is read, and the answer is the one that the join would have given."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ebb.errors import Misuse
from training.events import parse_snapshots
from training.events.portable import read_sql, translate
from training.events.relations import FEATURES, EventColumns, events_before, moment, snapshots

CONTRACTS = Path(__file__).resolve().parents[2] / "training" / "contracts"
SNAPSHOT = datetime(2024, 3, 1, tzinfo=UTC)
EVENTS = {"entity_id": "BIGINT", "event_time": "TIMESTAMP", "amount": "INTEGER", "kind": "VARCHAR"}
SNAPSHOTS = {"snapshot_time": "TIMESTAMP"}
INSIDE = "e.event_time >= s.snapshot_time - INTERVAL '60' DAY AND e.event_time < s.snapshot_time"
QUERIES = {
    "grouped": """SELECT e.entity_id, s.snapshot_time, SUM(e.amount) AS n FROM snapshots AS s JOIN events AS e ON INSIDE
        WHERE e.kind = 'a' OR e.kind = 'b' GROUP BY e.entity_id, s.snapshot_time""",
    "counted": """SELECT e.entity_id, s.snapshot_time, COUNT(*) AS n FROM events e CROSS JOIN snapshots s WHERE INSIDE
        GROUP BY 1, 2 HAVING COUNT(*) > 3""",
    "by the moment alone": """SELECT s.snapshot_time, COUNT(*) AS n FROM snapshots AS s JOIN events AS e ON INSIDE
        WHERE e.kind = 'nobody' GROUP BY s.snapshot_time""",
    "outer": """SELECT s.snapshot_time, COUNT(e.entity_id) AS n FROM snapshots AS s LEFT JOIN events AS e ON INSIDE
        AND e.kind = 'nobody' GROUP BY s.snapshot_time""",
    "alone": "SELECT snapshot_time FROM snapshots",
    "twice": """SELECT a.snapshot_time, e.entity_id FROM snapshots a JOIN snapshots b
        ON a.snapshot_time = b.snapshot_time JOIN events e ON e.event_time < b.snapshot_time""",
    "of a WITH": """WITH p AS (SELECT e.*, s.snapshot_time FROM snapshots s JOIN events e ON INSIDE)
        SELECT entity_id, snapshot_time, MAX(event_time) AS m,
            ROW_NUMBER() OVER (PARTITION BY snapshot_time ORDER BY entity_id) AS n
        FROM p GROUP BY entity_id, snapshot_time""",
    "its own name": """WITH s AS (SELECT 1 AS snapshot_time)
        SELECT e.entity_id, s.snapshot_time FROM s CROSS JOIN events e""",
}


@pytest.fixture
def engine() -> duckdb.DuckDBPyConnection:
    random = np.random.default_rng(0)
    made = duckdb.connect()
    made.execute("CREATE TABLE raw (entity_id BIGINT, event_time TIMESTAMP, amount INTEGER, kind VARCHAR)")
    rows = [
        (int(who), SNAPSHOT.replace(tzinfo=None) - timedelta(days=float(age)), int(amount), str(kind))
        for who, age, amount, kind in zip(
            random.integers(0, 40, 900), random.uniform(-30, 120, 900), random.integers(-5, 90, 900),
            random.choice(["a", "b", "c"], 900), strict=True,
        )
    ]  # fmt: skip
    made.executemany("INSERT INTO raw VALUES (?, ?, ?, ?)", rows)
    before = events_before(EventColumns(EVENTS, "entity_id", "event_time"), "raw", SNAPSHOT)
    made.execute(f"CREATE VIEW events AS {translate(before)}")
    made.execute(f"CREATE VIEW snapshots AS {translate(snapshots(SNAPSHOT))}")
    return made


@pytest.mark.parametrize("name", QUERIES)
def test_the_answer_is_that_of_the_join(engine: duckdb.DuckDBPyConnection, name: str) -> None:
    query = read_sql(QUERIES[name].replace("INSIDE", INSIDE), name, FEATURES)
    relations = {"events": EVENTS, "snapshots": SNAPSHOTS}
    joined = engine.execute(query.to_duckdb(relations)).fetchall()
    literal = engine.execute(query.to_duckdb(relations, moment(SNAPSHOT))).fetchall()
    assert sorted(literal) == sorted(joined)


@pytest.mark.parametrize(("name", "gone"), [("grouped", True), ("counted", True), ("outer", False), ("alone", False)])
def test_inner_joins_alone_become_literals(name: str, *, gone: bool) -> None:
    text = read_sql(QUERIES[name].replace("INSIDE", INSIDE), name, FEATURES).to_duckdb(
        {"events": EVENTS, "snapshots": SNAPSHOTS}, moment(SNAPSHOT)
    )
    assert ("snapshots" not in text) is gone


def test_the_shipped_sql_reads_no_snapshots() -> None:
    names = "kind cents megabytes quality score contract_term payment_method internet_service plan city tenure_months"
    names += " population_group age household_size credit_score autopay family_plan"
    events = {"entity_id": "BIGINT", "event_time": "TIMESTAMP", **dict.fromkeys(names.split(), "INTEGER")}
    for file in ("synthetic_events_use.sql", "synthetic_events_account.sql"):
        query = read_sql((CONTRACTS / file).read_text(), file, FEATURES)
        text = query.to_duckdb({"events": events, "snapshots": SNAPSHOTS}, moment(SNAPSHOT))
        assert '"snapshots"' not in text, file


def test_snapshots_of_each_month() -> None:
    found = parse_snapshots(None, "month", "2023-11-01", "2024-02-15")
    assert [f"{when:%Y-%m-%d}" for when in found] == ["2023-11-01", "2023-12-01", "2024-01-01", "2024-02-01"]
    assert len(parse_snapshots(None, "month", "2023-11-28T06:00", "2024-01-28T05:00")) == 2
    with pytest.raises(Misuse, match="not every month has a day 31"):
        parse_snapshots(None, "month", "2023-10-31", "2024-02-15")
    with pytest.raises(Misuse, match="is before"):
        parse_snapshots(None, "month", "2024-03-01", "2024-02-15")
    with pytest.raises(Misuse, match=r"is before|no snapshot"):
        parse_snapshots(None, "month", "2024-02-20T12:00", "2024-02-20T11:00")
    with pytest.raises(Misuse, match="more than 1,000 snapshots"):
        parse_snapshots(None, "month", "1900-01-01", "2024-02-15")
