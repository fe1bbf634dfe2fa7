"""From settings to the real adapters; only bootstraps import this."""

from dataclasses import dataclass

from ebb.addresses import postgres_address, valkey_address
from ebb.cloud import Cloud
from ebb.metrics import Metrics
from ebb.plans import Plan, Plans
from ebb.ports import Signals
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.features import PostgresFeatures
from ebb.resilience.breaker import Breaker
from ebb.resilience.budget import RateBudget
from ebb.resilience.rate_limit import RateLimiter
from ebb.settings import Settings
from ebb.store.fallback import DurableFallback
from ebb.store.last_known import LastKnown
from ebb.store.store import FeatureStore
from ebb.valkey.features import ValkeyFeatures


@dataclass(frozen=True)
class Patience:
    """How long a caller waits for Postgres and for S3, in seconds.

    Attributes:
        connect: for a connection.
        answer: for each answer.
        routing: for a look at the routing tables.
    """

    connect: float
    answer: float
    routing: float


QUICK = Patience(0.25, 0.1, 1.0)
"""Of a prediction, which has other answers."""

CALM = Patience(2.0, 5.0, 10.0)
"""Of a write, which has not."""


def make_metrics(settings: Settings, function: str) -> Metrics:
    """Return the metrics of one function, told apart by its name and its contract's."""
    return Metrics({"function": function, "contract": settings.contract or "none"})


def connect_fast(settings: Settings, signals: Signals, cloud: Cloud | None = None) -> ValkeyFeatures:
    """Return the fast tier; connections open with the first use, the secret of its login is read now."""
    at = valkey_address(settings, cloud)
    return ValkeyFeatures(
        at.host,
        at.port,
        replica_host=settings.replica_host,
        replica_port=settings.replica_port,
        username=at.username,
        password=at.password,
        logins=at.logins,
        tls=at.tls,
        ttl=settings.feature_ttl,
        shortest_ttl=settings.shortest_ttl,
        plans=make_plans(settings),
        signals=signals,
    )


def make_plans(settings: Settings) -> Plans:
    """Return what each client may ask."""
    return Plans.parse(settings.plans, Plan(settings.client_rate, settings.client_burst))


def connect_postgres(settings: Settings, patience: Patience, cloud: Cloud | None = None) -> PostgresConnection:
    """Return one connection to the durable tier, which opens with the first use."""
    address, only = postgres_address(settings, cloud), settings.read_only
    return PostgresConnection(address, timeout=patience.answer, connect_timeout=patience.connect, read_only=only)


def connect_store(
    settings: Settings, signals: Signals, fast: ValkeyFeatures, connection: PostgresConnection
) -> FeatureStore:
    """Return the feature store on a fast tier and on a connection to the durable one."""
    durable = PostgresFeatures(connection, settings.history_keep)
    budget = RateBudget(settings.durable_rate, settings.durable_rate)
    return FeatureStore(
        fast,
        durable,
        fallback=DurableFallback(durable, Breaker("postgres", signals), budget, signals),
        cache=LastKnown(),
        limiter=RateLimiter(make_plans(settings)),
        signals=signals,
    )
