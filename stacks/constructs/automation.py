"""The automation that lets a replica of Valkey take over, which FIS starts."""

from dataclasses import dataclass

import aws_cdk as aws
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.measures import nodes_of

_ONLY_SHARD = "0001"


@dataclass(frozen=True)
class Automation:
    """What is started, and as whom.

    Attributes:
        name: of the document.
        document_arn: its address.
        role: that it acts as.
    """

    name: str
    document_arn: str
    role: iam.Role


def make_failover(scope: Construct, stage: Stage, group: elasticache.CfnReplicationGroup, group_arn: str) -> Automation:
    """Add the automation and its role, which may do this and nothing else.

    Args:
        scope: the stack.
        stage: in its name.
        group: of one shard.
        group_arn: its address.
    """
    name, stack = f"ebb-{stage.name}-valkey-failover", aws.Stack.of(scope)
    role = iam.Role(
        scope,
        "FailoverRole",
        description=f"Ebb {stage.name}: lets a replica of Valkey take over",
        assumed_by=iam.ServicePrincipal("ssm.amazonaws.com").with_conditions(
            {"StringEquals": {"aws:SourceAccount": stack.account}}
        ),
    )
    nodes = [
        stack.format_arn(
            service="elasticache",
            resource="cluster",
            resource_name=node,
            arn_format=aws.ArnFormat.COLON_RESOURCE_NAME,
        )
        for node in nodes_of(stage, group)
    ]
    role.add_to_policy(iam.PolicyStatement(actions=["elasticache:TestFailover"], resources=[group_arn, *nodes]))
    ssm.CfnDocument(
        scope,
        "Failover",
        name=name,
        document_type="Automation",
        document_format="JSON",
        update_method="NewVersion",
        content={
            "schemaVersion": "0.3",
            "description": "Lets a replica take over from the primary",
            "assumeRole": "{{ AutomationAssumeRole }}",
            "parameters": {"AutomationAssumeRole": {"type": "String"}},
            "mainSteps": [
                {
                    "name": "failover",
                    "action": "aws:executeAwsApi",
                    "inputs": {
                        "Service": "elasticache",
                        "Api": "TestFailover",
                        "ReplicationGroupId": group.ref,
                        "NodeGroupId": _ONLY_SHARD,
                    },
                }
            ],
        },
    )
    document = stack.format_arn(service="ssm", resource="document", resource_name=name)
    return Automation(name, document, role)
