"""How a new version of the code takes over: a shift of the alias by CodeDeploy, between two hooks, watched by alarms.

Alias, version and deployment group stand in one stack: the alias' update policy names the group, which names the
alias' function, and a version that another stack used could not be replaced (docs/adr/0020).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.code import Sources
from stacks.constructs.function import FunctionShape, make_function
from stacks.constructs.shift_alarms import shift_alarms
from stacks.constructs.warm import LIVE

PREFLIGHT_SECONDS = 900
"""All that Lambda gives one invocation; CodeDeploy itself would wait for an hour."""

_POSTFLIGHT_SECONDS, _HOOK_MB = 600, 512
_HOOKS = (
    ("preflight", PREFLIGHT_SECONDS, "Ebb: warms and tries a version before its traffic"),
    ("postflight", _POSTFLIGHT_SECONDS, "Ebb: tries what the alias names after a shift"),
)
_AT_ONCE_EACH = 2
"""A hook of a deployment that was stopped may still run when the next one begins."""

_CONFIGURATIONS = {
    "linear": codedeploy.LambdaDeploymentConfig.LINEAR_10_PERCENT_EVERY_1_MINUTE,
    "at once": codedeploy.LambdaDeploymentConfig.ALL_AT_ONCE,
}
_BACK = codedeploy.AutoRollbackConfig(failed_deployment=True, stopped_deployment=True, deployment_in_alarm=True)


@dataclass(frozen=True)
class Release:
    """What a shift is made of.

    Attributes:
        preflight, postflight: the hooks.
        alarms: any of which ends a shift and takes it back.
        group: the deployment group.
    """

    preflight: aws_lambda.Function
    postflight: aws_lambda.Function
    alarms: Sequence[cloudwatch.Alarm]
    group: codedeploy.LambdaDeploymentGroup


def make_release(
    scope: Construct,
    stage: Stage,
    sources: Sources,
    *,
    layers: Sequence[aws_lambda.ILayerVersion],
    function: aws_lambda.Function,
    live: aws_lambda.Alias,
) -> Release:
    """Let the alias be shifted from one version to the next by the stage's pace.

    Args:
        scope: the stack of function and alias.
        stage: its values.
        sources: where the hooks' code lies.
        layers: of the stack.
        function: whose code is shifted.
        live: its alias.
    """
    told = {
        "EBB_SHIFT_FUNCTION": function.function_name,
        "EBB_SHIFT_ALIAS": LIVE,
        "EBB_SHIFT_TARGET": live.version.version,
    }
    shapes = [
        FunctionShape(name, seconds, _HOOK_MB, told, what, reserved=_AT_ONCE_EACH) for name, seconds, what in _HOOKS
    ]
    preflight, postflight = (make_function(scope, stage, sources, shape, layers=layers) for shape in shapes)
    _allow_preflight(preflight, function)
    _allow_postflight(postflight, function)
    alarms = shift_alarms(scope, stage, function, LIVE, live.version)
    role = _codedeploy_role(scope)
    group = codedeploy.LambdaDeploymentGroup(
        scope,
        "Shift",
        alias=live,
        # By itself the group would take a managed policy for every function of the account.
        role=role.without_policy_updates(),
        deployment_config=_CONFIGURATIONS[stage.shift],
        alarms=alarms,
        auto_rollback=_BACK,
        pre_hook=preflight,
        post_hook=postflight,
    )
    live.node.add_dependency(_allow_codedeploy(scope, role, function, preflight, postflight))
    return Release(preflight, postflight, alarms, group)


def _allow_preflight(preflight: aws_lambda.Function, function: aws_lambda.Function) -> None:
    """Let the preflight see the alias, and warm and invoke versions.

    The grant is on the function: one on the alias would wait for the alias, which waits for its hooks. It is on all
    versions, since a policy that named the new one would not be in force everywhere by the time it is needed.
    """
    versions = f"{function.function_arn}:*"
    preflight.add_to_role_policy(_statement(["lambda:GetAlias"], function.function_arn))
    warm = ["lambda:GetProvisionedConcurrencyConfig", "lambda:PutProvisionedConcurrencyConfig"]
    preflight.add_to_role_policy(_statement([*warm, "lambda:InvokeFunction"], versions))
    stack = aws.Stack.of(function)
    acknowledge(
        _role_of(preflight),
        f"IAM5[Resource::<{stack.get_logical_id(_element_of(function))}.Arn>:*]",
        "A version's number is known when it is published, moments before it is tried. Naming it in the policy was "
        "considered: IAM takes longer to spread than a deployment takes to reach the hook.",
    )


def _allow_postflight(postflight: aws_lambda.Function, function: aws_lambda.Function) -> None:
    """Let the postflight see the alias, and invoke what it names."""
    postflight.add_to_role_policy(_statement(["lambda:GetAlias"], function.function_arn))
    postflight.add_to_role_policy(_statement(["lambda:InvokeFunction"], f"{function.function_arn}:{LIVE}"))


def _codedeploy_role(scope: Construct) -> iam.Role:
    return iam.Role(
        scope,
        "ShiftRole",
        assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"),
        description="Shifts the alias of the prediction function, and nothing else",
    )


def _allow_codedeploy(
    scope: Construct, role: iam.Role, function: aws_lambda.Function, *hooks: aws_lambda.Function
) -> iam.Policy:
    """Let CodeDeploy weigh the alias, invoke the hooks and look at alarms."""
    policy = iam.Policy(scope, "ShiftPolicy", roles=[role])
    policy.add_statements(
        _statement(["lambda:GetAlias", "lambda:UpdateAlias"], function.function_arn),
        _statement(["lambda:GetProvisionedConcurrencyConfig"], f"{function.function_arn}:{LIVE}"),
        _statement(["lambda:InvokeFunction"], *(hook.function_arn for hook in hooks)),
        _statement(["cloudwatch:DescribeAlarms"], "*"),
    )
    acknowledge(
        policy,
        "IAM5[Resource::*]",
        "CloudWatch lists alarms of every kind to those only who may see all of them. The managed policy of CodeDeploy "
        "was considered: it may change the alias of every function of the account.",
    )
    return policy


def _statement(actions: Sequence[str], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))


def _role_of(function: aws_lambda.Function) -> iam.Role:
    role = function.role
    if not isinstance(role, iam.Role):
        raise TypeError("make_function gives every function a role of its own")
    return role


def _element_of(function: aws_lambda.Function) -> aws.CfnElement:
    element = function.node.default_child
    if not isinstance(element, aws.CfnElement):
        raise TypeError("a function is made of one resource")
    return element
