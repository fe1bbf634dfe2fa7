"""`ebb synthesize`: customers who never lived, to try everything with."""

from pathlib import Path
from typing import Annotated

import typer

from local.terminal import TerminalProgress, next_step, print_facts, print_json

_CONTRACT = "training/contracts/synthetic.toml"


def synthesize(
    rows: Annotated[int, typer.Option(min=1, max=99_999_999, help="How many customers.")],
    out: Annotated[Path, typer.Option(help="Folder for customers.parquet and truth.parquet.")],
    seed: Annotated[int, typer.Option(min=0, help="The same rows and seed give the same bytes.")] = 0,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Write a table of synthetic customers, and beside it their true probabilities.

    Example:  ebb synthesize --rows 100000 --out data/
    """
    from training.progress import Silent  # noqa: PLC0415 - keeps `ebb --help` quick
    from training.synthesize import synthesize as write  # noqa: PLC0415

    table = write(rows, seed, out, Silent() if as_json else TerminalProgress())
    facts = {"rows": rows, "seed": seed, "table": str(table), "truth": str(table.with_name("truth.parquet"))}
    if as_json:
        print_json({**facts, "contract": _CONTRACT})
        return
    print_facts(f"Synthesized {rows:,} customers", facts)
    if Path(_CONTRACT).exists():
        next_step(f"ebb train --contract {_CONTRACT} --data {table}")
    else:
        next_step(f"ebb init {table} --label churned --out synthetic.toml")
