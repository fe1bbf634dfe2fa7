"""Replication of a bucket to the other region: what is put here is there within a quarter of an hour.

Both buckets and the keys' aliases have names that are known before they are made, so that neither region's template
asks for the other's.
"""

from collections.abc import Sequence
from typing import cast

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk.stage import Stage
from stacks.constructs.acknowledged import acknowledge

_MINUTES = 15
"""Within which S3 promises to replicate; the only number that it takes."""


def bucket_name(stage: Stage, what: str, region: str) -> str:
    """Return a bucket's name in one of a stage's two regions."""
    return f"ebb-{stage.name}-{what}-{aws.Aws.ACCOUNT_ID}-{region}"


def alias_name(stage: Stage, what: str) -> str:
    """Return the name by which the bucket's key is known in each region."""
    return f"alias/ebb-{stage.name}-{what}"


def replicate(bucket: s3.Bucket, stage: Stage, what: str, prefixes: Sequence[str], key: kms.IKey) -> iam.Role:
    """Let S3 copy what is put below some prefixes to the bucket of the same kind in the other region.

    Args:
        bucket: that is copied from.
        stage: whose other region it is copied to.
        what: the kind, as in `bucket_name`.
        prefixes: of the objects, without the slash.
        key: encrypts them here.
    """
    scope, there = aws.Stack.of(bucket), stage.edge.region if stage.edge else ""
    target = f"arn:{aws.Aws.PARTITION}:s3:::{bucket_name(stage, what, there)}"
    role = iam.Role(
        scope,
        "Replication",
        description=f"Ebb {stage.name}: copies {what} to {there}",
        assumed_by=iam.ServicePrincipal("s3.amazonaws.com"),
    )
    _allow(role, bucket, target, [f"{prefix}/*" for prefix in prefixes])
    _allow_keys(role, stage, what, key)
    key_there = f"arn:{aws.Aws.PARTITION}:kms:{there}:{aws.Aws.ACCOUNT_ID}:{alias_name(stage, what)}"
    inner = cast("s3.CfnBucket", bucket.node.default_child)
    inner.replication_configuration = s3.CfnBucket.ReplicationConfigurationProperty(
        role=role.role_arn,
        rules=[_rule(number, prefix, target, key_there) for number, prefix in enumerate(prefixes, 1)],
    )
    return role


def _rule(number: int, prefix: str, target: str, key: str) -> s3.CfnBucket.ReplicationRuleProperty:
    within = s3.CfnBucket.ReplicationTimeValueProperty(minutes=_MINUTES)
    return s3.CfnBucket.ReplicationRuleProperty(
        id=prefix,
        priority=number,
        status="Enabled",
        filter=s3.CfnBucket.ReplicationRuleFilterProperty(prefix=f"{prefix}/"),
        delete_marker_replication=s3.CfnBucket.DeleteMarkerReplicationProperty(status="Enabled"),
        source_selection_criteria=s3.CfnBucket.SourceSelectionCriteriaProperty(
            sse_kms_encrypted_objects=s3.CfnBucket.SseKmsEncryptedObjectsProperty(status="Enabled")
        ),
        destination=s3.CfnBucket.ReplicationDestinationProperty(
            bucket=target,
            encryption_configuration=s3.CfnBucket.EncryptionConfigurationProperty(replica_kms_key_id=key),
            replication_time=s3.CfnBucket.ReplicationTimeProperty(status="Enabled", time=within),
            metrics=s3.CfnBucket.MetricsProperty(status="Enabled", event_threshold=within),
        ),
    )


def _allow(role: iam.Role, bucket: s3.Bucket, target: str, objects: Sequence[str]) -> None:
    role.add_to_policy(
        iam.PolicyStatement(actions=["s3:GetReplicationConfiguration", "s3:ListBucket"], resources=[bucket.bucket_arn])
    )
    read = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"]
    role.add_to_policy(iam.PolicyStatement(actions=read, resources=[bucket.arn_for_objects(path) for path in objects]))
    write = ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"]
    role.add_to_policy(iam.PolicyStatement(actions=write, resources=[f"{target}/{path}" for path in objects]))
    stack = aws.Stack.of(bucket)
    logical = stack.get_logical_id(cast("aws.CfnElement", bucket.node.default_child))
    why = (
        "What is replicated is named when it is made: a policy can only name its prefix. A role for each object was "
        "considered; S3 takes one for all rules of a bucket."
    )
    for path in objects:
        for place in (f"<{logical}.Arn>", _shown(stack, target)):
            acknowledge(role, f"IAM5[Resource::{place}/{path}]", why)


def _shown(stack: aws.Stack, text: str) -> str:
    """Return a text as cdk-nag writes it: pseudo parameters in pointed brackets."""
    parts = stack.resolve(text)["Fn::Join"][1]
    return "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)


def _allow_keys(role: iam.Role, stage: Stage, what: str, key: kms.IKey) -> None:
    there = stage.edge.region if stage.edge else ""
    through = "kms:ViaService"
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["kms:Decrypt"],
            resources=[key.key_arn],
            conditions={"StringEquals": {through: f"s3.{stage.region}.amazonaws.com"}},
        )
    )
    keys = f"arn:{aws.Aws.PARTITION}:kms:{there}:{aws.Aws.ACCOUNT_ID}:key/*"
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["kms:Encrypt", "kms:GenerateDataKey"],  # the second one for the bucket's data key
            resources=[keys],
            conditions={
                "StringEquals": {through: f"s3.{there}.amazonaws.com"},
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": alias_name(stage, what)},
            },
        )
    )
    acknowledge(
        role,
        f"IAM5[Resource::{_shown(aws.Stack.of(role), keys)}]",
        "The key stands in the other region, whose templates tell nothing to these: its alias, which the condition "
        "names, is known. The key's address by `Fn::GetStackOutput` was considered; it would make a cycle of regions.",
    )
