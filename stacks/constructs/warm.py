"""Warm versions: the alias `live`, and a scalable target on the version that it names."""

import aws_cdk as aws
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda
from constructs import Construct

from cdk.stage import Stage

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
        scale_in_cooldown=aws.Duration.minutes(5),
        scale_out_cooldown=aws.Duration.seconds(0),
    )
    for schedule in serving.schedules:
        target.scale_on_schedule(
            schedule.name,
            schedule=scaling.Schedule.cron(hour=str(schedule.hour), minute="0"),
            min_capacity=schedule.least,
            max_capacity=serving.most_provisioned,
        )
    return live
