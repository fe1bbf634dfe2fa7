"""What the registry is told of a release: from its own files, but for what only a training knows."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from ebb.errors import ReleaseError
from ebb.release.manifest import CONTRACT, MANIFEST, METRICS, Manifest, digest

RELEASE = "ebb.release"


@dataclass(frozen=True)
class Registration:
    """What a training knows and the release does not hold.

    Attributes:
        contract: its name.
        version: the release.
        run_id: MLflow run that was opened for it; empty where the registry was away.
        parameters: of the fit.
        artifacts: content by name, such as validation documents, kept with the run.
    """

    contract: str
    version: str
    run_id: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a name that would leave the run's own folder.

        Raises:
            ReleaseError: names it.
        """
        for name in self.artifacts:
            path = PurePosixPath(name)
            if path.is_absolute() or not path.parts or ".." in path.parts or path.parts[0] == "release":
                raise ReleaseError(f"{name[:64]!r} cannot be the name of an artifact: it must be relative")


def metrics_of(files: Mapping[str, bytes]) -> dict[str, float]:
    """Return the single numbers of a release's metrics, and the largest difference between graph and model."""
    told = _metrics(files)
    found = {name: float(value) for name, value in told.items() if isinstance(value, int | float)}
    parity = told.get("parity")
    if isinstance(parity, dict) and isinstance(parity.get("largest"), int | float):
        found["parity"] = float(parity["largest"])
    return {name: value for name, value in found.items() if math.isfinite(value)}


def lineage_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return where a release comes from, as tags: data, contract, code, and the release itself."""
    manifest = Manifest.from_files(files)
    tags = {
        RELEASE: manifest.version,
        "ebb.contract": manifest.contract,
        "ebb.contract_sha256": digest(files[CONTRACT]),
        "ebb.data_sha256": manifest.data_sha256,
        "ebb.manifest_sha256": digest(files[MANIFEST]),
        "ebb.created": manifest.created,
        "mlflow.source.git.commit": manifest.git_commit,
    }
    return {name: value for name, value in tags.items() if value}


def _metrics(files: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        told = json.loads(files[METRICS])
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
