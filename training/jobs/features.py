"""The job `features`: `ebb build` over the events of an input."""

from pathlib import Path
from typing import Any

from training.events import build_table, parse_snapshots
from training.jobs.channels import contract_of
from training.jobs.container import Container
from training.jobs.parameters import flag_of, text_of
from training.progress import Progress

TABLE = "features.parquet"


def run(container: Container, progress: Progress) -> dict[str, Any]:
    """Build the table and return what was built.

    Raises:
        EbbError: as `training.events.build_table`.
    """
    given = container.parameters
    moments = parse_snapshots(*(text_of(given, name) for name in ("at", "every", "from", "until")))
    built = build_table(
        contract_of(container.channels["contract"]),
        _events(container.channels["events"]),
        moments,
        container.results / TABLE,
        labelled=flag_of(given, "labelled"),
        progress=progress,
    )
    return {
        "table": TABLE,
        "rows": sum(built.rows.values()),
        "snapshots": {when.isoformat(): rows for when, rows in built.rows.items()},
        "events": built.events,
        "seconds": built.seconds,
        "notes": built.notes,
    }


def _events(channel: Path) -> Path:
    """Return the one file of a channel, or the channel where there are many."""
    files = [path for path in channel.rglob("*") if path.is_file()]
    return files[0] if len(files) == 1 else channel
