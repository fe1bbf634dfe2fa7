"""`ebb build`: from events to a table of features, as of one snapshot or several."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ebb.errors import Misuse
from local.terminal import TerminalProgress, console, next_step, print_facts, print_json, print_table

if TYPE_CHECKING:
    from training.events import Built


def build(
    *,
    contract: Annotated[Path, typer.Option(help="The contract, which names its events; its SQL lies beside it.")],
    events: Annotated[Path, typer.Option(help="The events: parquet or csv, a file or a folder.")],
    out: Annotated[Path, typer.Option(help="The parquet file to write.")],
    at: Annotated[
        str | None, typer.Option(help='Snapshots, with commas between, UTC where no zone is said; or "latest".')
    ] = None,
    every: Annotated[str | None, typer.Option(help='Time between snapshots, such as "30d", or "month".')] = None,
    start: Annotated[str | None, typer.Option("--from", help="The first snapshot, with --every.")] = None,
    until: Annotated[str | None, typer.Option(help="The last snapshot, with --every.")] = None,
    labelled: Annotated[bool, typer.Option("--labelled", help="Build the outcome too, to learn from.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Build a contract's features from events, as they were known at each snapshot.

    No event at or after a snapshot moves a feature; the outcome alone looks beyond, and only where it is mature.

    Example:  ebb build --contract shop.toml --events orders.parquet --at 2011-09-10 --labelled --out train.parquet
    """
    from training.events import build_table, parse_snapshots  # noqa: PLC0415 - keeps `ebb --help` quick
    from training.progress import Silent  # noqa: PLC0415 - as above

    if out.suffix != ".parquet":
        raise Misuse(f"--out {out}: must end in .parquet")
    moments = parse_snapshots(at, every, start, until)
    progress = Silent() if as_json else TerminalProgress()
    built = build_table(contract, events, moments, out, labelled=labelled, progress=progress)
    if as_json:
        print_json(_as_json(built))
        return
    _print(built)
    if labelled:
        next_step(f"ebb train --contract {contract} --data {out}")
    elif len(built.rows) == 1:
        next_step(f"ebb up --release releases/{built.contract} --data {out} --detach")


def _as_json(built: "Built") -> dict[str, Any]:
    return {
        "table": built.out,
        "rows": sum(built.rows.values()),
        "snapshots": {when.isoformat(): rows for when, rows in built.rows.items()},
        "events": built.events,
        "first_event": built.first.isoformat(),
        "last_event": built.last.isoformat(),
        "seconds": built.seconds,
        "notes": built.notes,
    }


def _print(built: "Built") -> None:
    from training.events.snapshots import told  # noqa: PLC0415 - as above

    print_table("Built", ("snapshot (UTC)", "rows"), [(told(when), f"{rows:,}") for when, rows in built.rows.items()])
    facts = {
        "events": f"{built.events:,}, {told(built.first)} to {told(built.last)}",
        "table": built.out,
        "seconds": ", ".join(f"{name} {seconds:.2f}" for name, seconds in built.seconds.items()),
    }
    print_facts("From", facts)
    for note in built.notes:
        console.print(f"note: {note}", markup=False)
