"""Costs that no resource stands for, each by name, so that none is forgotten."""

from collections.abc import Callable, Iterator

from cdk.pricing import of_training
from cdk.pricing.case import GB, Case, architecture_of
from cdk.pricing.line import Line
from cdk.pricing.load import SECONDS
from cdk.pricing.of_data import starts
from cdk.pricing.of_regions import between_regions

_SECRET_BYTES, _MINUTES = 8_192, 60
_ROUNDED_MINUTES = 5


def metrics(case: Case) -> Iterator[Line]:
    """Price the metrics that functions write as lines (EMF): each name is a custom metric, whatever its count."""
    ours = [
        f
        for f in case.templates.of("AWS::Lambda::Function")
        if str(f.properties.get("Handler", "")).startswith("lambdas.")
    ]
    yield case.line("", "signals", "metrics of functions", len(ours) * case.measured["metric_names"], "metric")


def between_zones(case: Case) -> Iterator[Line]:
    """Price what predictions exchange with Valkey in other zones."""
    size = case.load.predictions * case.measured["cache_bytes"] / GB
    yield case.line("", "between zones", "to Valkey and back", size * case.measured["other_zones"], "between_zones")


def overlap(case: Case) -> Iterator[Line]:
    """Price the second warm version while a deployment shifts; time is rounded up to five minutes."""
    minutes = -(-case.measured["overlap"] // _ROUNDED_MINUTES) * _ROUNDED_MINUTES
    seconds = case.measured["deployments"] * minutes * _MINUTES * case.held
    price = f"lambda_warm_held_{architecture_of(case.predict)}"
    yield case.line("", "deployments", "second version, warm", seconds * case.memory_mb / 1024, price)


def row_bytes(case: Case) -> float:
    """Return the bytes of a row in a batch's answer: compressed, but by a REST API, which is sent texts."""
    return case.measured["answer_bytes" if case.templates.of("AWS::ApiGateway::RestApi") else "row_answer_bytes"]


def egress(case: Case) -> Iterator[Line]:
    """Price answers, as if every caller stood outside of AWS."""
    load, measured = case.load, case.measured
    size = (load.calls + case.writes * SECONDS) * measured["header_bytes"]
    size += (load.rps + case.writes) * SECONDS * measured["answer_bytes"]
    size += load.batches * load.rows * SECONDS * row_bytes(case)
    yield case.line("", "egress", "answers", size / GB, "egress")


def endpoint_bytes(case: Case) -> Iterator[Line]:
    """Price what passes the interface endpoints: each new environment reads its secrets."""
    yield case.line("", "network", "through endpoints", starts(case) * _SECRET_BYTES / GB, "endpoint_data")


UNSEEN: dict[str, Callable[[Case], Iterator[Line]]] = {
    "metrics in log lines (EMF)": metrics,
    "bytes between zones": between_zones,
    "bytes between regions": between_regions,
    "two warm versions during a shift": overlap,
    "egress": egress,
    "bytes through endpoints": endpoint_bytes,
    "machines of training's jobs": of_training.machines,
}
"""What is priced without a resource of its own."""

ELSEWHERE = {
    "access log": "with AWS::ApiGatewayV2::Stage, or AWS::ApiGateway::Stage",
    "platform log of the functions": "with AWS::Lambda::Function",
    "delivery of prediction events": "with AWS::Lambda::Function: the sink is its log",
    "tokens of the user pool": "with AWS::Cognito::UserPoolClient",
    "traces": "with AWS::Lambda::Function",
}
"""Other costs without a resource, and the rule that counts them."""
