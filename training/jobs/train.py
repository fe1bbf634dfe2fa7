"""The job `train`: search, fit and everything after it, up to a folder of releases that serves as it is."""

import inspect
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ebb.folder import FolderReleases
from training.jobs.channels import contract_of, releases_of, table_of
from training.jobs.container import Container
from training.jobs.parameters import seconds_of
from training.pipeline import TrainResult, train
from training.progress import Progress


def run(container: Container, progress: Progress) -> dict[str, Any]:
    """Train, and leave the new release as the champion of the model folder.

    The registry's file made on the way is not kept: its addresses mean nothing outside this container.

    Raises:
        EbbError: as `training.pipeline.train`.
    """
    seconds = seconds_of(container.parameters, "seconds")
    with TemporaryDirectory(prefix=".work-", dir=container.work) as work:
        releases = Path(work) / "trained"
        if "champion" in container.channels:
            known, _ = releases_of(container.channels["champion"], Path(work) / "champion")
            shutil.copytree(known, releases)
        result = _trained(container, releases, seconds, progress)
        files = FolderReleases(releases).read(result.contract, result.version)
    kept = FolderReleases(container.model)
    kept.write(result.contract, result.version, files)
    kept.set_champion(result.contract, result.version)
    return {
        "release": result.release,
        "metrics": result.metrics,
        "seconds": result.timings,
        "notes": list(result.notes),
    }


def _trained(container: Container, releases: Path, seconds: float | None, progress: Progress) -> TrainResult:
    resume: dict[str, Any] = {}
    if "resume" in inspect.signature(train).parameters:
        container.checkpoints.mkdir(parents=True, exist_ok=True)
        resume["resume"] = container.checkpoints
    contract = contract_of(container.channels["contract"])
    return train(contract, table_of(container.channels["train"]), releases, seconds, progress, **resume)
