"""One stage, whose values are checked together while the stacks are synthesized."""

from dataclasses import dataclass, field
from typing import Literal

from cdk.stage_parts import Access, Cache, Database, Domain, Door, Edge, Network, Serving, ShiftLimits, Training, Watch

REQUESTS_AN_ENVIRONMENT = 10
"""Requests a second that Lambda lets each execution environment take, however fast it is ("Lambda quotas")."""
SCOPES = ("predict", "explain", "features:write", "outcomes:write", "subjects", "admin")
"""What a token may allow, as the functions know it (`ebb.http.scopes`)."""
OTHER_CONCURRENCY = 200
"""Environments left to every other function: what the account keeps unreserved (100) and what records may take."""

SHIFT_STEP = 0.1
"""Share of the requests that a linear shift moves each minute."""

_MEMORY = (128, 10_240)
_BACKUP_DAYS = (1, 35)
_ZONES = (2, 3)
_LEAST_ACU, _MOST_ACU = 0.5, 256
_UTILISATION = (0.1, 0.9)


class BadStage(ValueError):
    """A stage whose values cannot work; its sentence says which and why."""


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: dev, staging or prod.
        region: where it stands.
        contract: that it serves; one deployment serves one.
        network, database, cache, serving, access: its parts.
        domain: a name of its own; None leaves the gateway's.
        watch: what is too much, and who is told.
        keep: whether what holds data outlives its stack and cannot be deleted by mistake.
        log_days: how long logs are kept.
        shift: how a new version of the code takes over.
        limits: what takes it back.
        door: the kind of its API.
        training: where its releases are made.
        edge: its second region; None where it has one region. As seen from a region, the other one.
        beside: the region in which the stage stood first, where this is the second one; empty in the first.
        follows: the region whose writes this one follows; empty where writes go here.

    Raises:
        BadStage: the values cannot work.
    """

    name: str
    region: str
    network: Network
    database: Database
    cache: Cache
    serving: Serving
    access: Access
    keep: bool
    log_days: int
    shift: Literal["linear", "at once"]
    contract: str = "synthetic"
    domain: Domain | None = None
    watch: Watch = field(default_factory=Watch)
    limits: ShiftLimits = field(default_factory=ShiftLimits)
    door: Door = field(default_factory=Door)
    training: Training = field(default_factory=Training)
    edge: Edge | None = None
    beside: str = ""
    follows: str = ""

    def __post_init__(self) -> None:
        for wrong, why in (
            *self._numbers(),
            *self._serving(),
            *self._watch(),
            *self._shifting(),
            *self._door(),
            *self._edge(),
        ):
            if wrong:
                raise BadStage(f"the stage {self.name!r}: {why}")

    @property
    def place(self) -> str:
        """What its stacks are named by: the stage, and in a second region that region too."""
        return f"{self.name}-{self.region}" if self.beside else self.name

    @property
    def followed(self) -> bool:
        """Whether another region follows the writes of this one."""
        return self.edge is not None and not self.follows

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
            (
                not _within(self.network.zones, _ZONES),
                f"{self.network.zones} zones; Aurora needs two, a region has three",
            ),
            (not _LEAST_ACU <= database.least_acu <= database.most_acu <= _MOST_ACU, _acu(database)),
            (
                not _within(database.backup_days, _BACKUP_DAYS),
                f"backups of {database.backup_days} days; 1 to 35 can be had",
            ),
            (keep and not database.reader, "data is kept, so the database needs a reader that can take over"),
            (keep and self.cache.replicas < 1, "data is kept, so the cache needs a replica that can take over"),
            (not _within(self.cache.replicas, (0, 5)), f"{self.cache.replicas} cache replicas; 0 to 5 can be had"),
            *self._access(),
        ]

    def _access(self) -> list[tuple[bool, str]]:
        access = self.access
        unknown = sorted({scope for client in access.clients for scope in client.scopes} - set(SCOPES))
        return [
            (bool(access.issuer) == bool(access.clients), "name an issuer of tokens, or clients of its own, not both"),
            (bool(access.audiences) != bool(access.issuer), "an issuer and its audiences go together"),
            (bool(access.issuer) and not access.issuer.startswith("https://"), "the issuer must be an https address"),
            (bool(unknown), f"unknown scopes: {', '.join(unknown)}; there are {', '.join(SCOPES)}"),
        ]

    def _serving(self) -> list[tuple[bool, str]]:
        serving = self.serving
        capacity = serving.most_provisioned * REQUESTS_AN_ENVIRONMENT
        scheduled = [schedule.least for schedule in serving.schedules]
        return [
            (not _within(serving.memory_mb, _MEMORY), f"{serving.memory_mb} MB of memory; 128 to 10,240 can be had"),
            (not 1 <= serving.provisioned <= serving.most_provisioned, "provisioned environments: 1 to the most"),
            (any(not 1 <= least <= serving.most_provisioned for least in scheduled), "a schedule asks beyond the most"),
            (not _within(serving.utilisation, _UTILISATION), "utilisation must lie between 0.1 and 0.9"),
            (capacity < serving.requests, self._too_few()),
            (self.reserved_concurrency + OTHER_CONCURRENCY > serving.account_concurrency, self._too_many()),
        ]

    def _watch(self) -> list[tuple[bool, str]]:
        watch, spare = self.watch, self.database.reader and self.cache.replicas > 0
        odd = [address for address in (*watch.page, *watch.ticket) if not address.startswith("https://")]
        return [
            (
                not 0 < watch.duration_ms <= watch.latency_ms,
                "the door cannot be quicker than the function behind it",
            ),
            (not 0 < watch.degraded < 1, f"a degraded share of {watch.degraded}; between 0 and 1"),
            (watch.requests < 1, "a share needs at least one request"),
            (watch.experiments and self.keep, "data is kept, so no fault may be injected"),
            (
                watch.experiments and not spare,
                "experiments need a reader and a replica that can take over",
            ),
            (any("@" not in address for address in odd), "alarms are told to e-mail or https addresses"),
        ]

    def _shifting(self) -> list[tuple[bool, str]]:
        limits = self.limits
        shares = (limits.errors, limits.degraded)
        return [
            (not all(0 < share < 1 for share in shares), "the limits of a shift are shares between 0 and 1"),
            (
                self.shift == "linear" and max(shares) >= SHIFT_STEP,
                "a version that always fails must be seen at its first tenth: the limits must lie below 0.1",
            ),
            (limits.p95_ms <= 0 or limits.least < 1, "the limits of a shift are milliseconds and requests above 0"),
        ]

    def _door(self) -> list[tuple[bool, str]]:
        door, clients = self.door, {client.name for client in self.access.clients}
        unknown = sorted({plan.client for plan in door.plans} - clients)
        planned = [plan.client for plan in door.plans]
        return [
            (door.kind == "http" and bool(door.plans), "usage plans need a REST API: an HTTP API has no API keys"),
            (
                door.kind == "rest" and bool(self.access.issuer),
                "a REST API takes tokens of its own user pool only: name clients and no issuer, or an HTTP API",
            ),
            (bool(unknown), f"usage plans of unknown clients: {', '.join(unknown)}"),
            (len(set(planned)) < len(planned), "a client has more than one usage plan"),
            (
                any(min(plan.rate, plan.burst, plan.monthly) < 1 for plan in door.plans),
                "a usage plan allows at least one request a second, at once and a month",
            ),
            (
                any(plan.rate > self.serving.requests or plan.burst > self.serving.burst for plan in door.plans),
                "a usage plan allows more than the stage lets through",
            ),
            (self.training.scanned_gigabytes < 1, "an Athena query must be let read at least 1 GB"),
        ]

    def _edge(self) -> list[tuple[bool, str]]:
        edge = self.edge
        if edge is None:
            return []
        return [
            (edge.region == self.region, f"its second region is {edge.region} too: name another one"),
            (edge.alone and not edge.leads, "its second region can only be alone where it leads"),
            (edge.cidr == self.network.cidr, "its two regions need networks of different addresses"),
            (self.domain is None, "callers find the nearer of two regions by name: it needs a domain"),
            (not self.keep, "a second region follows data that is kept"),
            (self.door.kind == "rest", "API keys stand in one region: a stage of two regions needs an HTTP API"),
        ]

    def _too_few(self) -> str:
        serving = self.serving
        needed = -(-serving.requests // REQUESTS_AN_ENVIRONMENT)
        return (
            f"{serving.requests:,} requests a second need {needed:,} environments ({REQUESTS_AN_ENVIRONMENT} each), "
            f"and at most {serving.most_provisioned:,} are provisioned"
        )

    def _too_many(self) -> str:
        return (
            f"during a shift two versions hold {self.reserved_concurrency:,} environments, the other functions "
            f"need {OTHER_CONCURRENCY}: more than the account's {self.serving.account_concurrency:,}"
        )


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


def _acu(database: Database) -> str:
    return f"capacity from {database.least_acu} to {database.most_acu} ACU; between 0.5 and 256, rising"
