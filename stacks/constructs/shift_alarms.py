"""What takes a shift back: alarms on the new version where it can be told apart, and on the whole function.

None looks at the alias itself or at the API before it: they would depend on the alias, whose update policy depends on
them. Where nobody asks, nothing is wrong: missing data breaks no limit.
"""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.signals import Measure, metric, ours, share

_LAMBDA = "AWS/Lambda"


def shift_alarms(
    scope: Construct, stage: Stage, function: aws_lambda.Function, alias: str, version: aws_lambda.IVersion
) -> Sequence[cloudwatch.Alarm]:
    """Add the alarms of a shift to a version.

    Lambda tells its own metrics apart by version while an alias' weights stand. In a shift all at once they never do,
    and the alias' metrics are the new version's.

    Args:
        scope: the stack.
        stage: says the limits, and whether weights stand.
        function: whose code is shifted.
        alias: its alias' name.
        version: the new version.
    """
    name, limits = function.function_name, stage.limits
    of = {"FunctionName": name, "Resource": f"{name}:{alias}"}
    if stage.shift == "linear":
        of["ExecutedVersion"] = version.version
    crashed, invoked = (metric(_LAMBDA, each, "Sum", of) for each in ("Errors", "Invocations"))
    slow = metric(_LAMBDA, "Duration", "p95", of)
    failed, asked, ruled, scored = (ours(stage, each) for each in ("failed", "requests", "degraded", "predictions"))
    least = limits.least
    shares = (
        ("Crashed", share(crashed, invoked, "crashed", least), limits.errors, "a new version crashes or times out"),
        ("Failed", share(failed, asked, "failed", least), limits.errors, "answers have a status of 500 or more"),
        ("Degraded", share(ruled, scored, "degraded", least), limits.degraded, "rules answer instead of a release"),
    )
    return [
        *(_alarm(scope, *each) for each in shares),
        _alarm(scope, "Slow", slow, limits.p95_ms, "a new version is slow (p95)", percentile=True),
    ]


def _alarm(
    scope: Construct, name: str, measure: Measure, limit: float, description: str, *, percentile: bool = False
) -> cloudwatch.Alarm:
    return cloudwatch.Alarm(
        scope,
        f"Shift{name}",
        metric=measure,
        threshold=limit,
        evaluation_periods=3,
        datapoints_to_alarm=2,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        evaluate_low_sample_count_percentile="ignore" if percentile else None,
        alarm_description=f"Ebb: takes a shift of the code back, since {description}. See docs/deployment.md",
    )
