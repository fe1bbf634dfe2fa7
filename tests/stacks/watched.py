"""What the templates of the monitoring say: alarms, what they look at, what dashboards show, who may what."""

import json
from collections.abc import Iterator
from typing import Any

from stacks.constructs.signals import NAMESPACE
from tests.stacks.conftest import PLACES, Synthesized, Template


def alarms(synthesized: Synthesized, stage: str) -> dict[str, Template]:
    """Return the metric alarms of a stage's monitoring, by name without "ebb-STAGE-"."""
    found = synthesized.resources(stage, "monitoring", "AWS::CloudWatch::Alarm").values()
    named = {alarm["Properties"]["AlarmName"]: alarm["Properties"] for alarm in found}
    return {name.removeprefix(f"ebb-{PLACES[stage].name}-"): given for name, given in named.items()}


def composites(synthesized: Synthesized, stage: str) -> dict[str, Template]:
    """Return the composite alarms, by name without "ebb-STAGE-"."""
    found = synthesized.resources(stage, "monitoring", "AWS::CloudWatch::CompositeAlarm").values()
    named = {alarm["Properties"]["AlarmName"]: alarm["Properties"] for alarm in found}
    return {name.removeprefix(f"ebb-{PLACES[stage].name}-"): given for name, given in named.items()}


def flat(value: Any) -> str:
    """Return a value's text with references written as ${Name}."""
    if isinstance(value, dict) and "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(flat(part) for part in parts)
    if isinstance(value, dict):
        (inner,) = value.values()
        return f"${{{'.'.join(inner) if isinstance(inner, list) else inner}}}"
    return str(value)


def statements(synthesized: Synthesized, stage: str, kind: str) -> list[Template]:
    """Return every statement of a kind of policy in the monitoring."""
    found = synthesized.resources(stage, "monitoring", kind).values()
    return [one for policy in found for one in policy["Properties"]["PolicyDocument"]["Statement"]]


def looked_at(alarm: Template) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield namespace, name and dimensions of each metric of an alarm."""
    metrics = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one] or [alarm]
    for metric in metrics:
        yield metric["Namespace"], metric["MetricName"], {one["Name"]: one["Value"] for one in metric["Dimensions"]}


def shown(synthesized: Synthesized, stage: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield namespace, name and dimensions of each metric of the dashboards."""
    for dashboard in synthesized.resources(stage, "monitoring", "AWS::CloudWatch::Dashboard").values():
        for widget in json.loads(flat(dashboard["Properties"]["DashboardBody"]))["widgets"]:
            for row in widget["properties"].get("metrics", []):
                if isinstance(row[0], str):
                    words = [word for word in row if isinstance(word, str)]
                    yield words[0], words[1], dict(zip(words[2::2], words[3::2], strict=True))


def every_metric(synthesized: Synthesized, stage: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return each metric that a dashboard or an alarm names."""
    return [
        *shown(synthesized, stage),
        *(one for alarm in alarms(synthesized, stage).values() for one in looked_at(alarm)),
    ]


def own_metrics(synthesized: Synthesized, stage: str) -> list[tuple[str, dict[str, Any]]]:
    """Return name and dimensions of each metric of the functions' own."""
    return [(name, given) for space, name, given in every_metric(synthesized, stage) if space == NAMESPACE]
