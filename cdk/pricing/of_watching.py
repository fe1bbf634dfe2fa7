"""Rules: alarms, dashboards, notifications, schedules, experiments and tokens."""

from collections.abc import Iterator

from cdk.pricing.case import Case
from cdk.pricing.line import Line
from cdk.pricing.load import HOURS, SECONDS
from cdk.pricing.of_compute import runs_of
from cdk.pricing.templates import Resource

_SIGNALS = "signals"
_MINUTE = 60


def alarm(resource: Resource, case: Case) -> Iterator[Line]:
    """Price an alarm by the metrics that it reads, dearer where it looks more often than each minute."""
    read = [metric for metric in resource.properties.get("Metrics", []) if "MetricStat" in metric]
    periods = [metric["MetricStat"].get("Period", _MINUTE) for metric in read]
    periods = periods or [resource.properties.get("Period", _MINUTE)]
    often = any(isinstance(period, int) and period < _MINUTE for period in periods)
    price = "alarm_high_resolution" if often else "alarm"
    yield case.line(resource.part, _SIGNALS, "alarm", max(1, len(read)), price)


def composite_alarm(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a composite alarm."""
    yield case.line(resource.part, _SIGNALS, "composite alarm", 1, "composite_alarm")


def dashboard(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a dashboard."""
    yield case.line(resource.part, _SIGNALS, "dashboard", 1, "dashboard")


def topic(resource: Resource, case: Case) -> Iterator[Line]:
    """Price what a topic delivers."""
    yield case.line(resource.part, _SIGNALS, "notifications", case.measured["notifications"], "notification")


def schedule(resource: Resource, case: Case) -> Iterator[Line]:
    """Price the runs of a schedule."""
    yield case.line(resource.part, "other functions", "runs of the schedule", runs_of(resource), "schedule")


def experiment(resource: Resource, case: Case) -> Iterator[Line]:
    """Price an experiment's actions."""
    yield case.line(resource.part, "experiments", "actions", case.measured["fault_minutes"], "fault_minute")


def client(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a client of the user pool, with a token for each of its processes whenever the last one ends."""
    measured = case.measured
    yield case.line(resource.part, "tokens", "client", 1, "token_client")
    tokens = measured["client_processes"] * HOURS / measured["token_hours"]
    yield case.line(resource.part, "tokens", "tokens", tokens, "token")


def event_rule(resource: Resource, case: Case) -> Iterator[Line]:
    """Price the events that a rule passes on, at most one a minute."""
    yield case.line(resource.part, _SIGNALS, "events", SECONDS / _MINUTE, "event")
