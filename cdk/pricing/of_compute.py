"""Rules: functions with what they log and trace, their warm versions, and the door."""

from collections.abc import Iterator, Mapping
from typing import Any

from cdk.pricing.case import GB, Case, architecture_of, memory_of
from cdk.pricing.line import Line
from cdk.pricing.load import SECONDS
from cdk.pricing.templates import Resource

_RECORDS = "lambdas.records."
_METERED = 512 * 1024
"""Bytes of a request or an answer that an HTTP API counts as one."""
_METRICS_SECONDS = 10
_METRICS_OF_A_ROUTE = 6
"""Count, 4xx, 5xx, Latency, IntegrationLatency, DataProcessed."""
_METRICS_OF_A_METHOD = 5
"""Count, 4XXError, 5XXError, Latency, IntegrationLatency."""
_DAYS = 30.4


def function(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a function's calls, its time, its log and its traces."""
    if resource == case.predict:
        yield from _predict(resource, case)
        return
    calls, seconds = _asked(resource, case)
    component, title = "other functions", _title(resource)
    gigabytes = memory_of(resource) / 1024
    price = f"lambda_{architecture_of(resource)}"
    yield case.line(resource.part, component, f"{title}: calls", calls, "lambda_request")
    yield case.line(resource.part, component, f"{title}: time", calls * seconds * gigabytes, price)
    yield from _logged(resource, case, component, _platform(resource, case) * calls)
    yield from _traced(resource, case, calls)


def version(resource: Resource, case: Case) -> Iterator[Line]:
    """Price the warm environments of a version: of the prediction function's as many as its capacity needs."""
    told = resource.properties.get("ProvisionedConcurrencyConfig")
    if not told:
        return
    owner = case.templates.referred(resource, resource.properties.get("FunctionName"))
    predicts = owner == case.predict
    held = case.held if predicts else float(told["ProvisionedConcurrentExecutions"])
    found = owner or case.predict
    price = f"lambda_warm_held_{architecture_of(found)}"
    seconds = held * SECONDS * memory_of(found) / 1024
    yield case.line(resource.part, "warm environments", f"{held:,.0f} environments held", seconds, price)


def http_api(resource: Resource, case: Case) -> Iterator[Line]:
    """Price the requests that the door counts, those to `records` among them."""
    yield case.line(resource.part, "door", "requests", _counted(case), "http_api_request")


def rest_api(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a REST API's requests, which have no size."""
    yield case.line(resource.part, "door", "requests", case.load.calls + case.writes * SECONDS, "rest_api_request")


def http_stage(resource: Resource, case: Case) -> Iterator[Line]:
    """Price the access log and the metrics of each route."""
    yield from _access_log(resource, case, resource.properties.get("AccessLogSettings"))
    if resource.properties.get("DefaultRouteSettings", {}).get("DetailedMetricsEnabled"):
        routes = len(case.templates.of("AWS::ApiGatewayV2::Route"))
        yield case.line(resource.part, "signals", "metrics of routes", routes * _METRICS_OF_A_ROUTE, "metric")


def rest_stage(resource: Resource, case: Case) -> Iterator[Line]:
    """Price the access log of a REST API and the metrics of each method."""
    yield from _access_log(resource, case, resource.properties.get("AccessLogSetting"))
    if any(each.get("MetricsEnabled") for each in resource.properties.get("MethodSettings", [])):
        methods = len(case.templates.of("AWS::ApiGateway::Method"))
        yield case.line(resource.part, "signals", "metrics of methods", methods * _METRICS_OF_A_METHOD, "metric")


def _access_log(resource: Resource, case: Case, settings: Mapping[str, Any] | None) -> Iterator[Line]:
    if not settings:
        return
    size = (case.load.calls + case.writes * SECONDS) * case.measured["access_log_bytes"] / GB
    group = case.templates.referred(resource, settings.get("DestinationArn"))
    yield case.line(resource.part, "access log", "access log, written", size, "log")
    kept = size * case.measured["log_compressed"]
    yield _kept(case, group, Line(resource.part, "access log", "access log, kept", kept, "", 0.0))


def _predict(resource: Resource, case: Case) -> Iterator[Line]:
    load, measured, part = case.load, case.measured, resource.part
    warm = bool(
        [v for v in case.templates.of("AWS::Lambda::Version") if v.properties.get("ProvisionedConcurrencyConfig")]
    )
    price = f"lambda_{'warm_running_' if warm else ''}{architecture_of(resource)}"
    busy = (load.rps * case.single_seconds + load.batches * case.batch_seconds) * SECONDS * case.memory_mb / 1024
    yield case.line(part, "predictions", "calls", load.calls, "lambda_request")
    yield case.line(part, "predictions", "time", busy, price, "dollars")
    events = load.rps * SECONDS * measured["event_bytes"]
    rows = load.batches * load.rows * SECONDS * measured["row_event_bytes"]
    platform = _platform(resource, case) * load.calls
    metrics = metrics_lines(case) * measured["metrics_bytes"]
    whole, ingested = (events + rows + platform + metrics) / GB, case.prices["lambda_log"]
    usd = ingested.of(whole)
    group = case.templates.referred(resource, resource.properties.get("LoggingConfig", {}).get("LogGroup"))
    for component, what, size, left in (
        ("prediction events", "events", events, "event_compressed"),
        ("prediction events", "events of rows", rows, "row_event_compressed"),
        ("platform log", "start and report lines", platform, "log_compressed"),
        ("signals", "lines of metrics", metrics, "log_compressed"),
    ):
        share = size / GB / whole if whole else 0.0
        yield Line(part, component, f"{what}, written", size / GB, ingested.unit, usd * share)
        yield _kept(case, group, Line(part, component, f"{what}, kept", size / GB * measured[left], "", 0.0))
    yield from _traced(resource, case, load.calls)


def metrics_lines(case: Case) -> float:
    """Return how many lines of metrics the prediction function writes a month: one per 100 requests or 10 s."""
    of_one = (case.load.rps + case.load.batches) / max(case.held, 1)
    return case.load.calls / max(1.0, min(case.measured["metrics_lines"], of_one * _METRICS_SECONDS))


def _counted(case: Case) -> float:
    measured, load = case.measured, case.load
    answer = max(measured["row_answer_bytes"], measured["question_bytes"]) * load.rows
    return (load.rps + load.batches * -(-answer // _METERED) + case.writes) * SECONDS


def _asked(resource: Resource, case: Case) -> tuple[float, float]:
    """Return a function's calls a month and the seconds of each."""
    measured = case.measured
    core = min(1.0, memory_of(resource) / 1_769)
    if str(resource.properties.get("Handler", "")).startswith(_RECORDS):
        return case.writes * SECONDS, (measured["write_cpu"] / 1e3 / core + measured["write_wait"]) / 1e3
    runs = sum(
        runs_of(schedule)
        for schedule in case.templates.of("AWS::Scheduler::Schedule")
        if case.templates.referred(schedule, schedule.properties.get("Target", {}).get("Arn")) == resource
    )
    if runs:
        return runs, measured["scheduled_seconds"]
    return measured["rare_calls"], float(resource.properties.get("Timeout", 3))


def runs_of(schedule: Resource) -> float:
    """Return how often a schedule runs in a month; one of cron at most daily."""
    told = str(schedule.properties.get("ScheduleExpression", ""))
    if not told.startswith("rate("):
        return SECONDS / 86_400
    number, unit = told.removeprefix("rate(").rstrip(")").split()
    return SECONDS / (int(number) * {"minute": 60, "hour": 3_600, "day": 86_400}[unit.rstrip("s")])


def _platform(resource: Resource, case: Case) -> float:
    told = resource.properties.get("LoggingConfig", {}).get("SystemLogLevel")
    return 0.0 if told == "WARN" else case.measured["platform_bytes"]


def _logged(resource: Resource, case: Case, component: str, size: float) -> Iterator[Line]:
    title = _title(resource)
    group = case.templates.referred(resource, resource.properties.get("LoggingConfig", {}).get("LogGroup"))
    yield case.line(resource.part, component, f"{title}: log, written", size / GB, "lambda_log")
    kept = size / GB * case.measured["log_compressed"]
    yield _kept(case, group, Line(resource.part, component, f"{title}: log, kept", kept, "", 0.0))


def _kept(case: Case, group: Resource | None, a_month: Line) -> Line:
    """Price what a log group holds once as much leaves as comes; a year's where nothing ever leaves.

    Args:
        case: the stage.
        group: says how long it keeps.
        a_month: compressed GB that come in a month.
    """
    days = float(group.properties.get("RetentionInDays", 365)) if group else 365.0
    return case.line(a_month.part, a_month.component, a_month.what, a_month.quantity * days / _DAYS, "log_kept")


def _traced(resource: Resource, case: Case, calls: float) -> Iterator[Line]:
    if resource.properties.get("TracingConfig", {}).get("Mode") == "Active":
        traces = min(calls, SECONDS + calls * case.measured["traced"])
        yield case.line(resource.part, "traces", f"{_title(resource)}: traces", traces, "trace")


def _title(resource: Resource) -> str:
    told = str(resource.properties.get("Handler", "")).split(".")
    return told[1] if told[0] == "lambdas" and len(told) > 1 else resource.name
