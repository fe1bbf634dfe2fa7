"""The same SQL for Athena: each file's own text, with the relations of one snapshot before it."""

from dataclasses import replace
from datetime import datetime

from training.events.plan import Plan
from training.events.relations import EventColumns, entities, events_before, events_within, snapshots


def athena_text(
    plan: Plan, file: str, snapshot: datetime, *, columns: EventColumns, table: str, features: str = ""
) -> str:
    """Return what Athena runs for one file on one snapshot.

    Args:
        plan: has the file.
        file: name of a feature set's SQL file, or of the label's.
        snapshot: with a zone.
        columns: of the events, by DuckDB's types (`source.open_events` on a sample of them).
        table: the events in Athena, such as `shop.events`.
        features: for the label alone: the table of `entity_id` and `snapshot_time` that the feature sets made.

    Raises:
        KeyError: the plan has no such file.
    """
    # What a sample names, all of the table need not.
    columns = replace(columns, complete=False)
    if plan.label is not None and file == plan.events.label:
        return plan.label.to_athena(_of_label(plan, snapshot, columns, table, features))
    given = {"events": events_before(columns, table, snapshot), "snapshots": snapshots(snapshot)}
    return plan.sets[file].to_athena(given)


def _of_label(plan: Plan, snapshot: datetime, columns: EventColumns, table: str, features: str) -> dict[str, str]:
    days = plan.contract.label.window_days
    return {
        "events": events_within(columns, table, snapshot, days),
        "entities": entities(features, snapshot),
    }
