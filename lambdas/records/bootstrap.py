"""The records function's composition: which adapter stands behind which port."""

import time
from collections.abc import Mapping

from ebb.connect import connect_store
from ebb.contract.model import Contract
from ebb.doors import report_to_log
from ebb.folder import FolderReleases
from ebb.ports import ReleaseStore
from ebb.release.load import load_contract
from ebb.serving import only_contract
from ebb.settings import Settings
from ebb.store.store import FeatureStore
from lambdas.records.service import RecordsService


def bootstrap(
    environment: Mapping[str, str],
    *,
    releases: ReleaseStore | None = None,
    store: FeatureStore | None = None,
) -> RecordsService:
    """Wire the function; every port may be overridden.

    Raises:
        Misuse: a variable of the environment is missing.
    """
    settings = Settings.from_environment(environment)
    where = releases or FolderReleases(settings.releases)
    held: list[Contract] = []

    def contract() -> Contract:
        if not held:
            held.append(load_contract(where, settings.contract or only_contract(where)))
        return held[0]

    return RecordsService(contract, store or connect_store(settings), time.time, report_to_log)
