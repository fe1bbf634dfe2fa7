"""A release held against a table whose outcomes are known: what it is worth on these rows."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ebb.errors import DataError
from ebb.release.load import LoadedRelease
from training.dataset import read_dataset
from training.evaluation.evaluate import evaluate
from training.evaluation.leakage import single_aucs
from training.evaluation.model import Evaluation
from training.evaluation.robustness import robustness
from training.fit import code
from training.progress import Progress

_ROWS = 20_000
_SAME_ROWS = (
    "the release was trained on exactly these rows, so its answers flatter it: its metrics.json has the out-of-fold "
    "figures"
)


@dataclass(frozen=True)
class Judged:
    """What a release is worth on a table.

    Attributes:
        release: `contract/version`.
        evaluation: of its answers.
        seen: whether it was trained on exactly these rows.
        notes: sentences worth saying to people.
    """

    release: str
    evaluation: Evaluation
    seen: bool
    notes: tuple[str, ...]

    def document(self) -> Mapping[str, Any]:
        """Return it as JSON: the names of `metrics.json`, and `release`, `seen` and `notes` beside them."""
        figures = asdict(self.evaluation)
        for judged, told in zip(self.evaluation.fairness, figures["fairness"], strict=True):
            told["gap"] = judged.gap
        return {"release": self.release, "seen": self.seen, **figures, "notes": list(self.notes)}


def judge_table(release: LoadedRelease, data: Path, progress: Progress) -> Judged:
    """Score every row of a labelled table with the release's graph and judge the answers.

    Args:
        release: what scores.
        data: csv or parquet with the label's column.
        progress: told of the rows.

    Raises:
        DataError: the table does not fit the contract, has no labels, or only those of one class.
    """
    contract = release.contract
    dataset = read_dataset(data, contract, labelled=True, progress=progress)
    if dataset.labels is None or not len(dataset.labels):
        raise DataError(f"{data} has no rows with a label: a release is judged on known outcomes")
    parts = []
    with progress.step(f"Score with {release.name}", len(dataset.inputs)) as done:
        for start in range(0, len(dataset.inputs), _ROWS):
            parts.append(release.scorer.score(dataset.inputs.rows(slice(start, start + _ROWS))))
            done(len(parts[-1]))
    probabilities = np.concatenate(parts).astype(np.float64)
    with progress.step("Judge the answers", 1) as done:
        coded = code(dataset.inputs)
        telling = single_aucs(coded, dataset.labels)
        found = evaluate(contract, coded, dataset.labels, probabilities, groups=dataset.groups, importance=telling)
        strained = robustness(contract, dataset.inputs, dataset.labels, release.scorer, importance=telling)
        done(1)
    seen = dataset.sha256 == release.manifest.data_sha256
    notes = (*dataset.notes, *([_SAME_ROWS] if seen else []))
    return Judged(release.name, replace(found, robustness=strained), seen, notes)
