"""The key of a stage of two regions, under which the secret lies that seals prediction events: the same in both.

It stands before the feature store: Secrets Manager puts the replica of the secret under the key's replica, which must
be there by then. A stage of one region has its key beside its secret.
"""

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.encryption import make_key, removal_of

KEY_ARN = "KeyArn"
"""The output that the second region reads, as `Fn::GetStackOutput`."""

_DAYS_TO_REGRET = 30


class SealStack(aws.Stack):
    """The key, or in the second region its replica.

    Args:
        scope: the app.
        name: of the stack.
        stage: its values in this region.
        first: name of the stack of the region in which the stage stood first; empty there.

    Attributes:
        key: encrypts the stage's secret, and nothing else.
    """

    def __init__(self, scope: Construct, name: str, *, stage: Stage, first: str = "") -> None:
        description = f"Ebb {stage.name}: the key of what both regions seal"
        super().__init__(scope, name, env={"region": stage.region}, description=description)
        self.key = self._replica(stage, first) if first else self._key(stage)
        aws.CfnOutput(self, KEY_ARN, value=self.key.key_arn, description="The key; its replica has the same id")

    def _key(self, stage: Stage) -> kms.IKey:
        return make_key(self, "Key", stage, "the secret that seals prediction events", every_region=True)

    def _replica(self, stage: Stage, first: str) -> kms.IKey:
        policy = iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(principals=[iam.AccountRootPrincipal()], actions=["kms:*"], resources=["*"])
            ]
        )
        key = kms.CfnReplicaKey(
            self,
            "Key",
            description=f"Ebb {stage.name}: the secret that seals prediction events",
            primary_key_arn=aws.Fn.get_stack_output(first, KEY_ARN, stage.beside),
            key_policy=policy,
            pending_window_in_days=_DAYS_TO_REGRET,
        )
        key.apply_removal_policy(removal_of(stage))
        return kms.Key.from_key_arn(self, "Replica", key.attr_arn)
