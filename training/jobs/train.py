"""The job `train`: search, fit and everything after it, up to a folder of releases that serves as it is."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ebb.folder import FolderReleases
from training.jobs.channels import contract_of, releases_of, table_of
from training.jobs.container import Container
from training.jobs.parameters import count_of, seconds_of, text_of
from training.pipeline import TrainOptions, train
from training.progress import Progress
from training.search import Budget
from training.search.budget import read_families


def run(container: Container, progress: Progress) -> dict[str, Any]:
    """Train, and leave the contract's releases with their roles in the model folder.

    The registry's file that is made on the way is not kept: its addresses mean nothing outside this container.

    Raises:
        EbbError: as `training.pipeline.train`.
    """
    budget = _budget(container)
    container.checkpoints.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".work-", dir=container.work) as work:
        releases = Path(work) / "trained"
        if "champion" in container.channels:
            known, contract = releases_of(container.channels["champion"], Path(work) / "champion")
            shutil.copytree(known / contract, releases / contract)
        result = train(
            contract_of(container.channels["contract"]),
            table_of(container.channels["train"]),
            releases,
            progress,
            TrainOptions(budget, container.checkpoints),
        )
        _keep(releases / result.contract, container.model / result.contract)
        role = "champion" if FolderReleases(releases).champion(result.contract) == result.version else "challenger"
    told = {"metrics": result.metrics, "seconds": result.timings, "notes": list(result.notes)}
    return {"release": result.release, "role": role, **told}


def _budget(container: Container) -> Budget:
    given = container.parameters
    families = text_of(given, "families")
    return Budget(
        seconds=seconds_of(given, "seconds"),
        trials=count_of(given, "trials"),
        workers=count_of(given, "workers"),
        families=Budget().families if families is None else read_families(families),
    )


def _keep(made: Path, place: Path) -> None:
    """Copy the releases of a contract to where they are kept, by one rename at the end."""
    partial = place.with_name(f".partial-{os.urandom(8).hex()}")
    shutil.copytree(made, partial, ignore=shutil.ignore_patterns(".*"))
    partial.rename(place)
