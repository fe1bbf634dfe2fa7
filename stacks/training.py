"""Training: buckets, the job image, SageMaker's roles, batch scoring, Athena and the MLflow tracking server."""

from pathlib import Path

import aws_cdk as aws
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.batch_scoring import make_batch_scoring
from stacks.constructs.code import ROOT
from stacks.constructs.job_image import make_job_image
from stacks.constructs.job_roles import job_role, make_processing_role, make_training_role
from stacks.constructs.queries import make_queries
from stacks.constructs.starter import allow_jobs, allow_questions, allow_runs, make_starter
from stacks.constructs.tracking import make_tracking
from stacks.constructs.training_places import make_places


class TrainingStack(aws.Stack):
    """Where releases are made; nothing in it reaches what serves, and a release leaves it by the publisher alone.

    Args:
        scope: the app.
        name: of the stack.
        stage: its values.
        root: of the checkout that the job image is built from.

    Attributes:
        places: the buckets and their key.
        image: of the jobs.
        training, processing: the roles that jobs run as.
        starter: the role that starts them.
        tracking: the MLflow server.
        queries: Athena.
        batch_scoring: the state machine.

    Raises:
        ArchiveError: the checkout lacks what the job image is built from.
    """

    def __init__(self, scope: Construct, name: str, *, stage: Stage, root: Path = ROOT) -> None:
        super().__init__(scope, name, env={"region": stage.region}, description=f"Ebb {stage.name}: training")
        self.places = make_places(self, stage)
        self.image = make_job_image(self, stage, key=self.places.key, root=root)
        server_role = job_role(self, "TrackingRole", f"Ebb {stage.name}: the MLflow tracking server")
        self.tracking = make_tracking(self, stage, server_role, self.places)
        self.training = make_training_role(self, stage, self.places, self.image, self.tracking)
        self.processing = make_processing_role(self, stage, self.places, self.image)
        self.queries = make_queries(self, stage, self.places)
        self.batch_scoring = make_batch_scoring(self, stage, self.places, self.image, self.processing)
        self.starter = make_starter(self, stage, self.places)
        allow_jobs(self.starter, self.training, self.processing)
        allow_runs(self.starter, self.batch_scoring)
        allow_questions(self.starter, self.queries, self.tracking)
        self._tell()

    def _tell(self) -> None:
        places = self.places
        for name, value, what in (
            ("DataBucket", places.data.bucket_name, "contracts/, events/, tables/ and dvc/"),
            ("ArtefactsBucket", places.artefacts.bucket_name, "jobs/, checkpoints/, scored/ and mlflow/"),
            ("ResultsBucket", places.results.bucket_name, "What Athena answers"),
            ("ImageUri", self.image.uri, "The image of these sources; there once its build has ended"),
            ("ImageBuild", self.image.project.ref, "The project that builds it"),
            ("TrainingRoleArn", self.training.role_arn, "The role of trainings"),
            ("ProcessingRoleArn", self.processing.role_arn, "The role of all other jobs"),
            ("StarterArn", self.starter.role_arn, "The role that starts jobs, batch runs and queries"),
            ("BatchScoringArn", self.batch_scoring.ref, "The state machine of batch scoring"),
            ("TrackingServerArn", self.tracking.arn, "EBB_MLFLOW_URI"),
            ("Workgroup", self.queries.workgroup_name, "Athena's workgroup"),
            ("EventTables", self.queries.database_name, "The database of the tables of events"),
        ):
            aws.CfnOutput(self, name, value=value, description=what)
