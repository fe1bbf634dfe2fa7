"""What a subject is told of what is held, part by part."""

import json
from collections.abc import Sequence
from typing import Any

from ebb.ports import FeatureRecord, HistoryRow
from ebb.store.compare import how

HISTORY_ROWS, HISTORY_BYTES = 10_000, 4_000_000
"""Of the history in one document: a function's answer ends at 6 MB."""

AGREES, COLD, AWAY = "agrees", "holds nothing", "does not answer"


def fitting(rows: Sequence[HistoryRow]) -> list[dict[str, Any]]:
    """Return the first rows, as many as one document holds, and at least one."""
    fitting: list[dict[str, Any]] = []
    size = 0
    for row in rows[:HISTORY_ROWS]:
        size += len(json.dumps(vars(row), ensure_ascii=False).encode())
        if fitting and size > HISTORY_BYTES:
            break
        fitting.append(vars(row))
    return fitting


def fast_state(fast: FeatureRecord | None, durable: FeatureRecord | None) -> str:
    """Say how the fast tier stands, compared with the durable one."""
    return COLD if fast is None else how(fast, durable) or AGREES


def record_document(record: FeatureRecord | None) -> dict[str, Any] | None:
    """Return a record for its subject: the salt is told to be there, but not told, since it unseals events."""
    if record is None:
        return None
    return {
        "version": record.version,
        "erased_at": record.erased_at,
        "salt": "held" if record.salt else "none",
        "features": features_document(record),
    }


def features_document(record: FeatureRecord) -> dict[str, Any]:
    """Return values and event times (epoch seconds) by feature, sorted by name."""
    return {
        name: {"value": value, "event_time": record.event_times.get(name)}
        for name, value in sorted(record.values.items())
    }
