"""Rules: the tiers, the network, keys, secrets and buckets."""

from collections.abc import Iterator

from cdk.pricing import of_training
from cdk.pricing.case import Case
from cdk.pricing.line import Line
from cdk.pricing.load import HOURS, SECONDS
from cdk.pricing.of_regions import replication
from cdk.pricing.templates import Resource

_LEAST_PROXY_ACU = 8
_CLUSTER = "AWS::RDS::DBCluster"
_SERVERLESS = "db.serverless"


def cache(resource: Resource, case: Case) -> Iterator[Line]:
    """Price the nodes of a cache, its snapshots and its log."""
    properties = resource.properties
    nodes, kind = int(properties.get("NumCacheClusters", 1)), str(properties["CacheNodeType"])
    price = case.prices["cache_node"]
    usd = price.of_kind(kind, nodes * HOURS)
    yield Line(resource.part, "fast tier", f"{nodes} nodes of {kind}", nodes * HOURS, price.unit, usd)
    snapshots = max(0, int(properties.get("SnapshotRetentionLimit", 0)) - 1)  # one of each cache is free
    size = snapshots * case.measured["cache_gigabytes"]
    yield case.line(resource.part, "fast tier", "snapshots", size, "cache_backup")
    if properties.get("LogDeliveryConfigurations"):
        yield _server_log(resource, case, "fast tier")


def database_cluster(resource: Resource, case: Case) -> Iterator[Line]:
    """Price what a cluster stores, writes and backs up, and its log."""
    measured, part = case.measured, resource.part
    size = measured["durable_gigabytes"]
    yield case.line(part, "durable tier", "storage", size, "aurora_storage")
    if "GlobalClusterIdentifier" not in resource.properties:  # what follows pays for the writes that are repeated
        yield case.line(part, "durable tier", "I/O", case.writes * SECONDS * measured["durable_io"], "aurora_io")
    if int(resource.properties.get("BackupRetentionPeriod", 1)) > 1:  # as much as is stored is free
        yield case.line(part, "durable tier", "backups beyond the free one", size, "aurora_backup")
    if resource.properties.get("EnableCloudwatchLogsExports"):
        yield _server_log(resource, case, "durable tier")


def database_instance(resource: Resource, case: Case) -> Iterator[Line]:
    """Price the capacity units of one instance: the least ones, and what writes need beyond."""
    kind = str(resource.properties.get("DBInstanceClass", ""))
    cluster = case.templates.referred(resource, resource.properties.get("DBClusterIdentifier"))
    if kind != _SERVERLESS or cluster is None:
        case.prices["acu"].of_kind(kind or resource.name, HOURS)
    acu = _acu(cluster, case)
    yield case.line(resource.part, "durable tier", f"{acu:.1f} ACU", acu * HOURS, "acu")


def proxy(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a proxy by the capacity units behind it, at least eight."""
    clusters, instances = case.templates.of(_CLUSTER), case.templates.of("AWS::RDS::DBInstance")
    units = sum(_acu(cluster, case) for cluster in clusters[:1]) * len(instances)
    yield case.line(resource.part, "durable tier", "proxy", max(_LEAST_PROXY_ACU, units) * HOURS, "proxy")


def endpoint(resource: Resource, case: Case) -> Iterator[Line]:
    """Price an interface endpoint in each zone; a gateway endpoint is free."""
    if resource.properties.get("VpcEndpointType") != "Interface":
        return
    zones = len(resource.properties.get("SubnetIds", []))
    yield case.line(resource.part, "network", "interface endpoint", zones * HOURS, "endpoint")


def nat(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a NAT gateway's hours."""
    yield case.line(resource.part, "network", "NAT gateway", HOURS, "nat")


def address(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a public address."""
    yield case.line(resource.part, "network", "public address", HOURS, "public_address")


def flow_log(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a flow log that refused connections alone go to."""
    yield case.line(resource.part, "network", "flow log", case.measured["flow_log_gigabytes"], "log")


def key(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a key, and what reads of secrets and releases ask of it."""
    yield case.line(resource.part, "keys, secrets, buckets", "key", 1, "key")
    yield case.line(resource.part, "keys, secrets, buckets", "uses of the key", starts(case), "key_request")


def secret(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a secret, read once by each new environment."""
    replicas = len(resource.properties.get("ReplicaRegions", []))
    yield case.line(resource.part, "keys, secrets, buckets", "secret", 1 + replicas, "secret")
    yield case.line(resource.part, "keys, secrets, buckets", "reads of the secret", starts(case), "secret_request")


def bucket(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a bucket of releases or of its access log, with what environments read from it; training's by its size."""
    if resource.part == of_training.PART:
        yield from of_training.bucket(resource, case)
        return
    component, measured = "keys, secrets, buckets", case.measured
    reads = starts(case) * 2 + measured["routing_reads"] * HOURS
    yield case.line(resource.part, component, "storage", measured["release_gigabytes"], "bucket_storage")
    yield case.line(resource.part, component, "reads", reads, "bucket_read")
    yield case.line(resource.part, component, "lists", measured["routing_reads"] * HOURS, "bucket_list")
    if "ReplicationConfiguration" in resource.properties:
        yield from replication(resource, case)


def starts(case: Case) -> float:
    """Return how many environments begin in a month."""
    return max(case.held, case.needed, 1) * HOURS / case.measured["environment_hours"]


def _acu(cluster: Resource | None, case: Case) -> float:
    told = cluster.properties.get("ServerlessV2ScalingConfiguration", {}) if cluster else {}
    least, most = float(told.get("MinCapacity", 0.5)), float(told.get("MaxCapacity", 256))
    return min(most, least + case.writes * case.measured["acu_of_writes"])


def _server_log(resource: Resource, case: Case, component: str) -> Line:
    return case.line(resource.part, component, "log", case.measured["server_log_gigabytes"], "log")
