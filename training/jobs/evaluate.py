"""The job `evaluate`: what a release is worth on a labelled table."""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ebb.errors import DataError
from training.dataset import read_dataset
from training.evaluation.evaluate import evaluate
from training.jobs.channels import release_of, table_of
from training.jobs.container import Container
from training.jobs.results import write_json
from training.progress import Progress

EVALUATION = "evaluation.json"
_ROWS = 20_000


def run(container: Container, progress: Progress) -> dict[str, Any]:
    """Score the table with the release's graph, judge it and write the evaluation.

    Raises:
        DataError: the table does not fit the release's contract, or has one class only.
        ReleaseError: there is no release, or it fails its checks.
    """
    with TemporaryDirectory(prefix=".work-", dir=container.work) as work:
        release = release_of(container.channels["release"], Path(work))
    table = table_of(container.channels["data"])
    dataset = read_dataset(table, release.contract, progress=progress)
    labels = dataset.labels
    if labels is None or not 0 < int(labels.sum()) < dataset.rows:
        raise DataError(f"{table.name} needs rows with and without the outcome to judge a release by: bring both")
    parts = []
    with progress.step("Score", dataset.rows) as done:
        for start in range(0, dataset.rows, _ROWS):
            parts.append(release.scorer.score(dataset.inputs.rows(slice(start, start + _ROWS))))
            done(len(parts[-1]))
    probabilities = np.concatenate(parts).astype(np.float64)
    found = asdict(evaluate(release.contract, dataset.inputs, labels, probabilities, groups=dataset.groups))
    seen = release.manifest.data_sha256 == dataset.sha256
    write_json(container.results / EVALUATION, {"release": release.name, "trained_on": seen, **found})
    return {"release": release.name, "rows": dataset.rows, "auc": found["auc"], "trained_on": seen}
