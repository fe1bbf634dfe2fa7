"""A run's results brought to where they were asked for: whole, or not at all."""

import os
import shutil
import tarfile
from pathlib import Path

from ebb.errors import Unavailable
from ebb.synced import sync
from local.jobs.request import JobRequest
from local.jobs.tree import results

MODEL, OUTPUT = "model.tar.gz", "output.tar.gz"


def upload(request: JobRequest, root: Path) -> Path:
    """Bring the results to `<target>/<name>/output`, as SageMaker lays them out.

    A training's are `model.tar.gz` and, where it left anything there, `output.tar.gz`; a processing's are its files.
    Hidden ones stay behind: they are of writes that never ended.

    Returns:
        The folder.

    Raises:
        Unavailable: it cannot be written; nothing of it is seen.
    """
    place = request.target.absolute() / request.name / "output"
    partial = place.with_name(f".partial-{os.urandom(8).hex()}")
    try:
        partial.mkdir(parents=True)
        if request.job.kind == "training":
            _pack(root / "model", partial / MODEL)
            _pack(results(request, root), partial / OUTPUT)
        else:
            shutil.copytree(results(request, root), partial, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
        for path in [*partial.rglob("*"), partial]:
            sync(path)
        partial.rename(place)
        sync(place.parent)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Unavailable(f"the results could not be written to {place}: {reason}; nothing was kept") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return place


def _pack(folder: Path, archive: Path) -> None:
    """Pack a folder's entries; no archive where there are none."""
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if not entries:
        return
    with tarfile.open(archive, "w:gz") as file:
        for path in entries:
            file.add(path, path.name)
