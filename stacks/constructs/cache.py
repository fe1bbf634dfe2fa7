"""ElastiCache for Valkey, node-based and in one shard: one round trip asks for everything that a prediction needs."""

import json

from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.encryption import grant_read_secret, removal_of
from stacks.constructs.ground import Ground
from stacks.constructs.retention import retention_of

USER = "ebb"
"""The functions' user of Valkey."""

_ENGINE, _VERSION, _FAMILY = "valkey", "8.1", "valkey8"
_POLICY = "allkeys-lru"
_COMMANDS = "+@all -@admin -@dangerous +info"
"""What the functions may call: INFO, dangerous by Valkey's classes, tells the maintenance of memory and restarts."""

_PASSWORD_CHARACTERS = 64
_SNAPSHOT_WINDOW, _MAINTENANCE_WINDOW = "03:00-04:00", "sun:04:30-sun:05:30"
_SNAPSHOT_DAYS = 7


class Cache(Construct):
    """The fast tier.

    Args:
        scope: the stack.
        name: of the construct.
        ground: what it stands on.

    Attributes:
        group: the primary and its replicas.
        secret: the functions' login.
    """

    def __init__(self, scope: Construct, name: str, ground: Ground) -> None:
        super().__init__(scope, name)
        self._key, self._replicas = ground.key, ground.stage.cache.replicas
        self.secret = self._secret(ground)
        self.group = self._group(ground, self._users(ground.stage))
        _explain(self, ground.stage)

    def variables(self) -> dict[str, str]:
        """Return what a function must be told."""
        group, replica = self.group, {}
        if self._replicas:
            replica = {
                "EBB_VALKEY_REPLICA_HOST": group.attr_reader_end_point_address,
                "EBB_VALKEY_REPLICA_PORT": group.attr_reader_end_point_port,
            }
        return {
            "EBB_VALKEY_HOST": group.attr_primary_end_point_address,
            "EBB_VALKEY_PORT": group.attr_primary_end_point_port,
            **replica,
            "EBB_VALKEY_TLS": "true",
            "EBB_VALKEY_SECRET": self.secret.secret_arn,
        }

    def grant_connect(self, grantee: iam.IGrantable) -> None:
        """Let somebody read the login."""
        grant_read_secret(grantee, self.secret, self._key)

    def _secret(self, ground: Ground) -> secrets.Secret:
        return secrets.Secret(
            self,
            "Login",
            description=f"Ebb {ground.stage.name}: the functions' login at Valkey",
            encryption_key=ground.key,
            generate_secret_string=secrets.SecretStringGenerator(
                secret_string_template=json.dumps({"username": USER}),
                generate_string_key="password",
                password_length=_PASSWORD_CHARACTERS,
                exclude_punctuation=True,
            ),
            removal_policy=removal_of(ground.stage),
        )

    def _users(self, stage: Stage) -> elasticache.CfnUserGroup:
        """Add the functions' user, and shut the one that everybody knows.

        The password is a dynamic reference: CloudFormation asks Secrets Manager, and no template holds it.
        """
        password = self.secret.secret_value_from_json("password").unsafe_unwrap()
        users = [
            elasticache.CfnUser(
                self,
                name,
                engine=_ENGINE,
                user_id=f"ebb-{stage.name}-{name.lower()}",
                user_name=user,
                access_string=access,
                authentication_mode={"Type": "password", "Passwords": [password]},
            )
            for name, user, access in (
                ("Functions", USER, f"on ~* &* {_COMMANDS}"),
                ("Nobody", "default", "off ~* -@all"),
            )
        ]
        return elasticache.CfnUserGroup(
            self,
            "Users",
            engine=_ENGINE,
            user_group_id=f"ebb-{stage.name}",
            user_ids=[user.ref for user in users],
        )

    def _group(self, ground: Ground, users: elasticache.CfnUserGroup) -> elasticache.CfnReplicationGroup:
        stage = ground.stage
        subnets = elasticache.CfnSubnetGroup(
            self,
            "Subnets",
            description=f"Ebb {stage.name}: where data lies",
            subnet_ids=ground.vpc.select_subnets(subnet_group_name=ground.subnets.subnet_group_name).subnet_ids,
        )
        parameters = elasticache.CfnParameterGroup(
            self,
            "Parameters",
            cache_parameter_group_family=_FAMILY,
            description=f"Ebb {stage.name}: a full server drops what is asked for least",
            properties={"maxmemory-policy": _POLICY},
        )
        log = logs.LogGroup(self, "Log", retention=retention_of(stage.log_days), removal_policy=removal_of(stage))
        group = elasticache.CfnReplicationGroup(
            self,
            "Valkey",
            replication_group_description=f"Ebb {stage.name}: the fast tier",
            replication_group_id=f"ebb-{stage.name}",
            engine=_ENGINE,
            engine_version=_VERSION,
            cache_node_type=stage.cache.node,
            cache_parameter_group_name=parameters.ref,
            cache_subnet_group_name=subnets.ref,
            security_group_ids=[ground.group.security_group_id],
            num_cache_clusters=1 + stage.cache.replicas,
            automatic_failover_enabled=stage.cache.replicas > 0,
            multi_az_enabled=stage.cache.replicas > 0,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            at_rest_encryption_enabled=True,
            kms_key_id=ground.key.key_arn,
            user_group_ids=[users.ref],
            snapshot_retention_limit=_SNAPSHOT_DAYS if stage.keep else 0,
            snapshot_window=_SNAPSHOT_WINDOW,
            preferred_maintenance_window=_MAINTENANCE_WINDOW,
            auto_minor_version_upgrade=True,
            log_delivery_configurations=[_engine_log(log)],
        )
        group.apply_removal_policy(removal_of(stage))
        return group


def _engine_log(log: logs.LogGroup) -> elasticache.CfnReplicationGroup.LogDeliveryConfigurationRequestProperty:
    """Say where the engine's log goes. The slow log goes nowhere: it holds keys, which name persons."""
    return elasticache.CfnReplicationGroup.LogDeliveryConfigurationRequestProperty(
        log_type="engine-log",
        log_format="json",
        destination_type="cloudwatch-logs",
        destination_details=elasticache.CfnReplicationGroup.DestinationDetailsProperty(
            cloud_watch_logs_details=elasticache.CfnReplicationGroup.CloudWatchLogsDestinationDetailsProperty(
                log_group=log.log_group_name
            )
        ),
    )


def _explain(cache: Cache, stage: Stage) -> None:
    group = cache.group
    acknowledge(
        cache.secret,
        "SMG4",
        "ElastiCache rotates no password by itself; it is done by hand, with both let in meanwhile (ADR 18). IAM "
        "authentication was considered: it ends each connection after twelve hours.",
    )
    acknowledge(
        group,
        "AEC6",
        "Users enter by Valkey's access control lists, each with a password and its commands; the rule knows no "
        "user groups. One AUTH token for everybody was considered; it would allow every command.",
    )
    acknowledge(
        group,
        "AEC5",
        "It listens on Valkey's own port. Another one was considered: it hides nothing in subnets that only the "
        "functions' security group reaches.",
    )
    if not stage.cache.replicas:
        acknowledge(
            group,
            "AEC4",
            f"{stage.name} has one node: what Valkey loses there is filled again from Postgres. Replicas in more zones "
            "were considered, and stand in every stage that others depend on.",
        )
