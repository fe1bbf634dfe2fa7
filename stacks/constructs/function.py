"""A function of ours: its own role that may do nothing yet, its own log group, in the network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aws_cdk as aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.code import RUNTIME, Sources, architecture_of
from stacks.constructs.places import FUNCTIONS
from stacks.constructs.retention import retention_of

_INTERFACES = ("ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces")


@dataclass(frozen=True)
class Inside:
    """Where in the network a function stands.

    Attributes:
        vpc: the network.
        group: its security group, which no later stack may change.
    """

    vpc: ec2.IVpc
    group: ec2.ISecurityGroup


@dataclass(frozen=True)
class FunctionShape:
    """What a function is.

    Attributes:
        name: its folder below `lambdas`.
        seconds: that one invocation may take.
        memory_mb: of its environments.
        environment: variables; no secret among them.
        description: what it does.
        reserved: environments that it may hold at most, and that nobody else takes; None for what is left.
        provisioned: environments that each new version begins with, kept warm; None for none. It stands in the
            description too, so that another count publishes another version.
        reported: whether Lambda writes a start and a report line for each call, and samples traces by itself.
    """

    name: str
    seconds: int
    memory_mb: int
    environment: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    reserved: int | None = None
    provisioned: int | None = None
    reported: bool = True


def make_function(
    scope: Construct,
    stage: Stage,
    sources: Sources,
    shape: FunctionShape,
    *,
    layers: Sequence[aws_lambda.ILayerVersion],
    inside: Inside | None = None,
) -> aws_lambda.Function:
    """Add a function, its log group and its role, which may write that log and join the network.

    Args:
        scope: the stack.
        stage: its values.
        sources: where the code lies.
        shape: what it is.
        layers: of the stack.
        inside: its place in the network; None where it needs none.
    """
    title = shape.name.capitalize()
    log = logs.LogGroup(
        scope,
        f"{title}Log",
        retention=retention_of(stage.log_days),
        removal_policy=aws.RemovalPolicy.RETAIN if stage.keep else aws.RemovalPolicy.DESTROY,
    )
    role = _role(scope, shape, log, joins=inside is not None)
    function = aws_lambda.Function(
        scope,
        title,
        runtime=RUNTIME,
        architecture=architecture_of(stage),
        code=sources.code(shape.name),
        handler=f"lambdas.{shape.name}.handler.handle",
        description=shape.description,
        layers=list(layers),
        role=role,
        log_group=log,
        logging_format=aws_lambda.LoggingFormat.JSON,
        environment=dict(shape.environment),
        timeout=aws.Duration.seconds(shape.seconds),
        memory_size=shape.memory_mb,
        reserved_concurrent_executions=shape.reserved,
        system_log_level_v2=None if shape.reported else aws_lambda.SystemLogLevel.WARN,
        tracing=aws_lambda.Tracing.ACTIVE if shape.reported else aws_lambda.Tracing.PASS_THROUGH,
        vpc=inside.vpc if inside else None,
        vpc_subnets=ec2.SubnetSelection(subnet_group_name=FUNCTIONS) if inside else None,
        security_groups=[inside.group] if inside else None,
        recursive_loop=aws_lambda.RecursiveLoop.TERMINATE,
        current_version_options=aws_lambda.VersionOptions(
            provisioned_concurrent_executions=shape.provisioned,
            removal_policy=aws.RemovalPolicy.DESTROY,  # kept versions keep their warm environments
        ),
    )
    _explain(function, role)
    return function


def _role(scope: Construct, shape: FunctionShape, log: logs.LogGroup, *, joins: bool) -> iam.Role:
    """Return a role that may write one log and, where it joins the network, let Lambda do so; nothing else."""
    role = iam.Role(
        scope,
        f"{shape.name.capitalize()}Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        description=f"What the function {shape.name} may do",
    )
    log.grant_write(role)
    if joins:
        _join_network(role)
    return role


def _join_network(role: iam.Role) -> None:
    """Let Lambda put a network interface into the subnets for the function, and refuse that to the function's own code.

    Lambda asks for these actions on every resource. A call of the code tells which function it comes from, one of
    Lambda itself does not ("Security best practices" of "Giving Lambda functions access to a VPC").
    """
    for sid, effect, conditions in (
        ("JoinNetwork", iam.Effect.ALLOW, None),
        ("NotByCode", iam.Effect.DENY, {"Null": {"lambda:SourceFunctionArn": "false"}}),
    ):
        role.add_to_policy(
            iam.PolicyStatement(
                sid=sid, effect=effect, actions=list(_INTERFACES), resources=["*"], conditions=conditions
            )
        )


def _explain(function: aws_lambda.Function, role: iam.Role) -> None:
    acknowledge(
        function,
        "L1",
        "Wheels and bytecode in the layers are chosen for this Python, and Lambda supports its runtime. The newest "
        "one was considered: it waits until every locked wheel exists for it on both processors.",
    )
    acknowledge(
        role,
        "IAM5[Resource::*]",
        "Network interfaces of Lambda and segments of X-Ray have no resource that a policy could name. The managed "
        "policies for both were considered: they allow the same and more.",
    )
