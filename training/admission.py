"""Which rows a training may learn from: accepted by the contract, then validated."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ebb.contract import Contract
from ebb.errors import DataError, EbbError
from ebb.folder import FolderReleases
from ebb.release.load import load_contract
from ebb.release.manifest import REFERENCE
from ebb.release.reference import Reference
from training.dataset import read_dataset
from training.labelled import Labelled
from training.steps import Steps
from training.validation import Finding, raise_on_critical, validate


def admit(
    steps: Steps, contract: Contract, data_path: Path, store: FolderReleases
) -> tuple[Labelled, Mapping[str, bytes]]:
    """Read a labelled table, hold it against its contract and validate it.

    Args:
        steps: shows and times; takes notes.
        contract: what the table must fit.
        data_path: csv or parquet.
        store: has the champion, whose reference says whether the data has drifted.

    Returns:
        The rows, and the validation's data docs: bytes by file name.

    Raises:
        DataError: the table does not fit, or a finding forbids learning from it.
    """
    with steps.timed("read"):
        dataset = read_dataset(data_path, contract, progress=steps.progress)
    if dataset.labels is None:
        raise DataError(f"{data_path} has no labels to learn from")
    with steps.step("validate", "Validate the data"):
        found = validate(contract, dataset, str(data_path), reference=_reference(store, contract), docs=True)
        raise_on_critical(found)
    steps.notes.extend([*dataset.notes, *map(_told, found)])
    if dataset.groups is not None:
        entities = int(np.max(dataset.groups)) + 1
        told = "one may stand in several spans of time" if contract.temporal else "none stands in two folds"
        steps.notes.append(f"{dataset.rows:,} rows of {entities:,} entities: {told}")
    data = Labelled(dataset.inputs, dataset.labels, dataset.sha256, dataset.groups, dataset.event_times, dataset.texts)
    return data, found.docs


def _reference(store: FolderReleases, contract: Contract) -> Reference | None:
    """Return the champion's reference, if it is of a contract with the same features; else drift is not judged."""
    version = store.champion(contract.name)
    if version is None:
        return None
    try:
        files = store.read(contract.name, version)
        if load_contract(store, contract.name, version).features != contract.features:
            return None
        return Reference.from_bytes(files[REFERENCE])
    except EbbError:
        return None


def _told(finding: Finding) -> str:
    mark = "warning: " if "leak" in finding.reason else ""
    return f"{mark}column {finding.column!r} {finding.reason}"
