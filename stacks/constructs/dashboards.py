"""Two dashboards: what callers get, and what it stands on.

They take the place of the specification's Prometheus and Grafana: functions that come and go within seconds cannot be
scraped, and CloudWatch has every metric of AWS's own parts already.
"""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.constructs.burn import BURNS
from stacks.constructs.measures import Watched, budget_burn, measures
from stacks.constructs.signals import Measure, derived, share

_WIDE, _HIGH, _COLUMN = 24, 6, 8
_ROLES = ("champion", "challenger", "cheap", "rules")
_TIERS = ("fast", "durable", "cache", "none")
_SERVERS = ("valkey", "valkey_replica", "postgres")
_PERCENTILES = ("p50", "p95", "p99")

_ABOUT = (
    "**{title}.** CloudWatch stands in the place of Prometheus and Grafana here: functions that come and go within "
    "seconds cannot be scraped. What each metric of the namespace `Ebb` means: `docs/signals.md`; what alarms watch, "
    "and why: `docs/monitoring.md`; what to do: `docs/runbooks/`."
)


def make_dashboards(scope: Construct, watched: Watched, alarms: Sequence[cloudwatch.IAlarm]) -> None:
    """Add both dashboards.

    Args:
        scope: the stack.
        watched: the parts that they show.
        alarms: whose states stand on the first one's top.
    """
    states = cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=_WIDE, height=4)
    _dashboard(scope, watched, "Service", [[states], *_service(watched)])
    _dashboard(scope, watched, "Tiers", _tiers(watched))


def _dashboard(
    scope: Construct, watched: Watched, name: str, rows: Sequence[Sequence[cloudwatch.IWidget]]
) -> cloudwatch.Dashboard:
    about = _ABOUT.format(title=f"Ebb {watched.stage.place}: {name.lower()}")
    head: list[cloudwatch.IWidget] = [cloudwatch.TextWidget(markdown=about, width=_WIDE, height=2)]
    return cloudwatch.Dashboard(
        scope,
        name,
        dashboard_name=f"ebb-{watched.stage.place}-{name.lower()}",  # regions share the names of dashboards
        widgets=[head, *[list(row) for row in rows]],
    )


def _graph(
    title: str,
    left: Sequence[Measure],
    right: Sequence[Measure] = (),
    *,
    lines: Sequence[float] = (),
    stacked: bool = False,
) -> cloudwatch.GraphWidget:
    marks = [cloudwatch.HorizontalAnnotation(value=value) for value in lines]
    return cloudwatch.GraphWidget(
        title=title,
        left=list(left),
        right=list(right),
        left_annotations=marks,
        stacked=stacked,
        width=_COLUMN,
        height=_HIGH,
    )


def _service(watched: Watched) -> list[list[cloudwatch.IWidget]]:
    known, watch = measures(watched), watched.stage.watch
    own, door, live = watched.own, watched.door, watched.live
    latency = [own("latency_ms", percentile) for percentile in _PERCENTILES]
    answers = [own(f"variant_{role}") for role in _ROLES]
    return [
        [
            _graph("Traffic", [door("Count"), own("predictions")], [own("rate_limited"), own("quota_unknown")]),
            _graph("Errors", [door("4xx"), door("5xx"), live("Errors"), live("Throttles")], [known["gateway-errors"]]),
            _graph("Burn of the error budget", [budget_burn(watched)], lines=[burn.rate for burn in BURNS]),
        ],
        [
            _graph("Latency at the door", [door("Latency", p) for p in _PERCENTILES], lines=[watch.latency_ms]),
            _graph("Duration", [live("Duration", p) for p in _PERCENTILES], lines=[watch.duration_ms]),
            _graph("A prediction, without its event", latency),
        ],
        [
            _graph("Variants", answers, [own("escalated"), own("model_failed")], stacked=True),
            _graph("Shadow", [own("shadow_scored"), own("shadow_skipped"), own("shadow_failed")]),
            _graph("Mean score", [share(own("score_sum"), own("predictions"), "mean score")]),
        ],
        [
            _graph("Degraded", [known["predict-degraded"]], [own("degraded"), own("stale")], lines=[watch.degraded]),
            _graph("Cost by role ($)", [own(f"cost_usd_{role}") for role in _ROLES], stacked=True),
            _graph("Cost of 1,000 predictions ($, the function's time)", [_cost_of_thousand(watched)]),
        ],
        [
            _graph("Warm environments", _warmth(watched), [known["predict-spillover"]]),
            _graph("Cold starts", [own("cold_start")]),
            _graph(
                "Releases",
                [own("model_age_seconds", "Maximum")],
                [own("routing_version", "Maximum"), own("release_refused")],
            ),
        ],
    ]


def _cost_of_thousand(watched: Watched) -> Measure:
    costs = {f"cost{number}": watched.own(f"cost_usd_{role}") for number, role in enumerate(_ROLES)}
    total = " + ".join(f"FILL({name}, 0)" for name in costs)
    return derived(f"1000 * ({total}) / made", "$ a 1,000", made=watched.own("predictions"), **costs)


def _warmth(watched: Watched) -> list[Measure]:
    return [
        watched.function("predict", name, "Maximum")
        for name in ("ProvisionedConcurrentExecutions", "ConcurrentExecutions")
    ]


def _tiers(watched: Watched) -> list[list[cloudwatch.IWidget]]:
    own, valkey, aurora = watched.own, watched.valkey, watched.aurora
    upkeep = [own(name, function="maintain") for name in ("repaired", "refilled")]
    breakers = [own(f"breaker_{server}", "Maximum") for server in _SERVERS]
    opened = [own(f"breaker_{server}_open") for server in _SERVERS]
    return [
        [
            _graph("Reads by tier", [own(f"read_{tier}") for tier in _TIERS], stacked=True),
            _graph("Breakers (0 closed, 1 half-open, 2 open)", breakers, opened),
            _graph("Hedges", [own(f"hedge_{what}") for what in ("sent", "won", "denied")], [own("durable_denied")]),
        ],
        [
            _graph(
                "Valkey: memory and CPU (%)", [valkey("DatabaseMemoryUsagePercentage"), valkey("EngineCPUUtilization")]
            ),
            _graph("Valkey: evictions", [valkey("Evictions", "Sum")], [valkey("CurrConnections")]),
            _graph("Valkey: replication lag (s)", [valkey("ReplicationLag")]),
        ],
        [
            _graph("Aurora: capacity", [aurora("ServerlessDatabaseCapacity")], [aurora("ACUUtilization")]),
            _graph("Aurora: connections", [aurora("DatabaseConnections")]),
            _graph("Aurora: replica lag (ms)", [aurora("AuroraReplicaLagMaximum")]),
        ],
        [
            _graph("Maintenance", upkeep, [own("tiers_disagree", "Maximum", function="maintain")]),
            _between(watched) or _graph("Writes to repair", [own("repair_left", function="records")]),
            _graph("Runs", [watched.function("maintain", "Invocations"), watched.function("maintain", "Errors")]),
        ],
    ]


def _between(watched: Watched) -> cloudwatch.IWidget | None:
    """Return how a region that follows keeps up; None where this one writes."""
    if not watched.stage.follows:
        return None
    brought = watched.own("followed", function="maintain")
    late = watched.own("followed_lag_seconds", "Maximum", function="maintain")
    return _graph(f"Writes followed from {watched.stage.follows}", [brought], [late])
