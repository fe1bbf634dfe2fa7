"""The managed MLflow tracking server: the registry's records, whose artefacts lie in training's own bucket."""

from dataclasses import dataclass

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.training_places import TRACKING, TrainingPlaces

_MAINTENANCE = "Sun:03:00"
_READ = (
    "GetDownloadURIForModelVersionArtifacts",
    "GetExperiment",
    "GetExperimentByName",
    "GetModelVersion",
    "GetModelVersionByAlias",
    "GetRegisteredModel",
    "GetRun",
    "ListArtifacts",
    "SearchExperiments",
    "SearchModelVersions",
    "SearchRegisteredModels",
    "SearchRuns",
)
_RECORD = (
    "CreateExperiment",
    "CreateModelVersion",
    "CreateRegisteredModel",
    "CreateRun",
    "DeleteRegisteredModelAlias",
    "LogBatch",
    "LogMetric",
    "LogParam",
    "SetModelVersionTag",
    "SetRegisteredModelAlias",
    "SetTag",
    "UpdateRun",
)
"""What `training.registry` asks of a server: nobody deletes a run or a model."""


@dataclass(frozen=True)
class Tracking:
    """The server."""

    server: sagemaker.CfnMlflowTrackingServer

    @property
    def arn(self) -> str:
        """Its address, which `EBB_MLFLOW_URI` and the parameter `mlflow` of a training take."""
        return self.server.attr_tracking_server_arn

    def grant_record(self, role: iam.Role) -> None:
        """Let a role record runs, releases and their aliases."""
        self._allow(role, "sagemaker-mlflow", *_READ, *_RECORD)

    def grant_open(self, role: iam.Role) -> None:
        """Let a role open its page."""
        self._allow(role, "sagemaker-mlflow", "AccessUI")
        self._allow(role, "sagemaker", "CreatePresignedMlflowTrackingServerUrl", "DescribeMlflowTrackingServer")

    def _allow(self, role: iam.Role, service: str, *names: str) -> None:
        actions = [f"{service}:{name}" for name in names]
        role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[self.arn]))


def make_tracking(scope: Construct, stage: Stage, role: iam.Role, places: TrainingPlaces) -> Tracking:
    """Add the server, which starts no earlier than its role may write.

    Args:
        scope: the stack.
        stage: its name and the server's size.
        role: that it acts as; SageMaker takes it.
        places: where its artefacts go.
    """
    places.grant_write(role, places.artefacts, TRACKING)
    server = sagemaker.CfnMlflowTrackingServer(
        scope,
        "TrackingServer",
        tracking_server_name=f"ebb-{stage.name}",
        tracking_server_size=stage.training.tracking,
        artifact_store_uri=f"s3://{places.artefacts.bucket_name}/{TRACKING}",
        role_arn=role.role_arn,
        automatic_model_registration=False,
        weekly_maintenance_window_start=_MAINTENANCE,
    )
    server.apply_removal_policy(aws.RemovalPolicy.RETAIN if stage.keep else aws.RemovalPolicy.DESTROY)
    server.node.add_dependency(role)
    return Tracking(server)
