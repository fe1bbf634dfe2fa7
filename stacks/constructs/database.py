"""Aurora PostgreSQL, and the proxy before it: nobody enters either with a password of ours.

The administrator's password is made, kept and rotated by RDS itself. Functions enter the proxy, and the proxy enters
the database, by IAM (see docs/adr/0018-logins-without-passwords.md).
"""

from dataclasses import dataclass

import aws_cdk as aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.encryption import removal_of
from stacks.constructs.places import DATA, POSTGRES_PORT
from stacks.constructs.retention import retention_of

OWNER, READER = "ebb", "ebb_reader"
"""Database users: the one that owns the schema and writes, and the one that can only read."""
DATABASE, ADMINISTRATOR = "ebb", "ebb_administrator"

_VERSION = rds.AuroraPostgresEngineVersion.VER_17_9
_BACKUP_WINDOW, _MAINTENANCE_WINDOW = "03:00-04:00", "Sun:04:30-Sun:05:30"
_LOG = "postgresql"
_BORROW_SECONDS = 2
"""A caller would have given up long before the proxy's own two minutes."""

_PARAMETERS = {
    "rds.force_ssl": "1",
    "log_error_verbosity": "terse",  # DETAIL would repeat a row, and with it a person
    "log_min_error_statement": "panic",  # so would a statement
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "idle_in_transaction_session_timeout": "60000",
}


@dataclass(frozen=True)
class Ground:
    """What a tier stands on.

    Attributes:
        stage: its values.
        vpc: the network.
        group: the tier's security group, which cannot be changed from here.
        key: encrypts what it stores.
    """

    stage: Stage
    vpc: ec2.IVpc
    group: ec2.ISecurityGroup
    key: kms.IKey

    @property
    def subnets(self) -> ec2.SubnetSelection:
        """Where data lies: no way leads out of there."""
        return ec2.SubnetSelection(subnet_group_name=DATA)


class Database(Construct):
    """The durable tier.

    Args:
        scope: the stack.
        name: of the construct.
        ground: what it stands on.

    Attributes:
        cluster: Aurora.
        proxy: through which functions reach it.
        administrator: the secret of the administrator, which RDS makes and rotates.
    """

    def __init__(self, scope: Construct, name: str, ground: Ground) -> None:
        super().__init__(scope, name)
        self.cluster = self._cluster(ground)
        self.proxy = self._proxy(ground)
        administrator = self.cluster.secret
        if administrator is None:
            raise AssertionError("RDS manages the password, so there is a secret")
        self.administrator = administrator

    def variables(self, user: str) -> dict[str, str]:
        """Return what a function must be told that enters as `user`."""
        return {
            "EBB_POSTGRES_HOST": self.proxy.endpoint,
            "EBB_POSTGRES_PORT": str(POSTGRES_PORT),
            "EBB_POSTGRES_DATABASE": DATABASE,
            "EBB_POSTGRES_USER": user,
            "EBB_POSTGRES_AUTH": "iam",
            "EBB_POSTGRES_TLS": "true",
        }

    def grant_connect(self, grantee: iam.IGrantable, user: str) -> None:
        """Let somebody enter the proxy as one user of the database."""
        self.proxy.grant_connect(grantee, user)

    def _cluster(self, ground: Ground) -> rds.DatabaseCluster:
        stage, identifier = ground.stage, f"ebb-{ground.stage.name}"
        engine = rds.DatabaseClusterEngine.aurora_postgres(version=_VERSION)
        log = self._log("Log", f"/aws/rds/cluster/{identifier}/{_LOG}", stage)
        cluster = rds.DatabaseCluster(
            self,
            "Cluster",
            cluster_identifier=identifier,  # names the log, which would otherwise be kept for ever
            engine=engine,
            writer=_instance("Writer"),
            readers=[_instance("Reader", scale_with_writer=True)] if stage.database.reader else None,
            serverless_v2_min_capacity=stage.database.least_acu,
            serverless_v2_max_capacity=stage.database.most_acu,
            default_database_name=DATABASE,
            manage_master_user_password=True,
            credentials=rds.Credentials.from_username(ADMINISTRATOR, encryption_key=ground.key),
            enable_data_api=True,  # through which a deployment makes the users, without a way into the network
            iam_authentication=True,
            parameter_group=rds.ParameterGroup(
                self, "Parameters", engine=engine, description="Ebb: TLS, no person in a log", parameters=_PARAMETERS
            ),
            vpc=ground.vpc,
            vpc_subnets=ground.subnets,
            security_groups=[ground.group],
            storage_encrypted=True,
            storage_encryption_key=ground.key,
            enable_performance_insights=True,
            performance_insight_retention=rds.PerformanceInsightRetention.DEFAULT,
            performance_insight_encryption_key=ground.key,
            cloudwatch_logs_exports=[_LOG],
            backup=rds.BackupProps(
                retention=aws.Duration.days(stage.database.backup_days), preferred_window=_BACKUP_WINDOW
            ),
            preferred_maintenance_window=_MAINTENANCE_WINDOW,
            copy_tags_to_snapshot=True,
            deletion_protection=stage.keep,
            removal_policy=removal_of(stage),
        )
        cluster.node.add_dependency(log)
        _explain(cluster, stage)
        return cluster

    def _proxy(self, ground: Ground) -> rds.DatabaseProxy:
        name = f"ebb-{ground.stage.name}"
        log = self._log("ProxyLog", f"/aws/rds/proxy/{name}", ground.stage)
        role = iam.Role(
            self,
            "ProxyRole",
            description=f"Ebb {ground.stage.name}: enters the database for the functions",
            assumed_by=iam.ServicePrincipal("rds.amazonaws.com"),
        )
        for user in (OWNER, READER):
            self.cluster.grant_connect(role, user)
        proxy = rds.DatabaseProxy(
            self,
            "Proxy",
            db_proxy_name=name,
            proxy_target=rds.ProxyTarget.from_cluster(self.cluster),
            default_auth_scheme=rds.DefaultAuthScheme.IAM_AUTH,
            role=role,
            require_tls=True,
            borrow_timeout=aws.Duration.seconds(_BORROW_SECONDS),
            max_connections_percent=90,
            debug_logging=False,  # it would log statements
            vpc=ground.vpc,
            vpc_subnets=ground.subnets,
            security_groups=[ground.group],
        )
        proxy.node.add_dependency(log)
        return proxy

    def _log(self, name: str, path: str, stage: Stage) -> logs.LogGroup:
        """Add a log group before RDS would make it, so that its entries leave some day."""
        return logs.LogGroup(
            self,
            name,
            log_group_name=path,
            retention=retention_of(stage.log_days),
            removal_policy=removal_of(stage),
        )


def _instance(name: str, *, scale_with_writer: bool | None = None) -> rds.IClusterInstance:
    return rds.ClusterInstance.serverless_v2(
        name, scale_with_writer=scale_with_writer, publicly_accessible=False, auto_minor_version_upgrade=True
    )


def _explain(cluster: rds.DatabaseCluster, stage: Stage) -> None:
    acknowledge(
        cluster,
        "RDS11",
        "The proxy listens on the default port and has no other. Another port for the cluster alone was considered: it "
        "hides nothing in subnets that only the functions' security group reaches, and confuses operators.",
    )
    if not stage.keep:
        acknowledge(
            cluster,
            "RDS10",
            f"{stage.name} keeps no data of its own: it is made and thrown away with its stack. Deletion protection "
            "was considered, and stands in every stage that keeps its data.",
        )
