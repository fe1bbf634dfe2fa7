"""Batch scoring in the cloud: the state machine whose definition `training.batch` writes, and the role it acts as."""

from pathlib import Path

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.job_image import JobImage
from stacks.constructs.job_roles import address_of, allow_named, allow_pass
from stacks.constructs.retention import retention_of
from stacks.constructs.training_places import JOBS, SCORED, TABLES, TrainingPlaces

DEFINITION = Path(__file__).with_name("batch_scoring.asl.json")
"""Written by `python -m tests.stacks.batch_definition` from `training.batch.state_machine`; a test tells of a drift."""

_RULE = "rule/StepFunctionsGetEventsForSageMakerProcessingJobsRule"
_DELIVERY = (
    "CreateLogDelivery",
    "DeleteLogDelivery",
    "DescribeLogGroups",
    "DescribeResourcePolicies",
    "GetLogDelivery",
    "ListLogDeliveries",
    "PutResourcePolicy",
    "UpdateLogDelivery",
)
_TRACES = ("GetSamplingRules", "GetSamplingTargets", "PutTelemetryRecords", "PutTraceSegments")


def make_batch_scoring(
    scope: Construct, stage: Stage, places: TrainingPlaces, image: JobImage, jobs: iam.Role
) -> stepfunctions.CfnStateMachine:
    """Add the state machine.

    Args:
        scope: the stack.
        stage: names its log, and says how long that is kept.
        places: shards are read below `tables`, releases below `jobs`; a run's results lie below `scored`.
        image: of the jobs.
        jobs: the role that they run as.
    """
    role = _role(scope, stage, places, jobs)
    log = logs.LogGroup(
        scope,
        "BatchLog",
        log_group_name=f"/aws/vendedlogs/states/ebb-{stage.name}-batch-scoring",
        retention=retention_of(stage.log_days),
        removal_policy=aws.RemovalPolicy.DESTROY,
    )
    machine = stepfunctions.CfnStateMachine(
        scope,
        "BatchScoring",
        role_arn=role.role_arn,
        state_machine_type="STANDARD",
        definition_string=DEFINITION.read_text(),
        definition_substitutions={"Image": image.uri, "Role": jobs.role_arn},
        tracing_configuration=stepfunctions.CfnStateMachine.TracingConfigurationProperty(enabled=True),
        logging_configuration=stepfunctions.CfnStateMachine.LoggingConfigurationProperty(
            level="ALL",
            include_execution_data=False,
            destinations=[
                stepfunctions.CfnStateMachine.LogDestinationProperty(
                    cloud_watch_logs_log_group=stepfunctions.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                        log_group_arn=log.log_group_arn
                    )
                )
            ],
        ),
    )
    machine.node.add_dependency(role)  # Step Functions tries the log before it makes the machine
    _allow_children(scope, role, machine)
    return machine


def executions_of(machine: stepfunctions.CfnStateMachine) -> list[str]:
    """Return the addresses of its runs, and of the batches of a run."""
    return [address_of(machine, "states", "execution", f"{machine.attr_name}{end}") for end in (":*", "/*")]


def _role(scope: Construct, stage: Stage, places: TrainingPlaces, jobs: iam.Role) -> iam.Role:
    account = aws.Stack.of(scope).account
    trusted = iam.ServicePrincipal("states.amazonaws.com")
    role = iam.Role(
        scope,
        "BatchScoringRole",
        description=f"Ebb {stage.name}: runs batch scoring",
        assumed_by=trusted.with_conditions({"StringEquals": {"aws:SourceAccount": account}}),
    )
    places.grant_list(role, places.data, TABLES)
    places.grant_list(role, places.artefacts, JOBS)
    places.grant_write(role, places.artefacts, SCORED)
    _allow_jobs(role, jobs)
    _allow_signals(role)
    return role


def _allow_jobs(role: iam.Role, jobs: iam.Role) -> None:
    allow_pass(role, [jobs])
    allow_named(
        role,
        [
            f"sagemaker:{name}"
            for name in ("AddTags", "CreateProcessingJob", "DescribeProcessingJob", "ListTags", "StopProcessingJob")
        ],
        [address_of(role, "sagemaker", "processing-job", "ebb-batch-*", "/")],
        "A job is named when it starts, and SageMaker never gives a name twice. A fixed name was considered; only the "
        "first run would start.",
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["events:DescribeRule", "events:PutRule", "events:PutTargets"],
            resources=[address_of(role, "events", _RULE)],
        )
    )


def _allow_signals(role: iam.Role) -> None:
    actions = [*(f"logs:{name}" for name in _DELIVERY), *(f"xray:{name}" for name in _TRACES)]
    role.add_to_policy(iam.PolicyStatement(actions=actions, resources=["*"]))
    acknowledge(
        role,
        "IAM5[Resource::*]",
        "Step Functions sets up its log's delivery and its traces itself, and AWS takes these actions on every "
        "resource only. A machine without log and traces was considered; then nobody sees why a run failed.",
    )


def _allow_children(scope: Construct, role: iam.Role, machine: stepfunctions.CfnStateMachine) -> None:
    """Let the machine start each batch as a run of its own: a policy beside the role's, since it names the machine."""
    children = iam.ManagedPolicy(
        scope,
        "BatchChildren",
        roles=[role],
        statements=[
            iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine.ref]),
            iam.PolicyStatement(
                actions=["states:DescribeExecution", "states:StopExecution"], resources=executions_of(machine)
            ),
        ],
    )
    for end in (":*", "/*"):
        acknowledge(
            children,
            f"IAM5[Resource::arn:<AWS::Partition>:states:{aws.Stack.of(scope).region}:<AWS::AccountId>:execution:"
            f"<{aws.Stack.of(scope).get_logical_id(machine)}.Name>{end}]",
            "A run and its batches are named when they start, and are this machine's alone. Naming them beforehand was "
            "considered; a Distributed Map names its batches itself.",
        )
