"""A bucket: private, encrypted, over TLS only, versioned, and every access to it logged."""

import aws_cdk as aws
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.encryption import removal_of

_ABANDONED_DAYS = 7
_TLS = 1.2


def make_log_bucket(scope: Construct, stage: Stage) -> s3.Bucket:
    """Add the bucket that the access logs of a stack's buckets go to.

    Its objects leave after the stage's days; S3 delivers logs only into a bucket without a KMS key of one's own.
    """
    bucket = s3.Bucket(
        scope,
        "AccessLogs",
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        minimum_tls_version=_TLS,
        versioned=True,
        removal_policy=removal_of(stage),
        lifecycle_rules=[
            s3.LifecycleRule(
                expiration=aws.Duration.days(stage.log_days),
                noncurrent_version_expiration=aws.Duration.days(stage.log_days),
                abort_incomplete_multipart_upload_after=aws.Duration.days(_ABANDONED_DAYS),
            )
        ],
    )
    acknowledge(
        bucket,
        "S1",
        "It receives access logs; logging its own accesses into itself makes a log entry for each log entry, and a "
        "second log bucket for the first only moves the question. CloudTrail data events were considered for it.",
    )
    return bucket


def make_bucket(
    scope: Construct,
    name: str,
    stage: Stage,
    *,
    key: kms.IKey,
    logs: s3.IBucket,
    noncurrent_days: int,
    called: str | None = None,
) -> s3.Bucket:
    """Add a bucket whose objects are encrypted with a key of one's own.

    Args:
        scope: the stack.
        name: of the construct.
        stage: whether the bucket outlives its stack; one that does not must be empty before it can go.
        key: encrypts the objects; one data key a bucket, not one an object.
        logs: where its accesses are logged.
        noncurrent_days: after which a version that was replaced or deleted leaves for good.
        called: the bucket's own name, where another region must know it; CloudFormation's otherwise.
    """
    return s3.Bucket(
        scope,
        name,
        bucket_name=called,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        minimum_tls_version=_TLS,
        versioned=True,
        server_access_logs_bucket=logs,
        server_access_logs_prefix=f"{name.lower()}/",
        removal_policy=removal_of(stage),
        lifecycle_rules=[
            s3.LifecycleRule(
                noncurrent_version_expiration=aws.Duration.days(noncurrent_days),
                expired_object_delete_marker=True,
                abort_incomplete_multipart_upload_after=aws.Duration.days(_ABANDONED_DAYS),
            )
        ],
    )
