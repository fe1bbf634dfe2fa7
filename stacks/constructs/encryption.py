"""Keys of one's own: who may read what a service stores is then said by the key as well."""

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from cdk.stage import Stage

_DAYS_TO_REGRET = aws.Duration.days(30)


def removal_of(stage: Stage) -> aws.RemovalPolicy:
    """Return what becomes of a thing that holds data when its stack goes."""
    return aws.RemovalPolicy.RETAIN if stage.keep else aws.RemovalPolicy.DESTROY


def make_key(scope: Construct, name: str, stage: Stage, description: str, *, every_region: bool = False) -> kms.Key:
    """Add a key that is replaced each year by itself, and that a deletion leaves a month to regret.

    Args:
        scope: the stack.
        name: of the construct.
        stage: whether the key outlives the stack.
        description: what it encrypts.
        every_region: whether other regions may have a replica of it.
    """
    return kms.Key(
        scope,
        name,
        description=f"Ebb {stage.name}: {description}",
        enable_key_rotation=True,
        pending_window=_DAYS_TO_REGRET,
        removal_policy=removal_of(stage),
        multi_region=True if every_region else None,
    )


def grant_read_secret(grantee: iam.IGrantable, secret: secrets.ISecret, key: kms.IKey) -> None:
    """Let somebody read a secret, and use its key through Secrets Manager only.

    Said by the grantee's policy alone: `secret.grant_read` also names the grantee in the key's policy, which makes the
    key's stack depend on each later one.

    Args:
        grantee: who reads.
        secret: that is read.
        key: that encrypts it.
    """
    # What is known by its name alone has an address that ends in six characters of Secrets Manager's own.
    whole = secret.secret_full_arn or f"{secret.secret_arn}-??????"
    iam.Grant.add_to_principal(grantee=grantee, actions=["secretsmanager:GetSecretValue"], resource_arns=[whole])
    iam.Grant.add_to_principal(
        grantee=grantee,
        actions=["kms:Decrypt"],
        resource_arns=[key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": f"secretsmanager.{aws.Stack.of(key).region}.amazonaws.com"}},
    )
