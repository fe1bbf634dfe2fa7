"""`ebb init`: a first contract from a table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ebb.errors import Misuse
from local.terminal import console, next_step, plain, print_json, print_table

if TYPE_CHECKING:
    from training.describe import Description, Guess


def init(
    data: Annotated[Path, typer.Argument(help="The table: csv, parquet, or a folder of parquet files.")],
    label: Annotated[str, typer.Option(help="Column of the yes/no outcome.")],
    out: Annotated[Path, typer.Option(help="Where the contract goes.")],
    *,
    entity: Annotated[str | None, typer.Option(help="Key column; guessed when not given.")] = None,
    positive: Annotated[str | None, typer.Option(help="The outcome's value that means yes; guessed likewise.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the contract; default: the contract file's name.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a contract that is already there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Write a first contract from a table, with honest guesses to be reviewed.

    Example:  ebb init customers.csv --label Churn --out customers.toml
    """
    from training.dataset import read_table  # noqa: PLC0415 - keeps `ebb --help` quick
    from training.describe import describe, render, write_contract  # noqa: PLC0415
    from training.describe.names import contract_name  # noqa: PLC0415

    if out.exists() and not force:
        raise Misuse(f"{out} is already there, perhaps reviewed: use --force to replace it, or name another file")
    title = contract_name(name or out.stem)
    described = describe(
        read_table(data), label.strip(), entity=entity, positive=positive, name=title, source=str(data)
    )
    write_contract(out, render(described))
    if as_json:
        print_json({"contract": out, **_summary(described)})
        return
    _show(described)
    console.print(f"Written: {out}", markup=False)
    next_step(f"review {out}: each line marked REVIEW or LEAK", f"ebb train --contract {out} --data {data}")


def _summary(described: "Description") -> dict[str, Any]:
    return {
        "name": described.name,
        "rows": described.rows,
        "label": {"column": described.label.column, "positive": described.label.positive},
        "positive_rate": described.positive_rate,
        "entity": described.entity,
        "event_time": described.event_time,
        "features": [
            {
                "name": guess.feature.name,
                "column": guess.feature.column,
                "kind": guess.feature.kind,
                "missing_rate": guess.missing_rate,
                "leak": guess.leak,
                "gives_away": guess.gives,
                "known_afterwards": guess.afterwards,
                "written": guess.feature.written,
                "told": guess.told,
            }
            for guess in described.guesses
        ],
        "left_out": {left.column: left.reason for left in described.left_out},
    }


def _show(described: "Description") -> None:
    label = described.label
    title = f"{described.rows:,} rows, {described.positive_rate:.1%} with {label.column} = {label.positive}"
    rows: list[tuple[str, ...]] = [
        (guess.feature.column, guess.feature.kind, _values(guess), f"{guess.missing_rate:.1%}", _notes(guess))
        for guess in described.guesses
    ]
    rows += [(left.column, "-", "-", "-", f"left out: {left.reason}") for left in described.left_out]
    print_table(title, ("column", "kind", "values", "missing", "notes"), rows)
    key = described.entity or "the 1-based row number"
    console.print(f"Entity: {plain(key)} ({plain(described.entity_told)})")
    if described.event_time is not None:
        console.print(f"Event time: {plain(described.event_time)} (each entity has one row a moment)")
    late = [guess.feature.column for guess in described.guesses if guess.leak or guess.gives or guess.afterwards]
    if late:
        console.print(
            f"Known only after the outcome? {plain(', '.join(late))}: no test can tell; remove what is",
            style="bold yellow",
        )
    dates = [left.column for left in described.left_out if left.feature is not None]
    if dates:
        console.print(f"Dates left out until you decide: {plain(', '.join(dates))}", style="bold yellow")


def _values(guess: "Guess") -> str:
    feature = guess.feature
    if feature.categories:
        return f"{len(feature.categories)} categories"
    if feature.minimum is not None and feature.maximum is not None:
        return f"{feature.minimum:g} to {feature.maximum:g}"
    return "0 or 1" if feature.kind == "flag" else "any"


def _notes(guess: "Guess") -> str:
    marks = [mark for mark in ("protected", "personal") if getattr(guess.feature, mark)]
    if guess.leak or guess.gives:
        marks.insert(0, next(told for told in guess.told if told.startswith("LEAK?")).split(": is it")[0])
    if guess.afterwards:
        marks.append("known only afterwards?")
    if guess.feature.written != "plain":
        marks.append(f"written {guess.feature.written.value}")
    return ", ".join(marks)
