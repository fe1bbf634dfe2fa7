"""CodeBuild, which builds the image of training's jobs after each deployment that changed it: nobody needs Docker."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import aws_cdk as aws
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from cdk.image import DOCKERFILE, copy_sources, image_tag
from cdk.stage import Stage
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.retention import retention_of

_BUILDER = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
_MACHINE = "BUILD_GENERAL1_MEDIUM"
_MINUTES, _RETRIES = 30, 2
PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_PUSH = (
    *PULL,
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
_STEPS = [
    'if aws ecr describe-images --repository-name "$NAME" --image-ids "imageTag=$TAG"; then exit 0; fi',
    'aws ecr get-login-password | docker login --username AWS --password-stdin "${REPOSITORY%%/*}"',
    f'docker build --file {DOCKERFILE} --tag "$REPOSITORY:$TAG" .',
    'docker push "$REPOSITORY:$TAG"',
]
"""One shell script: an image that is there ends it, since a tag never means another one."""


def make_build(
    scope: Construct, stage: Stage, repository: ecr.Repository, key: kms.IKey, root: Path
) -> codebuild.CfnProject:
    """Add the project, outside of the network: a build reaches package registries, and nothing of the stage.

    Args:
        scope: the stack; each time it has been created or updated, the project starts.
        stage: how long its log is kept.
        repository: that the image goes to.
        key: of the stack.
        root: of the checkout.

    Raises:
        ArchiveError: the checkout lacks what the image is built from.
    """
    tag = image_tag(root)
    sources = _asset(scope, root, tag)
    log = logs.LogGroup(
        scope, "BuildLog", retention=retention_of(stage.log_days), removal_policy=aws.RemovalPolicy.DESTROY
    )
    project = codebuild.CfnProject(
        scope,
        "JobImageBuild",
        description=f"Ebb {stage.name}: builds the image of training's jobs",
        service_role=_builder(scope, stage, repository, log, sources).role_arn,
        encryption_key=key.key_arn,
        artifacts=codebuild.CfnProject.ArtifactsProperty(type="NO_ARTIFACTS"),
        source=codebuild.CfnProject.SourceProperty(
            type="S3", location=f"{sources.s3_bucket_name}/{sources.s3_object_key}", build_spec=_build_spec()
        ),
        environment=codebuild.CfnProject.EnvironmentProperty(
            type="LINUX_CONTAINER",
            image=_BUILDER,
            compute_type=_MACHINE,
            privileged_mode=True,
            environment_variables=[
                codebuild.CfnProject.EnvironmentVariableProperty(name=name, value=value)
                for name, value in (
                    ("NAME", repository.repository_name),
                    ("REPOSITORY", repository.repository_uri),
                    ("TAG", tag),
                )
            ],
        ),
        logs_config=codebuild.CfnProject.LogsConfigProperty(
            cloud_watch_logs=codebuild.CfnProject.CloudWatchLogsConfigProperty(
                status="ENABLED", group_name=log.log_group_name
            )
        ),
        timeout_in_minutes=_MINUTES,
        auto_retry_limit=_RETRIES,
    )
    acknowledge(
        project,
        "CB3",
        "Docker builds images only where it is privileged, in a machine that is thrown away afterwards. A builder "
        "without that right (kaniko) was considered; it is no longer maintained and does not read this Dockerfile.",
    )
    _start_after_deployment(scope, stage, project)
    return project


def _build_spec() -> str:
    script = "\n".join(["set -eu", *_STEPS])
    return json.dumps({"version": "0.2", "phases": {"build": {"commands": [script]}}})


def _asset(scope: Construct, root: Path, tag: str) -> assets.Asset:
    """Return the sources as an asset, copied so that no other file of the checkout is ever looked at."""
    with TemporaryDirectory() as folder:
        copy_sources(root, Path(folder))
        return assets.Asset(scope, "JobSources", path=folder, asset_hash=tag, asset_hash_type=aws.AssetHashType.CUSTOM)


def _builder(
    scope: Construct, stage: Stage, repository: ecr.Repository, log: logs.LogGroup, sources: assets.Asset
) -> iam.Role:
    role = iam.Role(
        scope,
        "BuildRole",
        description=f"Ebb {stage.name}: builds and pushes the job image",
        assumed_by=_of_this_account("codebuild.amazonaws.com", scope),
    )
    allow_login(role)
    archive = f"arn:{aws.Aws.PARTITION}:s3:::{sources.s3_bucket_name}/{sources.s3_object_key}"
    for actions, resource in (
        (list(_PUSH), repository.repository_arn),
        (["logs:CreateLogStream", "logs:PutLogEvents"], log.log_group_arn),
        (["s3:GetObject"], archive),
    ):
        role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
    return role


def _start_after_deployment(scope: Construct, stage: Stage, project: codebuild.CfnProject) -> None:
    """Start the build when CloudFormation says that this stack is done."""
    role = iam.Role(
        scope,
        "BuildStartRole",
        description=f"Ebb {stage.name}: starts the build of the job image",
        assumed_by=_of_this_account("events.amazonaws.com", scope),
    )
    role.add_to_policy(iam.PolicyStatement(actions=["codebuild:StartBuild"], resources=[project.attr_arn]))
    events.CfnRule(
        scope,
        "Deployed",
        description=f"Ebb {stage.name}: this stack was deployed, so its job image may have changed",
        event_pattern={
            "source": ["aws.cloudformation"],
            "detail-type": ["CloudFormation Stack Status Change"],
            "detail": {
                "stack-id": [aws.Aws.STACK_ID],
                "status-details": {"status": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]},
            },
        },
        targets=[events.CfnRule.TargetProperty(id="Build", arn=project.attr_arn, role_arn=role.role_arn)],
    )


def _of_this_account(service: str, scope: Construct) -> iam.IPrincipal:
    account = aws.Stack.of(scope).account
    return iam.ServicePrincipal(service).with_conditions({"StringEquals": {"aws:SourceAccount": account}})


def allow_login(role: iam.Role) -> None:
    """Let a role ask for a registry's login, which opens nothing by itself."""
    role.add_to_policy(iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))
    acknowledge(
        role,
        "IAM5[Resource::*]",
        "A login to the registry names no repository: AWS takes this action on every resource only, and pulling is "
        "allowed on one repository. A public image was considered; it would tell everybody what is in it.",
    )
