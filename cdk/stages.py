"""The values of each stage: everything that differs between dev, staging and prod, and nothing else.

A value that cannot work is refused while the stacks are synthesized, in a sentence that names the stage.
"""

from dataclasses import dataclass
from typing import Literal

Architecture = Literal["arm64", "x86-64"]

REQUESTS_AN_ENVIRONMENT = 10
"""Requests a second that Lambda lets each execution environment take, however fast it is ("Lambda quotas")."""
_MEMORY = (128, 10_240)
_BACKUP_DAYS = (1, 35)
_ZONES = (2, 3)


class BadStage(ValueError):
    """A stage whose values cannot work; its sentence says which and why."""


@dataclass(frozen=True)
class Network:
    """The stage's network.

    Attributes:
        cidr: its addresses.
        zones: availability zones that it spans.
    """

    cidr: str
    zones: int


@dataclass(frozen=True)
class Database:
    """Aurora Serverless v2.

    Attributes:
        least_acu, most_acu: capacity units (2 GiB each) between which an instance scales.
        reader: whether a reader stands beside the writer, in another zone, ready to take over.
        backup_days: how far back a restore can go.
    """

    least_acu: float
    most_acu: float
    reader: bool
    backup_days: int


@dataclass(frozen=True)
class Cache:
    """ElastiCache for Valkey, node-based.

    Attributes:
        node: its type.
        replicas: nodes beside the primary; with at least one, a failover is automatic.
    """

    node: str
    replicas: int


@dataclass(frozen=True)
class Schedule:
    """A capacity that is set at a time of the day, UTC.

    Attributes:
        name: what it is for.
        hour: of the day.
        least: provisioned environments from then on, at least.
    """

    name: str
    hour: int
    least: int


@dataclass(frozen=True)
class Serving:
    """The prediction function and its door.

    Attributes:
        architecture: of the functions and their layers.
        memory_mb: of an execution environment.
        provisioned: environments kept warm when a version begins, and at least.
        most_provisioned: to which target tracking may raise them.
        utilisation: share of the warm environments in use that target tracking holds.
        schedules: capacities by the hour.
        requests: a second, at peak.
        burst: requests that the gateway lets through at once.
        account_concurrency: environments that the account may have in all (a quota to be raised).
    """

    architecture: Architecture
    memory_mb: int
    provisioned: int
    most_provisioned: int
    utilisation: float
    schedules: tuple[Schedule, ...]
    requests: int
    burst: int
    account_concurrency: int


