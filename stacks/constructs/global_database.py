"""Aurora over two regions: one cluster takes writes, the other one follows its storage, a second behind at most.

Which of them writes is Aurora's own state, and changes with a switchover or a failover (docs/runbooks/failover.md). The
templates say only how each cluster began, and never change with it.
"""

from typing import cast

import aws_cdk as aws
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.encryption import removal_of
from stacks.constructs.ground import Ground

_OF_THE_FIRST = ("DatabaseName", "ManageMasterUserPassword", "MasterUserSecret", "MasterUsername")
"""What a cluster that follows has from the one it follows, and must not say itself."""
_PASSWORD_CHARACTERS = 64


def name_of(stage: Stage) -> str:
    """Return the global database's name, the same in both regions."""
    return f"ebb-{stage.name}"


def lead(scope: Construct, stage: Stage, cluster: rds.DatabaseCluster) -> rds.CfnGlobalCluster:
    """Make a global database of a cluster; the cluster itself stays as it is, whether it is new or full.

    Args:
        scope: where it is put.
        stage: in the region in which it stood first.
        cluster: which has the data.
    """
    whole = rds.CfnGlobalCluster(
        scope,
        "Global",
        global_cluster_identifier=name_of(stage),
        source_db_cluster_identifier=cluster.cluster_arn,
        deletion_protection=stage.keep,
    )
    whole.apply_removal_policy(removal_of(stage))
    return whole


def follow(stage: Stage, cluster: rds.DatabaseCluster) -> None:
    """Let a cluster of the second region join, empty: it has its data and its users from the first one."""
    inner = cast("rds.CfnDBCluster", cluster.node.default_child)
    inner.global_cluster_identifier = name_of(stage)
    for name in _OF_THE_FIRST:
        inner.add_property_deletion_override(name)


def make_administrator(scope: Construct, stage: Stage, key: kms.IKey, name: str) -> secrets.Secret:
    """Make the administrator's password, which RDS does not manage in a global database.

    Args:
        scope: where it is put.
        stage: its values.
        key: encrypts it.
        name: of the administrator.
    """
    secret = secrets.Secret(
        scope,
        "Administrator",
        description=f"Ebb {stage.name}: the administrator of the database",
        encryption_key=key,
        generate_secret_string=secrets.SecretStringGenerator(
            secret_string_template=f'{{"username": "{name}"}}',
            generate_string_key="password",
            password_length=_PASSWORD_CHARACTERS,
            exclude_punctuation=True,
        ),
        removal_policy=removal_of(stage),
    )
    acknowledge(
        secret,
        "SMG4",
        "RDS rotates no password of a global database. It makes the database's users and nobody else uses it; it is "
        "replaced by hand (ADR 22). A rotating function was considered: it would hold this very right all the time.",
    )
    return secret


def reading_endpoint(scope: Construct, ground: Ground, proxy: rds.DatabaseProxy) -> str:
    """Return the address at which the proxy reads: where another region writes, it has no writer to offer.

    It stands in both regions, and both addresses are exported from each: CloudFormation takes no export away that a
    later stack still imports, and after a failover that would be one of them.

    Args:
        scope: where it is put.
        ground: what the tier stands on.
        proxy: before the cluster that follows.
    """
    endpoint = rds.CfnDBProxyEndpoint(
        scope,
        "Reading",
        db_proxy_endpoint_name=f"ebb-{ground.stage.name}-reading",
        db_proxy_name=proxy.db_proxy_name,
        target_role="READ_ONLY",
        vpc_subnet_ids=ground.vpc.select_subnets(subnet_group_name=ground.subnets.subnet_group_name).subnet_ids,
        vpc_security_group_ids=[ground.group.security_group_id],
    )
    for address in (proxy.endpoint, endpoint.attr_endpoint):
        aws.Stack.of(scope).export_value(address)
    return endpoint.attr_endpoint
