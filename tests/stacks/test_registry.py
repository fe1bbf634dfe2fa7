"""The registry's stack: its bucket, and grants that say one thing each."""

from itertools import product
from typing import Any

import aws_cdk as aws
import pytest
from aws_cdk import aws_iam as iam

from cdk.guardrails import guard
from cdk.stages import STAGES
from ebb.places import S3Place, parse_place
from stacks.registry import RegistryStack
from tests.stacks.conftest import CONTEXT, Synthesized, Template

stages = pytest.mark.parametrize("stage", STAGES)
Rights = set[tuple[str, str, str]]


def bucket(synthesized: Synthesized, stage: str, name: str) -> Template:
    """Return a bucket's properties."""
    found = synthesized.resources(stage, "registry", "AWS::S3::Bucket")
    (one,) = [resource for logical, resource in found.items() if logical.startswith(name)]
    return dict(one["Properties"])


def rights(policies: dict[str, Template]) -> Rights:
    """Return what policies allow: action, end of the resource, condition on the listed prefix."""
    found = set()
    for policy in policies.values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            condition = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", "")
            for action, resource in product(listed(statement["Action"]), listed(statement["Resource"])):
                found.add((action, resource["Fn::Join"][1][-1] if "Fn::Join" in resource else "", condition))
    return found


def listed(one: Any) -> list[Any]:
    """Return what a policy holds as a list, or as itself where it is alone."""
    return one if isinstance(one, list) else [one]


def granted(*grants: str) -> Rights:
    """Return what grants let a role of a later stack do; its synth passes cdk-nag."""
    app = aws.App(context=CONTEXT)
    registry = RegistryStack(app, "ebb-dev-registry", stage=STAGES["dev"])
    later = aws.Stack(app, "ebb-dev-later", env={"region": "us-east-1"})
    role = iam.Role(later, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    for grant in grants:
        getattr(registry, grant)(role)
    guard(app, STAGES["dev"], [registry, later])
    template = app.synth().get_stack_by_name("ebb-dev-later").template
    return rights({name: one for name, one in template["Resources"].items() if one["Type"] == "AWS::IAM::Policy"})


@stages
def test_releases_are_versioned_encrypted_and_every_access_is_logged(synthesized: Synthesized, stage: str) -> None:
    releases = bucket(synthesized, stage, "Releases")
    assert releases["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = releases["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert rule["BucketKeyEnabled"] is True
    assert releases["LoggingConfiguration"]["LogFilePrefix"] == "releases/"
    assert "NotificationConfiguration" not in releases
    (lifecycle,) = releases["LifecycleConfiguration"]["Rules"]
    assert lifecycle["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}
    assert "ExpirationInDays" not in lifecycle  # a release that serves never leaves by itself


@stages
def test_access_logs_leave_with_the_stages_days(synthesized: Synthesized, stage: str) -> None:
    (lifecycle,) = bucket(synthesized, stage, "AccessLogs")["LifecycleConfiguration"]["Rules"]
    assert lifecycle["ExpirationInDays"] == STAGES[stage].log_days


@stages
def test_what_lies_there_is_written_once(synthesized: Synthesized, stage: str) -> None:
    policies = synthesized.resources(stage, "registry", "AWS::S3::BucketPolicy").values()
    every = [one for policy in policies for one in policy["Properties"]["PolicyDocument"]["Statement"]]
    (once,) = [one for one in every if one.get("Sid") == "WrittenOnce"]
    assert once["Effect"] == "Deny"
    assert once["Principal"] == {"AWS": "*"}
    assert once["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    ends = [resource["Fn::Join"][1][-1] for resource in once["Resource"]]
    assert ends == ["/releases/*.zip", "/routing/*.json"]  # and not roles.json, which is replaced on a condition


@stages
def test_the_publisher_adds_releases_and_leaves_the_routing_alone(synthesized: Synthesized, stage: str) -> None:
    made = synthesized.resources(stage, "registry", "AWS::IAM::Policy")
    policies = {name: policy for name, policy in made.items() if name.startswith("Publisher")}
    assert rights(policies) == granted("grant_publish")
    assert not [end for _, end, _ in rights(policies) if "routing" in end]
    roles = synthesized.resources(stage, "registry", "AWS::IAM::Role").items()
    (role,) = [role for name, role in roles if name.startswith("Publisher")]
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert "root" in str(trust["Principal"]["AWS"])
    assert role["Properties"]["MaxSessionDuration"] == 3_600


READ_RELEASES: Rights = {
    ("s3:GetObject", "/releases/*", ""),
    ("s3:ListBucket", "", "releases/*"),
    ("kms:Decrypt", "", ""),
}
READ_ROUTING: Rights = {
    ("s3:GetObject", "/routing/*", ""),
    ("s3:ListBucket", "", "routing/*"),
    ("kms:Decrypt", "", ""),
}
SEAL = ("kms:GenerateDataKey", "", "")


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        (["grant_read_releases"], READ_RELEASES),
        (["grant_read_routing"], READ_ROUTING),
        (["grant_write_routing"], READ_ROUTING | {("s3:PutObject", "/routing/*", ""), SEAL}),
        (["grant_publish"], READ_RELEASES | {("s3:PutObject", "/releases/*", ""), SEAL}),
        (["grant_read_releases", "grant_read_routing"], READ_RELEASES | READ_ROUTING),
    ],
)
def test_a_grant_says_one_thing(grants: list[str], expected: Rights) -> None:
    assert granted(*grants) == expected


def test_what_functions_are_told_is_what_they_parse() -> None:
    registry = RegistryStack(aws.App(context=CONTEXT), "ebb-dev-registry", stage=STAGES["dev"])
    told: dict[str, Any] = {
        name: registry.resolve(value)["Fn::Join"][1] for name, value in registry.variables().items()
    }
    assert set(told) == {"EBB_RELEASES", "EBB_ROUTING"}
    for name, (before, _, after) in told.items():
        place = parse_place(f"{before}some-bucket{after}", name)
        assert place == S3Place("some-bucket", name.removeprefix("EBB_").lower())
