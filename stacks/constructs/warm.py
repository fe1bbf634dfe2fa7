"""Warm versions: the alias `live`, and a scalable target on the version that it names."""

import itertools

import aws_cdk as aws
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda
from constructs import Construct

from cdk.stage import REQUESTS_AN_ENVIRONMENT, Stage
from cdk.stage_parts import Serving

_STEPS, _LEAST_STEPS = 17, 3
"""Twenty may stand in a policy; with few, a region that takes half of the requests would hold far more than half."""
_SECONDS = 60
LIVE = "live"
"""The alias whose version answers."""

_SCALING_ROLE = (
    f"arn:{aws.Aws.PARTITION}:iam::{aws.Aws.ACCOUNT_ID}:role/aws-service-role/"
    "lambda.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"
)
"""Of Lambda itself; it is made with the first target, and no other may be given."""


def keep_warm(scope: Construct, stage: Stage, function: aws_lambda.Function) -> aws_lambda.Alias:
    """Publish a warm version behind the alias `live`, and let its capacity follow the load and the hour.

    The scalable target names the version and comes after the alias, so that it moves when the shift is over: until
    then the old version's capacity is the one that scales.
    """
    version = function.current_version
    serving = stage.serving
    live = aws_lambda.Alias(scope, "Live", alias_name=LIVE, version=version)
    target = scaling.ScalableTarget(
        scope,
        "Warm",
        service_namespace=scaling.ServiceNamespace.LAMBDA,
        scalable_dimension="lambda:function:ProvisionedConcurrency",
        resource_id=f"function:{function.function_name}:{version.version}",
        min_capacity=serving.provisioned,
        max_capacity=serving.most_provisioned,
        role=iam.Role.from_role_arn(scope, "ScalingRole", _SCALING_ROLE, mutable=False),
    )
    target.node.add_dependency(live)
    target.scale_to_track_metric(
        "Used",
        target_value=serving.utilisation,
        predefined_metric=scaling.PredefinedMetric.LAMBDA_PROVISIONED_CONCURRENCY_UTILIZATION,
        scale_out_cooldown=aws.Duration.seconds(0),
        disable_scale_in=True,
    )
    _follow_requests(target, live, serving)
    for schedule in serving.schedules:
        target.scale_on_schedule(
            schedule.name,
            schedule=scaling.Schedule.cron(hour=str(schedule.hour), minute="0"),
            min_capacity=schedule.least,
            max_capacity=serving.most_provisioned,
        )
    return live


def steps_of(serving: Serving) -> list[tuple[float, int]]:
    """Return from how many requests a minute on so many environments are wanted, rising.

    Lambda lets each environment take ten requests a second however short they are. At 2 ms a request, 15,000 a second
    keep 30 environments busy and need 1,500: tracking how many are busy would never ask for more. Each step is taken
    when the one before is filled to the stage's utilisation.
    """
    width = (serving.most_provisioned - serving.provisioned) / (_STEPS - 1)
    sizes = sorted({round(serving.provisioned + width * i) for i in range(_STEPS)})
    filled = _SECONDS * REQUESTS_AN_ENVIRONMENT * serving.utilisation
    return [(0.0, sizes[0]), *((round(before * filled), size) for before, size in itertools.pairwise(sizes))]


def _follow_requests(target: scaling.ScalableTarget, live: aws_lambda.Alias, serving: Serving) -> None:
    """Let the capacity follow the requests; that of the tracking, where requests take long, is the more where it is."""
    steps = steps_of(serving)
    if len(steps) < _LEAST_STEPS:
        return
    until = [*(begin for begin, _ in steps[1:]), None]
    target.scale_on_metric(
        "Asked",
        metric=live.metric_invocations(period=aws.Duration.minutes(1), statistic="Sum"),
        scaling_steps=[
            scaling.ScalingInterval(change=size, lower=begin, upper=end)
            for (begin, size), end in zip(steps, until, strict=True)
        ],
        adjustment_type=scaling.AdjustmentType.EXACT_CAPACITY,
        cooldown=aws.Duration.minutes(1),
    )
