"""The job `train`: search, fit and everything after it, up to a folder of releases that serves as it is."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ebb.folder import FolderReleases
from training.jobs.channels import contract_of, releases_of, table_of
from training.jobs.container import Container
from training.jobs.parameters import amount_of, count_of, text_of
from training.pipeline import TrainOptions, train
from training.progress import Progress
from training.registry.address import check_uri
from training.search import Budget
from training.search.budget import PRICE_AN_HOUR, read_budget


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
            TrainOptions(
                budget, container.checkpoints, registry_uri=check_uri(text_of(container.parameters, "mlflow") or "")
            ),
        )
        _keep(releases / result.contract, container.model / result.contract)
        role = "champion" if FolderReleases(releases).champion(result.contract) == result.version else "challenger"
    told = {"metrics": result.metrics, "seconds": result.timings, "notes": list(result.notes)}
    return {"release": result.release, "role": role, **told}


def _budget(container: Container) -> Budget:
    given = container.parameters
    price = amount_of(given, "price")
    return read_budget(
        amount_of(given, "seconds"),
        amount_of(given, "dollars"),
        PRICE_AN_HOUR if price is None else price,
        trials=count_of(given, "trials"),
        workers=count_of(given, "workers"),
        families=text_of(given, "families") or ",".join(Budget().families),
    )


def _keep(made: Path, place: Path) -> None:
    """Copy the releases of a contract to where they are kept, by one rename at the end."""
    partial = place.with_name(f".partial-{os.urandom(8).hex()}")
    shutil.copytree(made, partial, ignore=shutil.ignore_patterns(".*"))
    partial.rename(place)
