"""The job `evaluate`: what a release is worth on a labelled table."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from training.evaluation.table import judge_table
from training.jobs.channels import release_of, table_of
from training.jobs.container import Container
from training.jobs.results import write_json
from training.progress import Progress

EVALUATION = "evaluation.json"


def run(container: Container, progress: Progress) -> dict[str, Any]:
    """Score the table with the release's graph, judge it and write the evaluation.

    Raises:
        DataError: the table does not fit the release's contract, or has one class only.
        ReleaseError: there is no release, or it fails its checks.
    """
    with TemporaryDirectory(prefix=".work-", dir=container.work) as work:
        release = release_of(container.channels["release"], Path(work))
    judged = judge_table(release, table_of(container.channels["data"]), progress)
    write_json(container.results / EVALUATION, judged.document())
    found = judged.evaluation
    return {"release": judged.release, "rows": found.rows, "auc": found.auc, "seen": judged.seen}
