"""The image of training's jobs: its repository, its tag, and who may pull it."""

from dataclasses import dataclass
from pathlib import Path

import aws_cdk as aws
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk.image import image_tag
from cdk.stage import Stage
from stacks.constructs.encryption import removal_of
from stacks.constructs.image_build import PULL, allow_login, make_build

_IMAGES, _UNTAGGED_DAYS = 30, 7


@dataclass(frozen=True)
class JobImage:
    """The image.

    Attributes:
        repository: holds it, and those of earlier sources.
        project: builds it.
        tag: follows from its sources.
    """

    repository: ecr.Repository
    project: codebuild.CfnProject
    tag: str

    @property
    def uri(self) -> str:
        """Its address, by tag; a tag of this repository is never given twice."""
        return self.repository.repository_uri_for_tag(self.tag)

    def grant_pull(self, role: iam.Role) -> None:
        """Let a role pull images of this repository."""
        allow_login(role)
        role.add_to_policy(
            iam.PolicyStatement(actions=list(PULL), resources=[self.repository.repository_arn]),
        )


def make_job_image(scope: Construct, stage: Stage, *, key: kms.IKey, root: Path) -> JobImage:
    """Add the repository, the project and what starts it.

    Args:
        scope: the stack; each time it has been created or updated, the project starts.
        stage: whether images outlive the stack, and how long a build's log is kept.
        key: encrypts the images.
        root: of the checkout.

    Raises:
        ArchiveError: the checkout lacks what the image is built from.
    """
    repository = _repository(scope, stage, key)
    return JobImage(repository, make_build(scope, stage, repository, key, root), image_tag(root))


def _repository(scope: Construct, stage: Stage, key: kms.IKey) -> ecr.Repository:
    return ecr.Repository(
        scope,
        "JobImages",
        encryption=ecr.RepositoryEncryption.KMS,
        encryption_key=key,
        image_scan_on_push=True,
        image_tag_mutability=ecr.TagMutability.IMMUTABLE,
        lifecycle_rules=[
            ecr.LifecycleRule(tag_status=ecr.TagStatus.UNTAGGED, max_image_age=aws.Duration.days(_UNTAGGED_DAYS)),
            ecr.LifecycleRule(tag_status=ecr.TagStatus.ANY, max_image_count=_IMAGES),
        ],
        empty_on_delete=not stage.keep,
        removal_policy=removal_of(stage),
    )
