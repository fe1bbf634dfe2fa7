"""Rules: what a second region adds, and what may stand before both."""

from collections.abc import Iterator

from cdk.pricing.case import GB, Case
from cdk.pricing.line import Line
from cdk.pricing.load import HOURS, SECONDS
from cdk.pricing.templates import Resource

_PART = "between regions"
_EDGE = "edge"
_FAST, _HTTPS = 10, "HTTPS"


def global_cluster(resource: Resource, case: Case) -> Iterator[Line]:
    """Price the writes that Aurora repeats in the other region."""
    writes = case.writes * SECONDS * case.measured["durable_io"]
    yield case.line(resource.part, _PART, "I/O of the database, repeated", writes, "aurora_replicated_io")


def proxy_endpoint(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a proxy's further endpoint, which is an interface endpoint in each zone."""
    zones = len(resource.properties.get("VpcSubnetIds", []))
    yield case.line(resource.part, "durable tier", "reading endpoint of the proxy", zones * HOURS, "endpoint")


def replication(resource: Resource, case: Case) -> Iterator[Line]:
    """Price what a bucket copies to the other region, and S3's promise of when it is there."""
    size = case.measured["release_gigabytes"]
    yield case.line(resource.part, _PART, "releases, copied", size, "between_regions")
    yield case.line(resource.part, _PART, "releases, in time", size, "replication_time")


def health_check(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a health check, and what it does beyond the plain one."""
    told = resource.properties.get("HealthCheckConfig", {})
    options = (told.get("Type") == _HTTPS) + (told.get("RequestInterval") == _FAST) + bool(told.get("MeasureLatency"))
    yield case.line(resource.part, _EDGE, "health check", 1, "health_check")
    yield case.line(resource.part, _EDGE, "health check, over TLS and often", options, "health_check_option")


def distribution(resource: Resource, case: Case) -> Iterator[Line]:
    """Price the requests that CloudFront takes: all of the stage's, since it stands before every region."""
    yield case.line(resource.part, _EDGE, "requests through CloudFront", _all(case), "distribution_request")


def firewall(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a firewall, its rules, and the requests that it looks at."""
    rules = len(resource.properties.get("Rules", []))
    yield case.line(resource.part, _EDGE, "firewall", 1, "firewall")
    yield case.line(resource.part, _EDGE, "rules of the firewall", rules, "firewall_rule")
    yield case.line(resource.part, _EDGE, "requests through the firewall", _all(case), "firewall_request")


def between_regions(case: Case) -> Iterator[Line]:
    """Price writes on their way to the region that takes them, and what that sends of them to the other one."""
    measured, writes = case.measured, case.writes * SECONDS / GB
    if not case.writes_here and case.templates.of("AWS::ApiGatewayV2::Api"):
        size = measured["header_bytes"] + measured["answer_bytes"]
        yield case.line("", _PART, "writes, handed on", writes * size, "between_regions")
    if case.templates.of("AWS::RDS::GlobalCluster"):
        yield case.line("", _PART, "the database's log of them", writes * measured["write_bytes"], "between_regions")


def _all(case: Case) -> float:
    """Return the requests of both regions, of which this one sees half."""
    return case.load.calls * 2 + case.writes * SECONDS
