"""The metrics that dashboards and alarms are made of: those of AWS, and those that the functions emit themselves."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as aws
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.stage import Stage

NAMESPACE = "Ebb"
"""Of the functions' own metrics; docs/signals.md says what each of them is."""

MINUTE = 60

Measure = cloudwatch.Metric | cloudwatch.MathExpression


def ours(stage: Stage, name: str, statistic: str = "Sum", *, function: str = "predict") -> cloudwatch.Metric:
    """Return a metric that a function emits.

    Args:
        stage: whose contract it is told apart by.
        name: as in docs/signals.md.
        statistic: over a minute.
        function: that emits it.
    """
    return metric(NAMESPACE, name, statistic, {"function": function, "contract": stage.contract or "none"})


def metric(namespace: str, name: str, statistic: str, dimensions: Mapping[str, str]) -> cloudwatch.Metric:
    """Return a metric of a minute; an alarm or a graph may give it another period."""
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        statistic=statistic,
        dimensions_map=dict(dimensions),
        period=aws.Duration.seconds(MINUTE),
    )


def derived(expression: str, label: str, **using: Measure) -> cloudwatch.MathExpression:
    """Return what is computed of metrics, each named by its keyword."""
    metrics: dict[str, Any] = dict(using)
    return cloudwatch.MathExpression(
        expression=expression, label=label, using_metrics=metrics, period=aws.Duration.seconds(MINUTE)
    )


def share(part: Measure, whole: Measure, label: str, least: int = 1) -> cloudwatch.MathExpression:
    """Return which share a part has, from 0 to 1; 0 where the whole is below `least`: too few to judge by.

    CloudWatch holds no value for a count that did not happen, so a part that is missing is none.
    """
    return derived(f"IF(whole >= {least}, FILL(part, 0) / whole, 0)", label, part=part, whole=whole)


def largest(measures: list[Measure], label: str) -> Measure:
    """Return the largest of the same metric of several nodes."""
    if len(measures) == 1:
        return measures[0]
    word = label[:1].lower() + label[1:]  # a graph may show several: their ids must differ
    named = {f"{word}{number}": measure for number, measure in enumerate(measures, start=1)}
    return derived(f"MAX([{', '.join(named)}])", label, **named)
