"""The job `batch`: a table of any length, or every Parquet file below an input, scored with a release's graph."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from training.batch import score_prefix
from training.jobs.channels import release_of, table_of
from training.jobs.container import Container
from training.jobs.parameters import count_of, flag_of
from training.progress import Progress

SHARDS, TABLE, REFUSED = "scored", "scored.parquet", "refused.csv"


def run(container: Container, progress: Progress) -> dict[str, Any]:
    """Score the input and return what was scored: one table, or a folder of shards under their own names.

    Raises:
        EbbError: as `training.batch.score_prefix`, or the release fails its checks.
    """
    with TemporaryDirectory(prefix=".work-", dir=container.work) as work:
        release = release_of(container.channels["release"], Path(work))
    data = container.channels["data"]
    source = data if flag_of(container.parameters, "shards") else table_of(data)
    out = SHARDS if source.is_dir() else TABLE
    told = score_prefix(
        release,
        source,
        container.results / out,
        workers=count_of(container.parameters, "workers") or 1,
        progress=progress,
        refused=container.results / REFUSED if flag_of(container.parameters, "refused") else None,
    )
    return {"release": release.name, "scored": out, **told}
