"""Alarms from their table: each names its runbook and tells one topic when it begins and when it ends."""

from collections.abc import Mapping, Sequence

import aws_cdk as aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.alarm_table import Alarm, Told
from stacks.constructs.signals import Measure

_ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
_BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD


def described(means: str, runbook: str) -> str:
    """Return what an alarm says of itself."""
    return f"Ebb: {means}. Runbook: docs/runbooks/{runbook}.md"


def titled(name: str) -> str:
    """Return a construct's name: "gateway-errors" becomes "GatewayErrors"."""
    return "".join(word.capitalize() for word in name.split("-"))


def make_alarm(scope: Construct, stage: Stage, row: Alarm, measure: Measure) -> cloudwatch.Alarm:
    """Add the alarm of one row; it tells nobody yet.

    Args:
        scope: the stack.
        stage: in its name.
        row: of the table.
        measure: what it looks at, in the row's period.
    """
    percentile = isinstance(measure, cloudwatch.Metric) and measure.statistic.startswith("p")
    return cloudwatch.Alarm(
        scope,
        titled(row.name),
        alarm_name=f"ebb-{stage.name}-{row.name}",
        alarm_description=described(row.means, row.runbook),
        metric=measure.with_(period=aws.Duration.seconds(row.period)),
        threshold=row.beyond,
        comparison_operator=_BELOW if row.below else _ABOVE,
        datapoints_to_alarm=row.points,
        evaluation_periods=row.of,
        treat_missing_data=row.silence,
        evaluate_low_sample_count_percentile="ignore" if percentile else None,  # too few to tell the slowest twentieth
    )


def make_composite(
    scope: Construct, stage: Stage, row: tuple[str, str, str], rule: cloudwatch.IAlarmRule
) -> cloudwatch.CompositeAlarm:
    """Add an alarm of other alarms; it tells nobody yet.

    Args:
        scope: the stack.
        stage: in its name.
        row: name, meaning, runbook.
        rule: over the others.
    """
    name, means, runbook = row
    return cloudwatch.CompositeAlarm(
        scope,
        titled(name),
        composite_alarm_name=f"ebb-{stage.name}-{name}",
        alarm_description=described(means, runbook),
        alarm_rule=rule,
    )


def tell(alarm: cloudwatch.AlarmBase, told: Told, topics: Mapping[str, sns.ITopic]) -> None:
    """Let an alarm tell a topic that it begins, and that it is over."""
    if told != "nobody":
        action = actions.SnsAction(topics[told])
        alarm.add_alarm_action(action)
        alarm.add_ok_action(action)


def any_of(alarms: Sequence[cloudwatch.IAlarm]) -> cloudwatch.IAlarmRule:
    """Return the rule that one of them holds."""
    return cloudwatch.AlarmRule.any_of(*[_holds(alarm) for alarm in alarms])


def all_of(alarms: Sequence[cloudwatch.IAlarm]) -> cloudwatch.IAlarmRule:
    """Return the rule that all of them hold."""
    return cloudwatch.AlarmRule.all_of(*[_holds(alarm) for alarm in alarms])


def _holds(alarm: cloudwatch.IAlarm) -> cloudwatch.IAlarmRule:
    return cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM)
