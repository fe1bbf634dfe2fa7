"""The records function's composition: which adapter stands behind which port."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ebb.aside import politely
from ebb.cloud import Cloud
from ebb.connect import CALM, connect_fast, connect_postgres, connect_store, make_metrics
from ebb.http.doors import report_to_log
from ebb.places import S3Place
from ebb.ports import ReleaseStore, RoutingStore, Scorer
from ebb.postgres.idempotency import PostgresIdempotencyKeys
from ebb.postgres.subjects import PostgresSubjects
from ebb.release.load import LoadedRelease, load_release
from ebb.serving.contracts import only_contract
from ebb.settings import Settings
from ebb.store.store import FeatureStore
from ebb.store.subjects import Subjects
from lambdas.records.admission import Limits
from lambdas.records.contract import WritableContract
from lambdas.records.once import Once
from lambdas.records.registry import RegistryService
from lambdas.records.routing import RoutingService
from lambdas.records.service import RecordsService
from lambdas.records.subjects import SubjectsService


@dataclass(frozen=True)
class Records:
    """What the function's routes lead to.

    Attributes:
        features: writes features.
        subjects: answers and erases subjects.
        routing: shows and changes the routing table.
        registry: lists releases.
        once: guards what writes against being done twice.
        limits: counts the requests of what does not count itself.
        tick: called after each answer, for the metrics.
    """

    features: RecordsService
    subjects: SubjectsService
    routing: RoutingService
    registry: RegistryService
    once: Once
    limits: Limits
    tick: Callable[[], None]


def bootstrap(
    environment: Mapping[str, str],
    *,
    releases: ReleaseStore | None = None,
    routing: RoutingStore | None = None,
    store: FeatureStore | None = None,
    subjects: Subjects | None = None,
) -> Records:
    """Wire the function; every port may be overridden.

    Raises:
        Misuse: a variable of the environment is missing, or the database only reads.
    """
    settings = Settings.from_environment(environment)
    settings.require_writable("records")
    metrics = make_metrics(settings, "records")
    cloud = Cloud(environment, lambda what: report_to_log(what, ""))
    where = releases or cloud.releases(settings.releases)
    tables = routing or cloud.routing(settings.routing, CALM.routing)

    def name() -> str:
        return settings.contract or only_contract(where)

    def load(contract: str, version: str) -> LoadedRelease:
        return politely(lambda: load_release(where, contract, version, _make_scorer))  # predictions go first

    fast, connection = connect_fast(settings, metrics, cloud), connect_postgres(settings, CALM, cloud)
    store = store or connect_store(settings, metrics, fast, connection)
    subjects = subjects or Subjects(PostgresSubjects(connection), fast, followed=settings.followed)
    once = Once(PostgresIdempotencyKeys(connection), store)
    contract = WritableContract(name, tables, where, time.monotonic)
    local = not isinstance(settings.releases, S3Place)
    deciding = RoutingService(name, tables, where, fast, load, time.time, report_to_log, champion_follows=local)
    features = RecordsService(contract.get, store, time.time, report_to_log)
    listing = RegistryService(name, where, tables)
    return Records(features, SubjectsService(subjects, time.time), deciding, listing, once, store, metrics.tick)


def _make_scorer(model: bytes) -> Scorer:
    from ebb.onnx import OnnxScorer  # noqa: PLC0415 - slow to import, and only a change of the routing table needs it

    return OnnxScorer(model)