@dataclass(frozen=True)
class Sign:
    """Who may call.

    Attributes:
        issuer: of the tokens; empty makes a Cognito user pool whose clients get theirs by client credentials.
        audiences: that a token of that issuer must be for.
    """

    issuer: str = ""
    audiences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Domain:
    """A name of one's own before the API.

    Attributes:
        name: such as "scores.example.com".
        zone_id: of the Route 53 hosted zone.
        zone: its name.
    """

    name: str
    zone_id: str
    zone: str


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: dev, staging or prod.
        region: where it stands.
        contract: that it serves; empty for the only one in its release bucket.
        network, database, cache, serving, sign: its parts.
        domain: a name of its own; None leaves the gateway's.
        keep: whether what holds data outlives its stack and cannot be deleted by mistake.
        log_days: how long logs are kept.
        shift: how a new version of the code takes over.

    Raises:
        BadStage: the values cannot work.
    """

    name: str
    region: str
    network: Network
    database: Database
    cache: Cache
    serving: Serving
    sign: Sign
    keep: bool
    log_days: int
    shift: Literal["linear", "at once"]
    contract: str = ""
    domain: Domain | None = None

    def __post_init__(self) -> None:
        for wrong, why in (*self._numbers(), *self._serving()):
            if wrong:
                raise BadStage(f"the stage {self.name!r}: {why}")

    @property
    def version_concurrency(self) -> int:
        """Environments that one version may hold, the most it is provisioned with."""
        return self.serving.most_provisioned

    @property
    def reserved_concurrency(self) -> int:
        """Environments reserved for the prediction function: two versions are warm during a shift."""
        return 2 * self.version_concurrency

    def _numbers(self) -> list[tuple[bool, str]]:
        database, keep = self.database, self.keep
        return [
            (not _within(self.network.zones, _ZONES), f"{self.network.zones} zones; Aurora needs two, a region has three"),
            (not 0.5 <= database.least_acu <= database.most_acu <= 256, _acu(database)),
            (not _within(database.backup_days, _BACKUP_DAYS), f"backups of {database.backup_days} days; 1 to 35 can be had"),
            (keep and not database.reader, "data is kept, so the database needs a reader that can take over"),
            (keep and self.cache.replicas < 1, "data is kept, so the cache needs a replica that can take over"),
            (not _within(self.cache.replicas, (0, 5)), f"{self.cache.replicas} cache replicas; 0 to 5 can be had"),
            (bool(self.sign.audiences) != bool(self.sign.issuer), "an issuer and its audiences go together"),
            (bool(self.sign.issuer) and not self.sign.issuer.startswith("https://"), "the issuer must be an https address"),
        ]

    def _serving(self) -> list[tuple[bool, str]]:
        serving = self.serving
        capacity = serving.most_provisioned * REQUESTS_AN_ENVIRONMENT
        scheduled = [schedule.least for schedule in serving.schedules]
        return [
            (not _within(serving.memory_mb, _MEMORY), f"{serving.memory_mb} MB of memory; 128 to 10,240 can be had"),
            (not 1 <= serving.provisioned <= serving.most_provisioned, "provisioned environments: 1 to the most"),
            (any(not 1 <= least <= serving.most_provisioned for least in scheduled), "a schedule asks beyond the most"),
            (not 0.1 <= serving.utilisation <= 0.9, "utilisation must lie between 0.1 and 0.9"),
            (
                capacity < serving.requests,
                f"{serving.requests:,} requests a second need {-(-serving.requests // REQUESTS_AN_ENVIRONMENT):,} "
                f"environments ({REQUESTS_AN_ENVIRONMENT} each), and at most {serving.most_provisioned:,} are provisioned",
            ),
            (
                self.reserved_concurrency + OTHER_CONCURRENCY > serving.account_concurrency,
                f"during a shift two versions hold {self.reserved_concurrency:,} environments, and the other functions "
                f"need {OTHER_CONCURRENCY}: more than the account's {serving.account_concurrency:,}",
            ),
        ]


OTHER_CONCURRENCY = 200
"""Environments left to every other function: what the account keeps unreserved (100) and what records may take."""


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


def _acu(database: Database) -> str:
    return f"capacity from {database.least_acu} to {database.most_acu} ACU; between 0.5 and 256, rising"


STAGES = {
    stage.name: stage
    for stage in (
        Stage(
            name="dev",
            region="us-east-1",
            network=Network("10.20.0.0/16", zones=2),
            database=Database(0.5, 2, reader=False, backup_days=1),
            cache=Cache("cache.t4g.small", replicas=0),
            serving=Serving("arm64", 1_024, 1, 5, 0.7, (), requests=50, burst=100, account_concurrency=1_000),
            sign=Sign(),
            keep=False,
            log_days=7,
            shift="at once",
        ),
        Stage(
            name="staging",
            region="us-east-1",
            network=Network("10.30.0.0/16", zones=3),
            database=Database(0.5, 8, reader=False, backup_days=7),
            cache=Cache("cache.m7g.large", replicas=1),
            serving=Serving("arm64", 1_024, 10, 100, 0.7, (), requests=1_000, burst=2_000, account_concurrency=1_000),
            sign=Sign(),
            keep=False,
            log_days=30,
            shift="linear",
        ),
        Stage(
            name="prod",
            region="us-east-1",
            network=Network("10.40.0.0/16", zones=3),
            database=Database(2, 64, reader=True, backup_days=35),
            cache=Cache("cache.r7g.2xlarge", replicas=2),
            serving=Serving(
                "arm64",
                1_024,
                1_500,
                2_500,
                0.6,
                (Schedule("Morning", hour=6, least=2_000), Schedule("Night", hour=22, least=1_500)),
                requests=25_000,
                burst=30_000,
                account_concurrency=6_000,
            ),
            sign=Sign(),
            keep=True,
            log_days=90,
            shift="linear",
        ),
    )
}
"""Every stage, by name."""


def stage_named(name: str) -> Stage:
    """Return a stage.

    Raises:
        BadStage: there is none of that name.
    """
    if name not in STAGES:
        raise BadStage(f"there is no stage {name!r}: choose one of {', '.join(STAGES)} with `-c stage=...`")
    return STAGES[name]
