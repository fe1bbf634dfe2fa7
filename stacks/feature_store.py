"""The feature store: the durable tier (Aurora), the fast tier (Valkey), their logins, and what changes the schema."""

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.cache import Cache
from stacks.constructs.code import Sources, layers_of
from stacks.constructs.database import OWNER, READER, Database
from stacks.constructs.encryption import grant_read_secret, make_key, removal_of
from stacks.constructs.function import FunctionShape, Inside, make_function
from stacks.constructs.ground import Ground
from stacks.network import NetworkStack
from stacks.seal import SealStack

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
        seal: the stack of the seal key, where the stage has two regions.

    Attributes:
        key: encrypts both tiers, their snapshots and their logins.
        database, cache: the tiers.
        seal_key: encrypts the stage's secret, and nothing else.
        stage_secret: from which the keys of prediction events are derived; in a second region the first one's replica.
        migrate: the function that changes the schema; None where another region's writes are followed.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        network: NetworkStack,
        sources: Sources | None = None,
        seal: SealStack | None = None,
    ) -> None:
        super().__init__(scope, name, env={"region": stage.region}, description=f"Ebb {stage.name}: the feature store")
        self._stage = stage
        self.key = make_key(self, "Key", stage, "features, their snapshots, logins")
        database, cache = (network.shared(self, group) for group in (network.database, network.cache))
        self.database = Database(self, "Database", Ground(stage, network.vpc, database, self.key))
        self.cache = Cache(self, "Cache", Ground(stage, network.vpc, cache, self.key))
        sealing = "the secret that seals prediction events"
        self.seal_key = make_key(self, "SealKey", stage, sealing) if seal is None else seal.key
        self.stage_secret = self._replica(stage) if stage.beside else self._stage_secret(stage)
        self.migrate = (
            None if stage.follows else self._migrate(stage, network, sources or Sources(stage.serving.architecture))
        )
        self._tell()

    def variables(self, user: str = OWNER) -> dict[str, str]:
        """Return what a function must be told that works on the tiers, as one user of the database.

        What writes where another region follows says there what it wrote; what follows can only read.
        """
        told = {**self.database.variables(self._as(user)), **self.cache.variables()}
        if self._stage.follows:
            return {**told, "EBB_POSTGRES_READ_ONLY": "true", "EBB_FOLLOWS": self._stage.follows}
        return {**told, "EBB_FOLLOWED": "true"} if self._stage.followed and user == OWNER else told

    def seal_variables(self) -> dict[str, str]:
        """Return what a function must be told that seals prediction events."""
        return {"EBB_STAGE_SECRET": self.stage_secret.secret_arn}

    def grant_tiers(self, grantee: iam.IGrantable, user: str = OWNER) -> None:
        """Let somebody enter both tiers, as one user of the database; where another region leads, only to read."""
        self.database.grant_connect(grantee, self._as(user))
        self.cache.grant_connect(grantee)

    def grant_seal(self, grantee: iam.IGrantable) -> None:
        """Let somebody seal prediction events, and open them."""
        grant_read_secret(grantee, self.stage_secret, self.seal_key)

    def _as(self, user: str) -> str:
        return READER if self._stage.follows else user

    def _replica(self, stage: Stage) -> secrets.ISecret:
        """Return the stage's secret as Secrets Manager keeps it here: under the same name, with the same value."""
        partial = self.format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=_secret_name(stage),
            arn_format=aws.ArnFormat.COLON_RESOURCE_NAME,
        )
        return secrets.Secret.from_secret_attributes(self, "StageSecret", secret_partial_arn=partial)

    def _stage_secret(self, stage: Stage) -> secrets.Secret:
        secret = secrets.Secret(
            self,
            "StageSecret",
            secret_name=_secret_name(stage) if stage.edge else None,
            description=f"Ebb {stage.name}: from it the keys of prediction events are derived",
            encryption_key=self.seal_key,
            generate_secret_string=secrets.SecretStringGenerator(
                password_length=_SECRET_CHARACTERS, exclude_punctuation=True
            ),
            removal_policy=removal_of(stage),
        )
        if stage.edge:
            there = f"arn:{self.partition}:kms:{stage.edge.region}:{self.account}:key/{self.seal_key.key_id}"
            secret.add_replica_region(stage.edge.region, kms.Key.from_key_arn(self, "SealKeyThere", there))
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
            ("AdministratorArn", self.database.administrator, "The administrator's secret"),
            ("MigrateName", self.migrate and self.migrate.function_name, "The function that changes the schema"),
        ):
            if value:
                aws.CfnOutput(self, name, value=value, description=what)


def _secret_name(stage: Stage) -> str:
    """Return the secret's name where two regions have it; a hyphen and six characters at its end would be mistaken."""
    return f"ebb/{stage.name}/seal"
