"""The records function's composition: which adapter stands behind which port."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ebb.connect import CALM, connect_fast, connect_postgres, connect_store, make_metrics
from ebb.contract.model import Contract
from ebb.folder import FolderReleases
from ebb.http.doors import report_to_log
from ebb.ports import ReleaseStore
from ebb.postgres.idempotency import PostgresIdempotencyKeys
from ebb.postgres.subjects import PostgresSubjects
from ebb.release.load import load_contract
from ebb.serving import only_contract
from ebb.settings import Settings
from ebb.store.store import FeatureStore
from ebb.store.subjects import Subjects
from lambdas.records.once import Once
from lambdas.records.service import RecordsService
from lambdas.records.subjects import SubjectsService


@dataclass(frozen=True)
class Records:
    """What the function's routes lead to.

    Attributes:
        features: writes features.
        subjects: answers and erases subjects.
        once: guards what writes against being done twice.
        tick: called after each answer, for the metrics.
    """

    features: RecordsService
    subjects: SubjectsService
    once: Once
    tick: Callable[[], None]


def bootstrap(
    environment: Mapping[str, str],
    *,
    releases: ReleaseStore | None = None,
    store: FeatureStore | None = None,
    subjects: Subjects | None = None,
) -> Records:
    """Wire the function; every port may be overridden.

    Raises:
        Misuse: a variable of the environment is missing.
    """
    settings = Settings.from_environment(environment)
    metrics = make_metrics(settings, "records")
    where = releases or FolderReleases(settings.releases)
    held: list[Contract] = []

    def contract() -> Contract:
        if not held:
            held.append(load_contract(where, settings.contract or only_contract(where)))
        return held[0]

    fast, connection = connect_fast(settings, metrics), connect_postgres(settings, CALM)
    store = store or connect_store(settings, metrics, fast, connection)
    subjects = subjects or Subjects(PostgresSubjects(connection), fast)
    once = Once(PostgresIdempotencyKeys(connection))
    features = RecordsService(contract, store, time.time, report_to_log)
    return Records(features, SubjectsService(subjects, time.time), once, metrics.tick)
