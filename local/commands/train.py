"""`ebb train`: from a contract and a table to a release that serves."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ebb.errors import GateRefused
from local.commands.registry_options import MlflowUri
from local.commands.train_options import (
    PRICE_AN_HOUR,
    Dollars,
    Families,
    Price,
    Resume,
    Seconds,
    Trials,
    Workers,
)
from local.terminal import TerminalProgress, console, next_step, print_facts, print_json, print_table
from training.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.evaluation.gates import Gate
    from training.outcome import TrainResult


def train(
    contract: Annotated[Path, typer.Option(help="The contract, a TOML file.")],
    data: Annotated[Path, typer.Option(help="The labelled table, csv or parquet.")],
    out: Annotated[Path, typer.Option(help="The folder of releases.")] = Path("releases"),
    *,
    seconds: Seconds = None,
    dollars: Dollars = None,
    price: Price = PRICE_AN_HOUR,
    trials: Trials = None,
    workers: Workers = None,
    families: Families = "boosted,logistic",
    resume: Resume = None,
    mlflow: MlflowUri = "",
    promote: Annotated[
        bool, typer.Option(help="Whether the release becomes the champion, or waits as the challenger.")
    ] = True,
    cheap: Annotated[bool, typer.Option(help="Whether a cheap release is made beside the champion.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train, check and release: the release is the contract's champion, and serves from the next `ebb up` on.

    Nothing is written when a gate of the contract refuses it, when it is interrupted, or when the disk is full.

    Example: ebb train --contract training/contracts/telco.toml --data telco.csv --seconds 60 --out releases/
    """
    from training.pipeline import TrainOptions  # noqa: PLC0415 - takes seconds, and --help should not
    from training.pipeline import train as run  # noqa: PLC0415 - takes seconds, and --help should not
    from training.registry.address import check_uri  # noqa: PLC0415 - as above
    from training.search.budget import read_budget  # noqa: PLC0415 - as above

    try:
        budget = read_budget(seconds, dollars, price, trials=trials, workers=workers, families=families)
        check_uri(mlflow)
        options = TrainOptions(budget, resume, promote, cheap, mlflow)
        result = run(contract, data, out, Silent() if json else TerminalProgress(), options)
    except GateRefused as refused:
        if not json:
            _print_gates("Refused", refused.gates)
        raise
    if json:
        print_json(_as_json(result))
        return
    _print(result)
    next_step(*_steps(result, contract, data, out))


def _steps(result: "TrainResult", contract: Path, data: Path, out: Path) -> list[str]:
    served = "features.parquet" if result.from_events else data
    steps = [f"ebb up --release {result.folder.parent} --data {served} --detach"]
    if result.role == "challenger":
        steps.insert(0, f"ebb promote {result.release} --releases {out}")
    if result.from_events:
        steps.insert(0, f"ebb build --contract {contract} --events EVENTS --at latest --out {served}")
    return steps


def _as_json(result: "TrainResult") -> dict[str, Any]:
    return {
        "release": result.release,
        "folder": str(result.folder),
        "card": str(result.folder / "card.html"),
        "role": result.role,
        "cheap": result.cheap,
        "run_id": result.run_id,
        "model_version": result.model_version,
        "metrics": result.metrics,
        "seconds": result.timings,
        "notes": result.notes,
    }


def _print(result: "TrainResult") -> None:
    _print_gates(f"Release {result.release}", result.gates)
    metrics = result.metrics
    print_facts(
        "Out of fold",
        {
            "rows": f"{metrics['rows']:,}, {metrics['class_rate']:.1%} positive",
            "AUC": _with_interval(metrics, "auc", 4),
            "Brier, log loss": f"{metrics['brier']:.4f}, {metrics['log_loss']:.4f}",
            "profit": f"{_with_interval(metrics, 'profit', 2)} {metrics['money']['currency']} per entity, "
            f"acting on {metrics['acted_on']:.1%}",
            "chosen": f"{metrics['search']['chosen']['name']} ({len(metrics['search']['trials'])} tried)",
            "role": result.role,
            "cheap release": result.cheap or "none",
            "registered": f"MLflow version {result.model_version}" if result.model_version else "no",
            "card": result.folder / "card.html",
            "seconds": f"{sum(result.timings.values()):.1f}",
        },
    )
    for note in result.notes:
        if note.startswith("warning: "):
            console.print(note, style="bold yellow", markup=False)
        else:
            console.print(f"note: {note}", markup=False)


def _with_interval(metrics: dict[str, Any], name: str, places: int) -> str:
    """Return a figure, and in brackets where it lies on other rows, if that is known."""
    told, interval = f"{metrics[name]:,.{places}f}", metrics["intervals"][name]
    return told if interval is None else f"{told} ({interval['low']:,.{places}f} to {interval['high']:,.{places}f})"


def _print_gates(title: str, gates: "Sequence[Gate]") -> None:
    from training.card import figure  # noqa: PLC0415 - as above

    if gates:
        rows = [(gate.name, figure(gate.value), _asked(gate, figure(gate.limit)), gate.verdict) for gate in gates]
        print_table(title, ("gate", "reached", "asked", "verdict"), rows)


def _asked(gate: "Gate", limit: str) -> str:
    return "-" if gate.limit is None else f"{'≥' if gate.at_least else '≤'} {limit}"
