"""What each alarm looks at, and what the dashboards show of the same parts."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_lambda

from cdk.stage import Stage
from stacks.constructs.burn import burn_rate
from stacks.constructs.places import RELEASES, REPLICATED
from stacks.constructs.replication import bucket_name
from stacks.constructs.signals import Measure, derived, largest, metric, ours, share
from stacks.constructs.warm import LIVE

_OF_A_REST_API = {"4xx": "4XXError", "5xx": "5XXError"}
"""Metrics that both kinds of API have, under another name; a REST API is known by its name and not by an id."""


@dataclass(frozen=True)
class Watched:
    """The parts that are watched, by the names that CloudWatch knows them by.

    Attributes:
        stage: its values.
        gateway: dimensions of the door.
        functions: by their folders' names.
        cluster: Aurora's identifier.
        nodes: Valkey's; which of them is the primary changes.
    """

    stage: Stage
    gateway: Mapping[str, str]
    functions: Mapping[str, aws_lambda.IFunction]
    cluster: str
    nodes: tuple[str, ...]

    def door(self, name: str, statistic: str = "Sum") -> Measure:
        """Return a metric of the gateway, by the name that an HTTP API gives it."""
        known = _OF_A_REST_API.get(name, name) if "ApiName" in self.gateway else name
        return metric("AWS/ApiGateway", known, statistic, self.gateway)

    def function(self, function: str, name: str, statistic: str = "Sum") -> Measure:
        """Return a metric of a function, all its versions together."""
        return metric("AWS/Lambda", name, statistic, {"FunctionName": self.functions[function].function_name})

    def live(self, name: str, statistic: str = "Sum") -> Measure:
        """Return a metric of the prediction function as callers reach it, through its alias."""
        function = self.functions["predict"].function_name
        return metric("AWS/Lambda", name, statistic, {"FunctionName": function, "Resource": f"{function}:{LIVE}"})

    def aurora(self, name: str, statistic: str = "Maximum") -> Measure:
        """Return a metric of Aurora."""
        return metric("AWS/RDS", name, statistic, {"DBClusterIdentifier": self.cluster})

    def valkey(self, name: str, statistic: str = "Maximum") -> Measure:
        """Return a metric of the node of Valkey that has most of it."""
        return largest(
            [metric("AWS/ElastiCache", name, statistic, {"CacheClusterId": node}) for node in self.nodes], name
        )

    def own(self, name: str, statistic: str = "Sum", *, function: str = "predict") -> Measure:
        """Return a metric that a function emits."""
        return ours(self.stage, name, statistic, function=function)


def nodes_of(stage: Stage, group: elasticache.CfnReplicationGroup) -> tuple[str, ...]:
    """Return the names of Valkey's nodes, which ElastiCache makes of the group's."""
    return tuple(f"{group.ref}-{number:03}" for number in range(1, stage.cache.replicas + 2))


def measures(watched: Watched) -> dict[str, Measure]:
    """Return what each alarm of the table looks at, by the alarm's name."""
    writing = {} if watched.stage.follows else _writing(watched)
    return {**_serving(watched), **writing, **_upkeep(watched), **_between_regions(watched), **_tiers(watched)}


def budget_burn(watched: Watched) -> Measure:
    """Return how fast the error budget burns."""
    return burn_rate(watched.door("5xx"), watched.door("Count"), watched.stage.watch.requests)


def _serving(watched: Watched) -> dict[str, Measure]:
    least = watched.stage.watch.requests
    calls = watched.live("Invocations")
    return {
        "gateway-errors": share(watched.door("5xx"), watched.door("Count"), "share of 5xx", least),
        "gateway-latency": watched.door("Latency", "p95"),
        "predict-errors": share(watched.live("Errors"), calls, "share of errors", least),
        "predict-duration": watched.live("Duration", "p95"),
        "predict-throttles": watched.live("Throttles"),
        "predict-spillover": share(
            watched.function("predict", "ProvisionedConcurrencySpilloverInvocations"),
            watched.function("predict", "Invocations"),
            "share without a warm environment",
            least,
        ),
        "predict-degraded": share(watched.own("degraded"), watched.own("predictions"), "degraded share", least),
        "breaker-valkey": watched.own("breaker_valkey_open"),
        "breaker-postgres": watched.own("breaker_postgres_open"),
        "release-refused": watched.own("release_refused"),
        "routing-unread": watched.own("routing_unread"),
    }


def _writing(watched: Watched) -> dict[str, Measure]:
    writes = watched.function("records", "Invocations")
    return {
        "records-errors": share(watched.function("records", "Errors"), writes, "share of errors", least=10),
        "records-throttles": watched.function("records", "Throttles"),
        "migrate-errors": watched.function("migrate", "Errors"),
    }


def _between_regions(watched: Watched) -> dict[str, Measure]:
    stage = watched.stage
    if stage.follows:
        return {"follower-behind": watched.own("followed_lag_seconds", "Maximum", function="maintain")}
    if stage.edge is None:
        return {}
    ends = {
        "SourceBucket": bucket_name(stage, RELEASES, stage.region),
        "DestinationBucket": bucket_name(stage, RELEASES, stage.edge.region),
    }
    failed = {
        rule: metric("AWS/S3", "OperationsFailedReplication", "Sum", {**ends, "RuleId": rule}) for rule in REPLICATED
    }
    total = " + ".join(f"FILL({rule}, 0)" for rule in failed)
    return {"replication-failed": derived(total, "objects not replicated", **failed)}


def _upkeep(watched: Watched) -> dict[str, Measure]:
    return {
        "maintain-errors": watched.function("maintain", "Errors"),
        "maintain-silent": watched.function("maintain", "Invocations"),
        "tiers-disagree": watched.own("tiers_disagree", "Maximum", function="maintain"),
    }


def _tiers(watched: Watched) -> dict[str, Measure]:
    return {
        "aurora-capacity": watched.aurora("ACUUtilization"),
        "aurora-connections": watched.aurora("DatabaseConnections"),
        "aurora-lag": watched.aurora("AuroraReplicaLagMaximum"),
        "valkey-memory": watched.valkey("DatabaseMemoryUsagePercentage"),
        "valkey-evictions": watched.valkey("Evictions", "Sum"),
        "valkey-cpu": watched.valkey("EngineCPUUtilization"),
        "valkey-lag": watched.valkey("ReplicationLag"),
    }
