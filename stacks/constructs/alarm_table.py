"""Every alarm in one table: what is too much, for how long, who is told, and what silence means.

Two rules of silence. A part that always speaks while it works (the maintenance, each node of a tier) is taken for
broken when it is silent. Everything else speaks only when called, so that silence means nobody called.
"""

from dataclasses import dataclass
from typing import Literal

from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.stage import Stage

Told = Literal["page", "ticket", "nobody"]

FINE, BROKEN = cloudwatch.TreatMissingData.NOT_BREACHING, cloudwatch.TreatMissingData.BREACHING

OBJECTIVE = 0.9995
"""Share of requests that the gateway answers without an error of its own or of what stands behind it (no 5xx)."""

_MINUTE, _FIVE = 60, 300
_GIB_AN_ACU, _BYTES_A_CONNECTION, _MOST_CONNECTIONS, _MOST_WHILE_SMALL = 2, 9_531_392, 5_000, 2_000
_SMALL_ACU = 0.5


@dataclass(frozen=True)
class Alarm:
    """One row.

    Attributes:
        name: of the alarm, after "ebb-STAGE-".
        means: what it says, in a sentence.
        runbook: page of docs/runbooks, without its ending.
        beyond: the threshold.
        period: seconds that one point stands for.
        points: how many of the last `of` points must breach.
        of: how many are looked at.
        told: who hears of it.
        silence: what a missing point is taken for.
        below: whether too little is too much.
    """

    name: str
    means: str
    runbook: str
    beyond: float
    period: int = _MINUTE
    points: int = 3
    of: int = 5
    told: Told = "ticket"
    silence: cloudwatch.TreatMissingData = FINE
    below: bool = False


def alarm_table(stage: Stage) -> dict[str, Alarm]:
    """Return the alarms of a stage, by name."""
    rows = (*_serving(stage), *_writing(stage), *_upkeep(), *_between_regions(stage), *_tiers(stage))
    return {row.name: row for row in rows}


def connections_of(stage: Stage) -> int:
    """Return how many connections the database takes at its largest.

    `max_connections` is LEAST(memory / 9,531,392 bytes, 5,000) of the most capacity, and at most 2,000 where the least
    is half a unit or less ("Maximum connections for Aurora Serverless v2").
    """
    database = stage.database
    memory = database.most_acu * _GIB_AN_ACU * 2**30
    most = _MOST_WHILE_SMALL if database.least_acu <= _SMALL_ACU else _MOST_CONNECTIONS
    return min(int(memory / _BYTES_A_CONNECTION), most)


def _serving(stage: Stage) -> tuple[Alarm, ...]:
    watch = stage.watch
    few = max(1, stage.serving.provisioned // 100)  # one environment in a hundred: a single one is no outage
    return (
        Alarm("gateway-errors", "more than 1 % of requests end in a 5xx", "errors", 0.01, told="page"),
        Alarm("gateway-latency", "callers wait too long (p95)", "latency", watch.latency_ms, points=10, of=15),
        Alarm("predict-errors", "more than 1 % of predictions crash or time out", "errors", 0.01, told="page"),
        Alarm("predict-duration", "predictions take too long (p95)", "latency", watch.duration_ms, points=10, of=15),
        Alarm("predict-throttles", "predictions are throttled by Lambda", "capacity", 0, told="page"),
        Alarm(
            "predict-spillover", "over 1 % of predictions find no warm environment", "capacity", 0.01, of=10, points=5
        ),
        Alarm("predict-degraded", "too many predictions come from the rules", "degraded", watch.degraded, told="page"),
        Alarm("breaker-valkey", "breakers to Valkey open", "breakers", few, period=_FIVE, points=1, of=1, told="page"),
        Alarm(
            "breaker-postgres", "breakers to Postgres open", "breakers", few, period=_FIVE, points=1, of=1, told="page"
        ),
        Alarm("release-refused", "a release cannot be loaded or verified", "releases", 0, period=_FIVE, points=1, of=1),
        Alarm("routing-unread", "the routing table cannot be read", "releases", few, period=_FIVE, points=2, of=3),
    )


def _writing(stage: Stage) -> tuple[Alarm, ...]:
    if stage.follows:  # what writes stands in the other region
        return ()
    return (
        Alarm("records-errors", "more than 1 % of writes crash or time out", "errors", 0.01),
        Alarm("records-throttles", "writes are throttled by Lambda", "capacity", 0),
        Alarm("migrate-errors", "a migration of the schema failed", "migration", 0, period=_FIVE, points=1, of=1),
    )


def _between_regions(stage: Stage) -> tuple[Alarm, ...]:
    if stage.follows:
        said = "the writes of the primary region are known here five minutes late"
        return (Alarm("follower-behind", said, "failover", _FIVE, period=_FIVE, points=2, of=2, told="page"),)
    if stage.edge is None:
        return ()
    said = "releases or routing tables cannot be copied to the other region"
    return (Alarm("replication-failed", said, "failover", 0, period=_FIVE, points=1, of=1),)


def _upkeep() -> tuple[Alarm, ...]:
    return (
        Alarm("maintain-errors", "the maintenance fails", "maintenance", 0),
        Alarm(
            "maintain-silent",
            "the maintenance does not run",
            "maintenance",
            1,
            period=_FIVE,
            points=2,
            of=2,
            silence=BROKEN,
            below=True,
        ),
        Alarm("tiers-disagree", "the tiers disagree for half an hour", "maintenance", 0, period=_FIVE, points=6, of=6),
    )


def _tiers(stage: Stage) -> tuple[Alarm, ...]:
    connections = 0.8 * connections_of(stage)
    rows = (
        Alarm("aurora-capacity", "Aurora is at 90 % of its capacity, or gone", "aurora", 90, _FIVE, silence=BROKEN),
        Alarm("aurora-connections", "Aurora has 80 % of its connections", "aurora", connections, points=5),
        Alarm("aurora-lag", "Aurora's reader is a second behind (ms)", "aurora", 1_000, points=5),
        Alarm("valkey-memory", "Valkey is 80 % full, or gone", "valkey", 80, _FIVE, silence=BROKEN, told="page"),
        Alarm("valkey-evictions", "Valkey drops records for want of memory", "valkey", 0, _FIVE),
        Alarm("valkey-cpu", "Valkey's one thread is busy for 80 % of the time", "valkey", 80, points=5),
        Alarm("valkey-lag", "a replica of Valkey is a second behind", "valkey", 1, points=5),
    )
    absent = {"aurora-lag": not stage.database.reader, "valkey-lag": stage.cache.replicas == 0}
    return tuple(row for row in rows if not absent.get(row.name))
