"""A tiny shop: its events, the contract and the SQL that build features from them, and the same features by hand."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SNAPSHOT = datetime(2024, 3, 10, tzinfo=UTC)
WINDOW = timedelta(days=10)
Event = tuple[str | None, timedelta, int, str]
"""Who, when (from the snapshot), how many (negative: sent back), where."""

CONTRACT = """\
name = "shop"
description = "Who does not come back"

[entity]
column = "customer"

[label]
column = "gone"
positive = "true"
window_days = 10

[events]
entity = "who"
time = "at"
label = "gone.sql"

[decision]
action_cost = 1
retained_value = 20
success_rate = 0.5
currency = "EUR"

[gates]
min_auc = 0.5
max_calibration_error = 0.9

[rules]
base = 0.2

[[features]]
name = "visits"
kind = "integer"
sql = "visits.sql"

[[features]]
name = "returned"
kind = "number"
missing = true
sql = "returned.sql"

[[features]]
name = "days_since"
kind = "number"
sql = "visits.sql"

[[features]]
name = "city"
kind = "category"
sql = "visits.sql"
"""
VISITS = """\
SELECT
    e.entity_id,
    s.snapshot_time,
    COUNT(*) AS visits,
    DATE_DIFF('second', MAX(e.event_time), s.snapshot_time) / 86400E0 AS days_since,
    MAX(e.city) AS city
FROM snapshots AS s
JOIN events AS e ON e.event_time < s.snapshot_time
GROUP BY e.entity_id, s.snapshot_time
"""
RETURNED = """\
SELECT e.entity_id, s.snapshot_time, -SUM(e.amount) AS returned
FROM snapshots AS s JOIN events AS e ON e.event_time < s.snapshot_time
WHERE e.amount < 0
GROUP BY e.entity_id, s.snapshot_time
"""
GONE = """\
SELECT c.entity_id, c.snapshot_time, COUNT(e.amount) = 0 AS gone
FROM entities AS c
LEFT JOIN events AS e ON e.entity_id = c.entity_id AND e.amount > 0
GROUP BY c.entity_id, c.snapshot_time
"""
FAR: Event = ("far", timedelta(days=30), 1, "x")
"""Makes the snapshot mature."""


def write_shop(folder: Path, **files: str) -> Path:
    """Write contract and SQL, some of it replaced (`contract`, `visits`, `returned`, `gone`); return the contract."""
    texts = {"visits": VISITS, "returned": RETURNED, "gone": GONE} | files
    contract = texts.pop("contract", CONTRACT)
    for name, text in texts.items():
        (folder / f"{name}.sql").write_text(text)
    path = folder / "shop.toml"
    path.write_text(contract)
    return path


def write_events(path: Path, events: Sequence[Event], **columns: Any) -> Path:
    """Write events as parquet; `columns` replace or add arrow arrays."""
    table = {
        "who": pa.array([who for who, *_ in events], pa.string()),
        "at": pa.array([(SNAPSHOT + when).replace(tzinfo=None) for _, when, *_ in events], pa.timestamp("us")),
        "amount": pa.array([amount for *_, amount, _ in events], pa.int64()),
        "city": pa.array([city for *_, city in events], pa.string()),
    }
    pq.write_table(pa.table(table | columns), path)
    return path


def by_hand(events: Iterable[Event]) -> dict[str, tuple[Any, ...]]:
    """Return visits, returned, days_since, city and gone of each customer, as of the snapshot."""
    own: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event[0] is not None:
            own[event[0]].append(event)
    return {who: _row(theirs) for who, theirs in own.items() if any(when < timedelta(0) for _, when, *_ in theirs)}


def _row(events: list[Event]) -> tuple[Any, ...]:
    before = [event for event in events if event[1] < timedelta(0)]
    within = [event for event in events if timedelta(0) <= event[1] < WINDOW]
    back = [-amount for *_, amount, _ in before if amount < 0]
    latest = max(when for _, when, *_ in before)
    return (
        len(before),
        float(sum(back)) if back else None,
        -latest.total_seconds() / 86400,
        max(city for *_, city in before),
        not any(amount > 0 for *_, amount, _ in within),
    )


def rows_of(table: Path) -> dict[str, tuple[Any, ...]]:
    """Return the rows of a built table by customer, without the snapshot."""
    rows = pq.read_table(table).to_pylist()
    names = ("visits", "returned", "days_since", "city", "gone")
    return {row["customer"]: tuple(row.get(name) for name in names) for row in rows}
