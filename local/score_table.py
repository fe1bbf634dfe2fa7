"""A whole table scored with the release's own graph: the same bits as over HTTP."""

from pathlib import Path
from typing import Any

from ebb.release.load import LoadedRelease
from training.batch import score_prefix
from training.progress import Progress


def score_table(
    release: LoadedRelease,
    data: Path,
    out: Path,
    progress: Progress,
    *,
    workers: int = 1,
    refused: Path | None = None,
) -> dict[str, Any]:
    """Score every row of a file or of a folder of parquet; see `training.batch.score_prefix`.

    Args:
        release: what scores.
        data: csv, parquet or a folder of parquet; a label column is not needed.
        out: a file for a file, a folder for a folder.
        progress: told of the rows.
        workers: processes side by side.
        refused: where rows go that the contract refuses; without it they refuse the table.

    Returns:
        What `score_prefix` returns.

    Raises:
        EbbError: see `score_prefix`.
    """
    return score_prefix(release, data, out, workers=workers, progress=progress, refused=refused)
