"""The feature store: the durable tier (Aurora), the fast tier (Valkey), their logins, and what changes the schema."""

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.cache import Cache
from stacks.constructs.code import Sources, layers_of
from stacks.constructs.database import OWNER, READER, Database, Ground
from stacks.constructs.encryption import grant_read_secret, make_key, removal_of
from stacks.constructs.function import FunctionShape, Inside, make_function
from stacks.network import NetworkStack

__all__ = ["OWNER", "READER", "FeatureStoreStack"]

_SECRET_CHARACTERS = 64
_MIGRATE_SECONDS, _MIGRATE_MB = 900, 512


class FeatureStoreStack(aws.Stack):
    """The tiers in which features lie.

    Args:
        scope: the app.
        name: of the stack.
        stage: its values.
        network: where the tiers stand.
        sources: where the code of `migrate` lies; the checkout's where nothing is said.

    Attributes:
        key: encrypts both tiers, their snapshots and their logins.
        database, cache: the tiers.
        seal_key: encrypts the stage's secret, and nothing else.
        stage_secret: from which the keys of prediction events are derived.
        migrate: the function that changes the schema.
    """

    def __init__(
        self, scope: Construct, name: str, *, stage: Stage, network: NetworkStack, sources: Sources | None = None
    ) -> None:
        super().__init__(scope, name, env={"region": stage.region}, description=f"Ebb {stage.name}: the feature store")
        self.key = make_key(self, "Key", stage, "features, their snapshots, logins")
        database, cache = (network.shared(self, group) for group in (network.database, network.cache))
        self.database = Database(self, "Database", Ground(stage, network.vpc, database, self.key))
        self.cache = Cache(self, "Cache", Ground(stage, network.vpc, cache, self.key))
        self.seal_key = make_key(self, "SealKey", stage, "the secret that seals prediction events")
        self.stage_secret = self._stage_secret(stage)
        self.migrate = self._migrate(stage, network, sources or Sources(stage.serving.architecture))
        self._tell()

    def variables(self, user: str = OWNER) -> dict[str, str]:
        """Return what a function must be told that works on the tiers, as one user of the database."""
        return {**self.database.variables(user), **self.cache.variables()}

    def seal_variables(self) -> dict[str, str]:
        """Return what a function must be told that seals prediction events."""
        return {"EBB_STAGE_SECRET": self.stage_secret.secret_arn}

    def grant_tiers(self, grantee: iam.IGrantable, user: str = OWNER) -> None:
        """Let somebody enter both tiers, as one user of the database."""
        self.database.grant_connect(grantee, user)
        self.cache.grant_connect(grantee)

    def grant_seal(self, grantee: iam.IGrantable) -> None:
        """Let somebody seal prediction events, and open them."""
        grant_read_secret(grantee, self.stage_secret, self.seal_key)

    def _stage_secret(self, stage: Stage) -> secrets.Secret:
        secret = secrets.Secret(
            self,
            "StageSecret",
            description=f"Ebb {stage.name}: from it the keys of prediction events are derived",
            encryption_key=self.seal_key,
            generate_secret_string=secrets.SecretStringGenerator(
                password_length=_SECRET_CHARACTERS, exclude_punctuation=True
            ),
            removal_policy=removal_of(stage),
        )
        acknowledge(
            secret,
            "SMG4",
            "Each event is sealed under a key derived from it: rotated, no earlier event could be opened, verified or "
            "replayed. Each subject's salt is what is renewed; secrets numbered in each event were considered.",
        )
        return secret

    def _migrate(self, stage: Stage, network: NetworkStack, sources: Sources) -> aws_lambda.Function:
        """Add the function that a deployment calls; it enters the database and nothing else."""
        migrate = make_function(
            self,
            stage,
            sources,
            FunctionShape(
                "migrate",
                _MIGRATE_SECONDS,
                _MIGRATE_MB,
                # It parses all settings, and uses the database's.
                {**self.variables(), "EBB_RELEASES": ""},
                "Ebb: brings the schema to a version",
                reserved=1,
            ),
            layers=layers_of(self, stage, sources),
            inside=Inside(network.vpc, network.shared(self, network.functions)),
        )
        self.database.grant_connect(migrate, OWNER)
        return migrate

    def _tell(self) -> None:
        """Say what a deployment needs: it makes the users of the database, then calls `migrate`."""
        for name, value, what in (
            ("ClusterArn", self.database.cluster.cluster_arn, "The database, for the RDS Data API"),
            ("AdministratorArn", self.database.administrator.secret_arn, "The administrator's secret"),
            ("MigrateName", self.migrate.function_name, "The function that changes the schema"),
        ):
            aws.CfnOutput(self, name, value=value, description=what)
