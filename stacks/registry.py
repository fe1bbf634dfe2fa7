"""The registry: the bucket of releases and of the durable routing table, and who may do what in it."""

from collections.abc import Sequence

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.bucket import make_bucket, make_log_bucket
from stacks.constructs.encryption import make_key
from stacks.constructs.places import RELEASES, REPLICATED, ROUTING
from stacks.constructs.replication import alias_name, bucket_name, replicate

FAULTS = "faults"
"""Prefix of what experiments tell the extension in the prediction function; empty between them."""

_NONCURRENT_DAYS = 90
_READ = ("s3:GetObject",)
_WRITE = ("s3:PutObject",)


class RegistryStack(aws.Stack):
    """The release bucket.

    A grant names a prefix and nothing else of the bucket. Nobody is let delete a release or a table: what a mistake
    replaced can be had back for `_NONCURRENT_DAYS`, and a release is never replaced.

    Args:
        scope: the app.
        name: of the stack.
        stage: its values.

    Attributes:
        key: encrypts the objects.
        bucket: holds releases and routing tables.
        logs: takes the access logs.
        publisher: the role that publishes releases; None in a region that follows, whose bucket S3 alone writes.
    """

    def __init__(self, scope: Construct, name: str, *, stage: Stage) -> None:
        super().__init__(scope, name, env={"region": stage.region}, description=f"Ebb {stage.name}: the registry")
        self.key = make_key(self, "Key", stage, "releases and routing tables")
        self.logs = make_log_bucket(self, stage)
        self.bucket = make_bucket(
            self,
            "Releases",
            stage,
            key=self.key,
            logs=self.logs,
            noncurrent_days=_NONCURRENT_DAYS,
            called=bucket_name(stage, RELEASES, stage.region) if stage.edge else None,
        )
        if stage.edge:
            self.key.add_alias(alias_name(stage, RELEASES))
        aws.CfnOutput(self, "BucketName", value=self.bucket.bucket_name, description="Where releases lie")
        self.publisher = None if stage.follows else self._publisher(stage)
        if stage.follows:
            self._only_replicated()
        elif stage.edge and not stage.edge.alone:
            replicate(self.bucket, stage, RELEASES, REPLICATED, self.key)

    def variables(self) -> dict[str, str]:
        """Return what a function must be told of the registry."""
        name = self.bucket.bucket_name
        return {"EBB_RELEASES": f"s3://{name}/{RELEASES}", "EBB_ROUTING": f"s3://{name}/{ROUTING}"}

    def grant_read_releases(self, grantee: iam.IGrantable) -> None:
        """Let somebody list and read releases."""
        self._allow(grantee, RELEASES, _READ)

    def grant_read_routing(self, grantee: iam.IGrantable) -> None:
        """Let somebody list and read routing tables."""
        self._allow(grantee, ROUTING, _READ)

    def grant_write_routing(self, grantee: iam.IGrantable) -> None:
        """Let somebody read and add routing tables; each change of the routing is a table of its own."""
        self._allow(grantee, ROUTING, (*_READ, *_WRITE))

    def grant_publish(self, grantee: iam.IGrantable) -> None:
        """Let somebody read releases and add to them."""
        self._allow(grantee, RELEASES, (*_READ, *_WRITE))

    def grant_read_faults(self, grantee: iam.IGrantable) -> None:
        """Let somebody read which faults an experiment injects."""
        self._allow(grantee, FAULTS, _READ)

    def grant_inject_faults(self, grantee: iam.IGrantable) -> None:
        """Let experiments say which faults are injected, and take that back."""
        self._allow(grantee, FAULTS, (*_WRITE, "s3:DeleteObject"))

    def _publisher(self, stage: Stage) -> iam.Role:
        publisher = iam.Role(
            self,
            "Publisher",
            description=f"Ebb {stage.name}: publishes releases",
            assumed_by=iam.AccountPrincipal(self.account),
            max_session_duration=aws.Duration.hours(1),
        )
        self.grant_publish(publisher)
        self._write_once()
        aws.CfnOutput(self, "PublisherArn", value=publisher.role_arn, description="The role that publishes")
        return publisher

    def _only_replicated(self) -> None:
        """Refuse to everybody to put or delete anything; replication has actions of its own."""
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlyReplicated",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:PutObject*", "s3:DeleteObject*"],
                resources=[self.bucket.arn_for_objects("*")],
            )
        )

    def _write_once(self) -> None:
        """Refuse to everybody to put a release or a routing table but on the condition that none stands there."""
        written_once = [self.bucket.arn_for_objects(path) for path in (f"{RELEASES}/*.zip", f"{ROUTING}/*.json")]
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="WrittenOnce",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=list(_WRITE),
                resources=written_once,
                conditions={"Null": {"s3:if-none-match": "true"}},
            )
        )

    def _allow(self, grantee: iam.IGrantable, prefix: str, actions: Sequence[str]) -> None:
        """Allow actions on the objects below a prefix, and to list it: without that, what is absent looks forbidden.

        The key is used through S3 only.
        """
        objects, bucket = self.bucket.arn_for_objects(f"{prefix}/*"), self.bucket.bucket_arn
        iam.Grant.add_to_principal(grantee=grantee, actions=list(actions), resource_arns=[objects])
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["s3:ListBucket"],
            resource_arns=[bucket],
            conditions={"StringLike": {"s3:prefix": f"{prefix}/*"}},
        )
        writes = set(_WRITE) & set(actions)
        uses = ["kms:Decrypt", *(["kms:GenerateDataKey"] if writes else [])]
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=uses,
            resource_arns=[self.key.key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"s3.{self.region}.amazonaws.com"}},
        )
        self._explain(grantee, f"{prefix}/*")

    def _explain(self, grantee: iam.IGrantable, objects: str) -> None:
        role = grantee.grant_principal
        if isinstance(role, iam.Role):
            acknowledge(
                role,
                f"IAM5[Resource::{self._bucket_in(role.stack)}/{objects}]",
                "Releases and routing tables are named when they are made: a policy can only name their prefix. A "
                "bucket for each was considered; it would need the same wildcard inside.",
            )

    def _bucket_in(self, stack: aws.Stack) -> str:
        """Return how cdk-nag writes the bucket's address in a stack: by its logical id, or by its export's name."""
        if stack is self:
            return f"<{self.resolve(self.bucket.bucket_arn)['Fn::GetAtt'][0]}.Arn>"
        return str(self.resolve(self.export_value(self.bucket.bucket_arn))["Fn::ImportValue"])
