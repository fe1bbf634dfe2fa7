"""Grants on a prefix of a bucket: what lies below it and nothing else, with its key through S3 only."""

from collections.abc import Sequence

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from stacks.constructs.acknowledged import acknowledge

READ = ("s3:GetObject",)
WRITE = ("s3:PutObject", "s3:AbortMultipartUpload")
LIST = ("s3:ListBucket",)


def allow_prefix(  # noqa: PLR0917 - as the sentence reads
    role: iam.Role, bucket: s3.IBucket, key: kms.IKey, prefix: str, actions: Sequence[str], reason: str
) -> None:
    """Let a role act on the objects below a prefix, and list it: without that, what is absent looks forbidden.

    Said by the role's policy alone, in a stack that has bucket, key and role.

    Args:
        role: who acts.
        bucket: where.
        key: encrypts the objects.
        prefix: without a slash at its end.
        actions: on objects; `LIST` alone lets nobody read them.
        reason: why the prefix is not one object, for cdk-nag.
    """
    below = f"{prefix}/*"
    objects = [action for action in actions if action not in LIST]
    if objects:
        role.add_to_policy(iam.PolicyStatement(actions=objects, resources=[bucket.arn_for_objects(below)]))
        acknowledge(role, f"IAM5[Resource::{_written(bucket)}/{below}]", reason)
        uses = ["kms:Decrypt", *(["kms:GenerateDataKey"] if set(objects) & set(WRITE) else [])]
        through = {"StringEquals": {"kms:ViaService": f"s3.{aws.Stack.of(bucket).region}.amazonaws.com"}}
        role.add_to_policy(iam.PolicyStatement(actions=uses, resources=[key.key_arn], conditions=through))
    role.add_to_policy(
        iam.PolicyStatement(
            actions=list(LIST), resources=[bucket.bucket_arn], conditions={"StringLike": {"s3:prefix": [below, prefix]}}
        )
    )


def _written(bucket: s3.IBucket) -> str:
    """Return how cdk-nag writes the bucket's address: by its logical id."""
    return f"<{aws.Stack.of(bucket).resolve(bucket.bucket_arn)['Fn::GetAtt'][0]}.Arn>"
