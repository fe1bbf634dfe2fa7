"""What a training is asked for, and what it made."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.evaluation.gates import Gate
from training.search import Budget


@dataclass(frozen=True)
class TrainOptions:
    """How to train.

    Attributes:
        budget: of the search; the default compares the shipped candidates.
        resume: a folder that keeps the search's trials: after an interrupt, the same call goes on with them.
        promote: whether the release becomes the champion; else it waits as the challenger.
        cheap: whether a cheap release is made beside the champion.
        registry_uri: address of an MLflow server or database; empty for the sqlite file beside the releases.
    """

    budget: Budget = field(default_factory=Budget)
    resume: Path | None = None
    promote: bool = True
    cheap: bool = True
    registry_uri: str = ""


@dataclass(frozen=True)
class TrainResult:
    """What a training made.

    Attributes:
        contract: the contract's name.
        version: the release's.
        folder: where the release lies.
        role: `champion`, or `challenger` where it was not promoted.
        cheap: version of the cheap release beside it; empty where there is none.
        run_id: MLflow run; empty where the registry was away.
        model_version: number in the registry; empty likewise.
        metrics: as in `metrics.json`.
        gates: every gate with its verdict.
        timings: seconds by step.
        notes: sentences worth saying to people.
        from_events: whether `ebb build` makes the tables of its contract.
    """

    contract: str
    version: str
    folder: Path
    role: str
    cheap: str
    run_id: str
    model_version: str
    metrics: dict[str, Any]
    gates: tuple[Gate, ...]
    timings: dict[str, float]
    notes: tuple[str, ...]
    from_events: bool = False

    @property
    def release(self) -> str:
        """`contract/version`."""
        return f"{self.contract}/{self.version}"
