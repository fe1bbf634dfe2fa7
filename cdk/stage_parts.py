"""What a stage is made of, as frozen values."""

from dataclasses import dataclass
from typing import Literal

Architecture = Literal["arm64", "x86-64"]


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
        calls_reported: whether Lambda itself writes a start and a report line for each prediction, and X-Ray samples
            one of twenty. Where it does not, metrics and prediction events tell the same of all of them, errors are
            logged as ever, and a caller whose trace header asks for it is still traced.
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
    calls_reported: bool = True


@dataclass(frozen=True)
class ShiftLimits:
    """What ends a shift of the code and brings the old version back: more than this for two of three minutes.

    Attributes:
        errors: share of the invocations, or of the answers, that fail.
        p95_ms: 95th percentile of the milliseconds that an invocation takes.
        degraded: share of the predictions that the contract's rules give.
        least: requests, or predictions, a minute; with fewer, a share says nothing.
    """

    errors: float = 0.01
    p95_ms: float = 250.0
    degraded: float = 0.05
    least: int = 20


@dataclass(frozen=True)
class Client:
    """A program that may call, with a token by client credentials.

    Attributes:
        name: of the program.
        scopes: what its tokens may allow.
    """

    name: str
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Access:
    """Who may call: the clients of a user pool of Ebb's own, or whoever an issuer of yours gives tokens to.

    Attributes:
        clients: of the pool.
        issuer: an OpenID Connect issuer that stands in the pool's place; empty where the pool does.
        audiences: that a token of that issuer must be for.
    """

    clients: tuple[Client, ...] = ()
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
class Watch:
    """What is too much and who is told, where that differs by stage; all else stands in the alarms' own table.

    Attributes:
        duration_ms: the prediction function's 95th percentile, beyond which it is too slow.
        latency_ms: the gateway's, which is what callers see.
        degraded: share of predictions from the rules, beyond which somebody is called.
        requests: in a window, below which no share is judged: one failure among ten is no outage.
        experiments: whether faults may be injected: experiments stand there, and the prediction function lets them in.
        page, ticket: who is told at once, and who in the morning; e-mail or https addresses.
    """

    duration_ms: float = 500
    latency_ms: float = 1_000
    degraded: float = 0.5
    requests: int = 20
    experiments: bool = False
    page: tuple[str, ...] = ()
    ticket: tuple[str, ...] = ()


@dataclass(frozen=True)
class UsagePlan:
    """What one client may ask of a REST API, counted by the gateway with the client's API key.

    Attributes:
        client: of the stage's own user pool.
        rate: requests a second.
        burst: requests at once.
        monthly: requests a month.
    """

    client: str
    rate: int
    burst: int
    monthly: int


@dataclass(frozen=True)
class Door:
    """What kind of API stands before the functions.

    Attributes:
        kind: an HTTP API; or a REST API, which costs three times as much and can count what a client has left.
        plans: of the clients of a REST API; with any, every call needs a key, and who has no plan has a key without
            limits of its own.
    """

    kind: Literal["http", "rest"] = "http"
    plans: tuple[UsagePlan, ...] = ()


@dataclass(frozen=True)
class Training:
    """Where releases are made.

    Attributes:
        tracking: size of the managed MLflow tracking server.
        scanned_gigabytes: that one Athena query may read, at most.
    """

    tracking: Literal["Small", "Medium", "Large"] = "Small"
    scanned_gigabytes: int = 100


@dataclass(frozen=True)
class Edge:
    """A second region, which predicts beside the first one and follows its writes.

    Attributes:
        region: where it stands.
        cidr: of its network; other than the first one's.
        firewall: whether CloudFront and WAF stand before both regions.
        leads: whether writes go to it, and the first one follows: after a failover (docs/runbooks/failover.md).
        alone: whether the first region cannot be reached, so that nothing is copied to it; only where this one leads.
    """

    region: str
    cidr: str
    firewall: bool = False
    leads: bool = False
    alone: bool = False
