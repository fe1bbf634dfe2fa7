"""Aurora PostgreSQL, and the proxy before it: nobody enters either with a password of ours.

The administrator's password is made, kept and rotated by RDS itself. Functions enter the proxy, and the proxy enters
the database, by IAM (see docs/adr/0018-logins-without-passwords.md). In a stage of two regions the cluster is one of a
global database's two (stacks/constructs/global_database.py).
"""

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.encryption import removal_of
from stacks.constructs.global_database import follow, lead, make_administrator, reading_endpoint
from stacks.constructs.ground import Ground
from stacks.constructs.places import POSTGRES_PORT
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


class Database(Construct):
    """The durable tier.

    Args:
        scope: the stack.
        name: of the construct.
        ground: what it stands on.

    Attributes:
        cluster: Aurora.
        proxy: through which functions reach it.
        administrator: the ARN of the administrator's secret; empty in a second region, whose cluster has the first
            one's administrator.
    """

    def __init__(self, scope: Construct, name: str, ground: Ground) -> None:
        super().__init__(scope, name)
        stage = ground.stage
        self._users = (READER,) if stage.follows else (OWNER, READER)
        first = stage.edge is not None and not stage.beside
        self._own = make_administrator(self, stage, ground.key, ADMINISTRATOR) if first else None
        self.cluster = self._cluster(ground)
        self.proxy = self._proxy(ground)
        reading = reading_endpoint(self, ground, self.proxy) if stage.edge else ""
        self._host = reading if stage.follows else self.proxy.endpoint
        made = self._own or self.cluster.secret
        self.administrator = "" if stage.beside or made is None else made.secret_arn

    def variables(self, user: str) -> dict[str, str]:
        """Return what a function must be told that enters as `user`."""
        return {
            "EBB_POSTGRES_HOST": self._host,
            "EBB_POSTGRES_PORT": str(POSTGRES_PORT),
            "EBB_POSTGRES_DATABASE": DATABASE,
            "EBB_POSTGRES_USER": user,
            "EBB_POSTGRES_AUTH": "iam",
            "EBB_POSTGRES_TLS": "true",
        }

    def grant_connect(self, grantee: iam.IGrantable, user: str) -> None:
        """Let somebody enter the proxy as one user of the database.

        Raises:
            ValueError: nobody enters as that user here, since another region's writes are followed.
        """
        if user not in self._users:
            raise ValueError(f"nobody enters as {user} in a region that follows another one")
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
            manage_master_user_password=self._own is None,
            credentials=self._credentials(ground),
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
        if stage.beside:
            follow(stage, cluster)
        elif stage.edge is not None:
            lead(self, stage, cluster)
        _explain(cluster, stage)
        return cluster

    def _credentials(self, ground: Ground) -> rds.Credentials:
        if self._own is not None:
            return rds.Credentials.from_secret(self._own, ADMINISTRATOR)
        return rds.Credentials.from_username(ADMINISTRATOR, encryption_key=ground.key)

    def _proxy(self, ground: Ground) -> rds.DatabaseProxy:
        name = f"ebb-{ground.stage.name}"
        log = self._log("ProxyLog", f"/aws/rds/proxy/{name}", ground.stage)
        role = iam.Role(
            self,
            "ProxyRole",
            description=f"Ebb {ground.stage.name}: enters the database for the functions",
            assumed_by=iam.ServicePrincipal("rds.amazonaws.com"),
        )
        for user in self._users:
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
