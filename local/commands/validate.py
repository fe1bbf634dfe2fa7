"""`ebb validate`: whether a table fits its contract, may be learned from, and looks like what a release was made of."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ebb.errors import NoRelease, ReleaseError
from local.terminal import TerminalProgress, console, next_step, print_json, print_table

if TYPE_CHECKING:
    from ebb.contract import Contract
    from ebb.release.reference import Reference
    from training.validation import Validation
    from training.validation.expected import Verdict
    from training.validation.question import Question


def validate(  # noqa: PLR0917 - Typer tells options by their names
    data: Annotated[Path, typer.Argument(help="The table: csv, parquet, or a folder of parquet.")],
    contract: Annotated[Path, typer.Option(help="The contract, a TOML file.")],
    reference: Annotated[Path | None, typer.Option(help="Folder of a release: drift is judged against it.")] = None,
    docs: Annotated[Path | None, typer.Option(help="Folder that the data docs are written to.")] = None,
    test: Annotated[Path | None, typer.Option(help="The table to test on, held against DATA.")] = None,
    outcome_time: Annotated[str, typer.Option(help="Column that says when the outcome happened.")] = "",
    *,
    unlabelled: Annotated[
        bool, typer.Option("--unlabelled", help="The table is to be scored, not learned from.")
    ] = False,
    profile: Annotated[
        bool | None,
        typer.Option("--profile/--rows", help="Judge a profile of all rows, or the rows; default: by size."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Print what holds, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Hold a table against what its contract expects. Exit code 1 when something critical was found.

    Example:  ebb validate customers.csv --contract churn.toml --reference releases/churn/ba9876543210 --docs docs/
    """
    from training.contract_file import read_contract  # noqa: PLC0415 - keeps `ebb --help` quick
    from training.progress import Silent  # noqa: PLC0415 - as above
    from training.validation.question import Question  # noqa: PLC0415 - as above
    from training.validation.table import validate_table  # noqa: PLC0415 - as above

    parsed, _ = read_contract(contract)
    question = Question(
        parsed,
        None if reference is None else _reference(reference, parsed),
        labelled=not unlabelled,
        profiled=profile,
        docs=docs is not None,
        outcome_time=outcome_time,
        test=test,
    )
    found = validate_table(data, question, Silent() if as_json else TerminalProgress())
    pages = [] if docs is None else _write(found, docs)
    if as_json:
        print_json({**_as_json(found), "docs": [str(page) for page in pages]})
    else:
        _print(found, pages, every=every)
        _next(found, question, data, contract)
    if found.critical:
        raise typer.Exit(1)


def _reference(folder: Path, contract: "Contract") -> "Reference":
    from local.serving.release import find_release  # noqa: PLC0415 - loads the graph's runtime

    loaded = find_release(folder).release
    if loaded is None:
        raise NoRelease(f"{folder} holds no release: train one with `ebb train`")
    if loaded.contract.name != contract.name:
        raise ReleaseError(f"{folder} is a release of {loaded.contract.name!r}, but the contract is {contract.name!r}")
    return loaded.reference


def _write(found: "Validation", folder: Path) -> list[Path]:
    from ebb.synced import replaced  # noqa: PLC0415 - only where docs are asked for

    folder.mkdir(parents=True, exist_ok=True)
    for name, content in found.docs.items():
        with replaced(folder / name) as beside:
            beside.write_bytes(content)
    return [folder / name for name in found.docs]


def _as_json(found: "Validation") -> dict[str, Any]:
    return {
        "rows": found.rows,
        "engine": found.engine,
        "critical": found.critical,
        "findings": [finding.__dict__ for finding in found.findings],
        "expectations": [
            {
                "expectation": verdict.expected.kind.value,
                "column": verdict.expected.column,
                "severity": verdict.expected.severity,
                "observed": verdict.observed,
                "minimum": verdict.expected.minimum,
                "maximum": verdict.expected.maximum,
                "passed": verdict.passed,
            }
            for verdict in found.verdicts
        ],
    }


def _print(found: "Validation", pages: list[Path], *, every: bool) -> None:
    from training.validation.words import asked, observed  # noqa: PLC0415 - as above

    shown = [verdict for verdict in found.verdicts if every or not verdict.passed]
    if shown:
        rows = [(v.expected.kind.value, v.expected.column, observed(v), asked(v.expected), _verdict(v)) for v in shown]
        print_table("Expectations", ("expectation", "column", "observed", "asked", "verdict"), rows)
    holds = sum(verdict.passed for verdict in found.verdicts)
    console.print(f"{holds:,} of {len(found.verdicts):,} expectations hold on {found.rows:,} rows ({found.engine}).")
    if found.findings:
        told = [(f.severity, f.column, f.reason, f"{f.count:,}") for f in found.findings]
        print_table("Found", ("severity", "column", "what", "count"), told)
    for page in pages:
        console.print(f"data docs: {page}", markup=False)


def _verdict(verdict: "Verdict") -> str:
    return "holds" if verdict.passed else verdict.expected.severity


def _next(found: "Validation", question: "Question", data: Path, contract: Path) -> None:
    if found.critical:
        next_step(f"ebb validate {data} --contract {contract}  (after the critical findings are mended)")
    elif found.events:
        next_step(f"ebb build --contract {contract} --events {data} --at latest --out table.parquet")
    elif question.labelled:
        next_step(f"ebb train --contract {contract} --data {data}")
    else:
        next_step(f"ebb score --data {data} --out scored{data.suffix}")
