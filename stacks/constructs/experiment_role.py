"""What an experiment may do, and to what: the actions that FIS's own pages name, on this stage's parts alone."""

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.automation import Automation
from stacks.constructs.experiment_targets import Targets

_MADE_BY_FIS = {"StringEquals": {"aws:ResourceTag/managedByFIS": "true"}}
_LOOKS = (
    "ec2:DescribeManagedPrefixLists",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "elasticache:DescribeReplicationGroups",
    "rds:DescribeDBClusters",
    "rds:DescribeDBInstances",
    "ssm:GetAutomationExecution",
    "ssm:StopAutomationExecution",
    "tag:GetResources",
)
"""None of them knows a resource that could be named before the experiment runs."""


def make_role(scope: Construct, targets: Targets, zone: str, failover: Automation) -> iam.Role:
    """Add the role that experiments act as.

    Args:
        scope: the stack.
        targets: what they break.
        zone: that is cut off.
        failover: which is started.
    """
    stack = aws.Stack.of(scope)
    role = iam.Role(
        scope,
        "ExperimentRole",
        description="Breaks things on purpose, when somebody starts an experiment",
        assumed_by=iam.ServicePrincipal("fis.amazonaws.com").with_conditions(
            {"StringEquals": {"aws:SourceAccount": stack.account}}
        ),
    )
    automation = stack.format_arn(
        service="ssm", resource="automation-definition", resource_name=f"{failover.name}:$DEFAULT"
    )
    acls = stack.format_arn(service="ec2", resource="network-acl", resource_name="*")
    network = stack.format_arn(service="ec2", resource="vpc", resource_name=targets.vpc.vpc_id)
    for sid, actions, resources, conditions in (
        ("Look", _LOOKS, ["*"], None),
        ("Valkey", ("elasticache:InterruptClusterAzPower",), [targets.group_arn], None),
        ("Aurora", ("rds:FailoverDBCluster",), [targets.cluster.cluster_arn], None),
        ("Function", ("lambda:GetFunction",), [targets.predict.function_arn], None),
        ("Automation", ("ssm:StartAutomationExecution",), [automation, failover.document_arn], None),
        (
            "ActAs",
            ("iam:PassRole",),
            [failover.role.role_arn],
            {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}},
        ),
        ("MakeRules", ("ec2:CreateNetworkAcl",), [network], None),
        ("MakeOwnRules", ("ec2:CreateNetworkAcl",), [acls], {"StringEquals": {"aws:RequestTag/managedByFIS": "true"}}),
        ("NameRules", ("ec2:CreateTags",), [acls], {"StringEquals": {"ec2:CreateAction": "CreateNetworkAcl"}}),
        ("Rules", ("ec2:CreateNetworkAclEntry", "ec2:DeleteNetworkAcl"), [acls], _MADE_BY_FIS),
        ("CutOff", ("ec2:ReplaceNetworkAclAssociation",), [*targets.subnet_arns(zone), acls], None),
    ):
        role.add_to_policy(
            iam.PolicyStatement(sid=sid, actions=list(actions), resources=resources, conditions=conditions)
        )
    _explain(role)
    return role


def _explain(role: iam.Role) -> None:
    acknowledge(
        role,
        "IAM5[Resource::*]",
        "These actions look at things, or at an automation whose number is given when it starts; none can name what it "
        "looks at. The managed policies of FIS were considered: they break every cluster and subnet of the account.",
    )
    acknowledge(
        role,
        f"IAM5[Resource::arn:<AWS::Partition>:ec2:{aws.Stack.of(role).region}:<AWS::AccountId>:network-acl/*]",
        "FIS makes the rules that cut a zone off while the experiment runs, and marks them as its own: the conditions "
        "ask for that mark. Rules made beforehand were considered; FIS uses its own only.",
    )
