"""What `ebb train` says when it is done."""

from pathlib import Path

import pytest

from local.commands.train import _print, _with_interval
from tests.fakes.cards import drafted
from training.outcome import TrainResult


def test_figures_stand_with_their_intervals() -> None:
    metrics = {"auc": 0.84721, "profit": 1234.5, "intervals": {"auc": {"low": 0.83, "high": 0.86}, "profit": None}}
    assert _with_interval(metrics, "auc", 4) == "0.8472 (0.8300 to 0.8600)"
    assert _with_interval(metrics, "profit", 2) == "1,234.50"


def test_the_summary_names_figures_card_and_notes(capsys: pytest.CaptureFixture[str]) -> None:
    draft = drafted()[0]
    result = TrainResult(
        contract="small",
        version=draft.version,
        folder=Path("releases/small") / draft.version,
        role="champion",
        cheap="",
        run_id="",
        model_version="",
        metrics=dict(draft.metrics),
        gates=(),
        timings={"fit": 1.0},
        notes=("a note", "warning: [bold]look[/bold]"),
    )
    _print(result)
    said = capsys.readouterr().out
    for part in (
        "AUC",
        f"{draft.metrics['auc']:.4f} (",
        "per entity, acting on",
        "card.html",
        "note: a note",
        "[bold]look",
    ):
        assert part in said
