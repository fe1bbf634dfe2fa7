"""The roles that SageMaker's jobs run as: one for trainings, one for processing, each for its prefixes alone."""

from collections.abc import Sequence

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.job_image import JobImage
from stacks.constructs.tracking import Tracking
from stacks.constructs.training_places import (
    CHECKPOINTS,
    CONTRACTS,
    EVENTS,
    JOBS,
    SCORED,
    TABLES,
    TRACKING,
    TrainingPlaces,
)

SAGEMAKER = "sagemaker.amazonaws.com"
TRAININGS, PROCESSINGS = "/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs"
"""The log groups of all jobs of an account, which SageMaker makes and names."""


def make_training_role(
    scope: Construct, stage: Stage, places: TrainingPlaces, image: JobImage, tracking: Tracking
) -> iam.Role:
    """Add the role of trainings: reads contracts and tables, keeps results and checkpoints, records runs."""
    role = job_role(scope, "TrainingRole", f"Ebb {stage.name}: trainings on SageMaker")
    places.grant_read(role, places.data, CONTRACTS, TABLES)
    places.grant_write(role, places.artefacts, JOBS, CHECKPOINTS, TRACKING)
    tracking.grant_record(role)
    image.grant_pull(role)
    _allow_log(role, TRAININGS)
    return role


def make_processing_role(scope: Construct, stage: Stage, places: TrainingPlaces, image: JobImage) -> iam.Role:
    """Add the role of processing: builds features, validates, evaluates, and scores batches."""
    role = job_role(scope, "ProcessingRole", f"Ebb {stage.name}: processing and batch scoring on SageMaker")
    places.grant_read(role, places.data, CONTRACTS, EVENTS, TABLES)
    places.grant_write(role, places.artefacts, JOBS, SCORED)
    image.grant_pull(role)
    _allow_log(role, PROCESSINGS)
    return role


def job_role(scope: Construct, name: str, description: str) -> iam.Role:
    """Add a role that SageMaker takes for this account, and for no other that names it."""
    account = aws.Stack.of(scope).account
    trusted = iam.ServicePrincipal(SAGEMAKER).with_conditions({"StringEquals": {"aws:SourceAccount": account}})
    return iam.Role(scope, name, description=description, assumed_by=trusted)


def allow_pass(role: iam.Role, passed: Sequence[iam.IRole]) -> None:
    """Let a role hand other roles to SageMaker, and to no other service."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[one.role_arn for one in passed],
            conditions={"StringEquals": {"iam:PassedToService": SAGEMAKER}},
        )
    )


def address_of(scope: Construct, service: str, resource: str, name: str = "", mark: str = ":") -> str:
    """Return an address in this account and region."""
    return f"arn:{aws.Aws.PARTITION}:{service}:{aws.Stack.of(scope).region}:{aws.Aws.ACCOUNT_ID}:{resource}" + (
        f"{mark}{name}" if name else ""
    )


def allow_named(role: iam.Role, actions: Sequence[str], resources: Sequence[str], reason: str) -> None:
    """Let a role act on what is named when it is made, with the reason for each wildcard.

    Args:
        role: who acts.
        actions: what.
        resources: made by `address_of`.
        reason: for cdk-nag.
    """
    role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=list(resources)))
    for resource in resources:
        if "*" in resource:
            written = aws.Stack.of(role).resolve(resource)
            acknowledge(role, f"IAM5[Resource::{_as_nag_writes(written)}]", reason)


def _allow_log(role: iam.Role, group: str) -> None:
    allow_named(
        role,
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        [address_of(role, "logs", "log-group", f"{group}:*")],
        "SageMaker writes all jobs of an account into this one group, each into a stream that is named when it starts. "
        "A group of Ebb's own was considered; SageMaker cannot be told of one.",
    )


def _as_nag_writes(value: object) -> str:
    """Return an address as cdk-nag writes it: each reference as its name in angle brackets."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        if "Fn::Join" in value:
            return "".join(_as_nag_writes(part) for part in value["Fn::Join"][1])
        if "Ref" in value:
            return f"<{value['Ref']}>"
        if "Fn::GetAtt" in value:
            return f"<{'.'.join(value['Fn::GetAtt'])}>"
    raise TypeError(f"cdk-nag's way of writing {value!r} is not known here")
