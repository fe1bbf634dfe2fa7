"""The role of whoever starts trainings, processing, batch runs and queries: a person, or what schedules them."""

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.batch_scoring import executions_of
from stacks.constructs.job_roles import PROCESSINGS, TRAININGS, address_of, allow_named, allow_pass
from stacks.constructs.queries import Queries
from stacks.constructs.tracking import Tracking
from stacks.constructs.training_places import (
    CONTRACTS,
    DVC,
    EVENTS,
    JOBS,
    QUERIES,
    SCORED,
    TABLES,
    TRACKING,
    TrainingPlaces,
)

_HOURS = 4
_KINDS = ("Training", "Processing")
_NAMED = (
    "Jobs, their logs and runs are named when they start, and their names begin as Ebb writes them. A role for each "
    "was considered; it would have to be made before each start."
)


def make_starter(scope: Construct, stage: Stage, places: TrainingPlaces) -> iam.Role:
    """Add the role, which anybody of the account may take whose own policy says so.

    It puts data in and takes results out; it cannot delete, change a release, or reach what serves.
    """
    role = iam.Role(
        scope,
        "Starter",
        description=f"Ebb {stage.name}: starts trainings, processing, batch runs and queries",
        assumed_by=iam.AccountPrincipal(aws.Stack.of(scope).account),
        max_session_duration=aws.Duration.hours(_HOURS),
    )
    places.grant_write(role, places.data, CONTRACTS, EVENTS, TABLES, DVC)
    places.grant_read(role, places.artefacts, JOBS, SCORED)
    places.grant_write(role, places.artefacts, TRACKING)
    places.grant_write(role, places.results, QUERIES)
    whole = [bucket.bucket_arn for bucket in (places.data, places.results)]
    role.add_to_policy(iam.PolicyStatement(actions=["s3:GetBucketLocation"], resources=whole))  # Athena asks for it
    return role


def allow_jobs(role: iam.Role, training: iam.Role, processing: iam.Role) -> None:
    """Let it start, watch and stop jobs of these two roles, and read their logs."""
    allow_pass(role, [training, processing])
    for kind in _KINDS:
        allow_named(
            role,
            [f"sagemaker:{verb}{kind}Job" for verb in ("Create", "Describe", "Stop")],
            [address_of(role, "sagemaker", f"{kind.lower()}-job", "ebb-*", "/")],
            _NAMED,
        )
    for group in (TRAININGS, PROCESSINGS):
        allow_named(role, ["logs:DescribeLogStreams"], [address_of(role, "logs", "log-group", f"{group}:*")], _NAMED)
        streams = address_of(role, "logs", "log-group", f"{group}:log-stream:ebb-*")
        allow_named(role, ["logs:GetLogEvents"], [streams], _NAMED)


def allow_runs(role: iam.Role, machine: stepfunctions.CfnStateMachine) -> None:
    """Let it start batch scoring, and watch and stop its runs."""
    start = iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine.ref])
    role.add_to_policy(start)
    allow_named(role, ["states:DescribeExecution", "states:StopExecution"], executions_of(machine), _NAMED)


def allow_questions(role: iam.Role, queries: Queries, tracking: Tracking) -> None:
    """Let it ask Athena, and read and open the tracking server."""
    queries.grant_ask(role)
    tracking.grant_record(role)
    tracking.grant_open(role)
