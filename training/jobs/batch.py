"""The job `batch`: every Parquet file below an input scored with a release's graph."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from training.jobs.channels import release_of
from training.jobs.container import Container
from training.progress import Progress


def run(container: Container, progress: Progress) -> dict[str, Any]:
    """Score the prefix and return what was scored.

    Raises:
        EbbError: as `training.batch.score_prefix`, or the release fails its checks.
    """
    from training.batch import score_prefix  # noqa: PLC0415 - its readers and writers, for this job alone

    with TemporaryDirectory(prefix=".work-", dir=container.work) as work:
        release = release_of(container.channels["release"], Path(work))
    told = score_prefix(release, container.channels["data"], container.results, progress=progress)
    return {"release": release.name, **told}
