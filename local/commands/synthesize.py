"""`ebb synthesize`: customers who never lived, to try everything with."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ebb.errors import Misuse
from local.terminal import TerminalProgress, next_step, print_facts, print_json

if TYPE_CHECKING:
    from training.progress import Progress
    from training.synthesize import Options, Synthesized

_CONTRACT = "training/contracts/synthetic.toml"
_EVENTS_CONTRACT = "training/contracts/synthetic_events.toml"
_MONTHS = 24


def synthesize(
    *,
    rows: Annotated[
        int | None, typer.Option(min=1, max=99_999_999, help="One table of so many customers, without events.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(help='Customers with events: bytes of parquet in all, such as "5GB".')
    ] = None,
    customers: Annotated[int | None, typer.Option(help="Customers with events: how many.")] = None,
    months: Annotated[int | None, typer.Option(help=f"Calendar months of events; {_MONTHS} where not said.")] = None,
    drift: Annotated[
        str | None, typer.Option(help='Month from which customers leave for other reasons, such as "13" or "13:0.5".')
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; one a processor where not said.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the files.")],
    seed: Annotated[int, typer.Option(min=0, help="The same options and seed give the same bytes.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Write synthetic customers, and beside them their true probabilities: a table, or months of events.

    Example:  ebb synthesize --rows 100000 --out data/
    Example:  ebb synthesize --size 5GB --months 24 --drift 19 --out data/world
    """
    from training.progress import Silent  # noqa: PLC0415 - keeps `ebb --help` quick

    if sum(way is not None for way in (rows, size, customers)) != 1:
        raise Misuse("say how much by one of --rows (a table), --size or --customers (events)")
    progress = Silent() if as_json else TerminalProgress()
    if rows is None:
        options = _options(size, customers, _MONTHS if months is None else months, drift, seed)
        if size is not None:
            options = _of_size(size, options, out, progress)
        _events(options, out, workers, progress, as_json=as_json)
        return
    for name, given in (("--months", months), ("--drift", drift), ("--workers", workers)):
        if given is not None:
            raise Misuse(f"{name} is for events: use it with --size or --customers, not with --rows")
    _table(rows, out, seed, progress, as_json=as_json)


def _table(rows: int, out: Path, seed: int, progress: "Progress", *, as_json: bool) -> None:
    from training.synthesize import synthesize as write  # noqa: PLC0415 - as above

    table = write(rows, seed, out, progress)
    facts = {"rows": rows, "seed": seed, "table": str(table), "truth": str(table.with_name("truth.parquet"))}
    if as_json:
        print_json({**facts, "contract": _CONTRACT})
        return
    print_facts(f"Synthesized {rows:,} customers", facts)
    if Path(_CONTRACT).exists():
        next_step(f"ebb train --contract {_CONTRACT} --data {table}")
    else:
        next_step(f"ebb init {table} --label churned --out synthetic.toml")


def _options(size: str | None, customers: int | None, months: int, drift: str | None, seed: int) -> "Options":
    """Return the options as they are told; of a size, for one customer."""
    from training.synthesize import Options, parse_drift  # noqa: PLC0415 - as above

    told = 1 if size is not None or customers is None else customers
    return Options(told, months, seed, None if drift is None else parse_drift(drift))


def _of_size(size: str, options: "Options", out: Path, progress: "Progress") -> "Options":
    """Return the options of so many customers as take a size: one shard of them is weighed."""
    from training.synthesize import customers_of, need_disk, parse_size  # noqa: PLC0415 - as above

    wanted = parse_size(size)
    need_disk(out, wanted)
    with progress.step("Weigh one shard", 1):
        return replace(options, customers=customers_of(wanted, options))


def _events(options: "Options", out: Path, workers: int | None, progress: "Progress", *, as_json: bool) -> None:
    from training.synthesize import synthesize_events  # noqa: PLC0415 - as above

    found = synthesize_events(options, out, workers, progress)
    facts = _facts(options, out, found)
    if as_json:
        print_json({**facts, "contract": _EVENTS_CONTRACT})
        return
    shown = {name: f"{value:,}" if isinstance(value, int) else value for name, value in facts.items()}
    print_facts(f"Synthesized {options.customers:,} customers of {options.months} months", shown)
    if Path(_EVENTS_CONTRACT).exists():
        at = f"--every month --from {facts['first_snapshot']} --until {facts['last_snapshot']} --labelled"
        next_step(
            f"ebb build --contract {_EVENTS_CONTRACT} --events {out / 'events'} {at} --out {out / 'table.parquet'}"
        )


def _facts(options: "Options", out: Path, found: "Synthesized") -> dict[str, Any]:
    from training.synthesize.seasons import moment  # noqa: PLC0415 - as above

    return {
        "customers": options.customers,
        "months": options.months,
        "seed": options.seed,
        "events": found.manifest["rows"]["events"],
        "bytes": sum(found.manifest["bytes"].values()),
        "shards_made": found.made,
        "peak_bytes_a_worker": found.peak,
        "first_snapshot": str(moment(min(2, options.months - 2)).astype("datetime64[D]")),
        "last_snapshot": str(moment(options.months - 2).astype("datetime64[D]")),
        "folder": str(out),
    }
