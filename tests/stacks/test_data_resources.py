"""What holds data, in whatever stack: encrypted, private, kept where the stage keeps; and no secret is told."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.stacks.conftest import PLACES, SECOND, Synthesized, Template, place_of

Check = Callable[[dict[str, Any]], bool]


def _encrypted_bucket(bucket: dict[str, Any]) -> bool:
    rules = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    return all(rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"aws:kms", "AES256"} for rule in rules)


ENCRYPTED: dict[str, Check] = {
    "AWS::S3::Bucket": _encrypted_bucket,
    "AWS::RDS::DBCluster": lambda it: it["StorageEncrypted"] is True and "KmsKeyId" in it,
    # One that is made of a cluster is encrypted as that is, and may not say so itself.
    "AWS::RDS::GlobalCluster": lambda it: "SourceDBClusterIdentifier" in it,
    "AWS::ElastiCache::ReplicationGroup": lambda it: (
        it["AtRestEncryptionEnabled"] is True and it["TransitEncryptionEnabled"] is True and "KmsKeyId" in it
    ),
    "AWS::ECR::Repository": lambda it: it["EncryptionConfiguration"]["EncryptionType"] == "KMS",
    "AWS::SecretsManager::Secret": lambda it: "KmsKeyId" in it,
    "AWS::KMS::Key": lambda it: it["EnableKeyRotation"] is True,
    "AWS::DynamoDB::Table": lambda it: it["SSESpecification"]["SSEEnabled"] is True,
    "AWS::SQS::Queue": lambda it: it.get("SqsManagedSseEnabled") is True or "KmsMasterKeyId" in it,
    "AWS::SNS::Topic": lambda it: "KmsMasterKeyId" in it,
    "AWS::Kinesis::Stream": lambda it: it["StreamEncryption"]["EncryptionType"] == "KMS",
    "AWS::KinesisFirehose::DeliveryStream": lambda it: "DeliveryStreamEncryptionConfigurationInput" in it,
    "AWS::EFS::FileSystem": lambda it: it["Encrypted"] is True,
    "AWS::Athena::WorkGroup": lambda it: "EncryptionConfiguration" in json.dumps(it),
    "AWS::Backup::BackupVault": lambda it: "EncryptionKeyArn" in it,
}
"""How each type that can hold data shows that it is encrypted."""

ENCRYPTED_WITH_ANOTHER = {
    "AWS::RDS::DBInstance": "its cluster",
    "AWS::Logs::LogGroup": "CloudWatch itself, which encrypts every group; no personal value stands in a log",
    "AWS::Cognito::UserPool": "Cognito itself; it holds programs, no persons",
    "AWS::SageMaker::MlflowTrackingServer": "SageMaker itself; what it is given as files lies in a bucket of ours",
    "AWS::KMS::ReplicaKey": "the key whose replica it is, which is also what is replaced each year",
}
"""Types that hold data and name no encryption of their own, and who encrypts them."""

KEPT = {
    "AWS::S3::Bucket",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::RDS::GlobalCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::SecretsManager::Secret",
    "AWS::KMS::Key",
    "AWS::KMS::ReplicaKey",
    "AWS::DynamoDB::Table",
    "AWS::EFS::FileSystem",
    "AWS::Cognito::UserPool",
    "AWS::ECR::Repository",
    "AWS::SageMaker::MlflowTrackingServer",
}
"""Types whose loss loses data."""

PROTECTED: dict[str, Check] = {
    "AWS::RDS::DBCluster": lambda it: it["DeletionProtection"] is True,
    "AWS::RDS::GlobalCluster": lambda it: it["DeletionProtection"] is True,
    "AWS::DynamoDB::Table": lambda it: it["DeletionProtectionEnabled"] is True,
    "AWS::Cognito::UserPool": lambda it: it["DeletionProtection"] == "ACTIVE",
}
"""How a type shows that it cannot be deleted by mistake, where it can be said."""

HOLDS_DATA = re.compile(
    r"AWS::(S3::Bucket|RDS::DB(Cluster|Instance)|RDS::GlobalCluster|ElastiCache::(ReplicationGroup|ServerlessCache|"
    r"CacheCluster)|MemoryDB::Cluster|SecretsManager::Secret|KMS::(Replica)?Key|DynamoDB::(Global)?Table|SQS::Queue|SNS::Topic|"
    r"Kinesis::Stream|KinesisFirehose::DeliveryStream|EFS::FileSystem|EC2::Volume|OpenSearchService::Domain|"
    r"Athena::WorkGroup|ECR::Repository|SageMaker::MlflowTrackingServer|Backup::BackupVault|Logs::LogGroup|Cognito::UserPool|S3Tables::Table|Timestream::Table)"
)


def every(synthesized: Synthesized) -> Iterator[tuple[str, str, Template]]:
    """Yield stage, `stack/logical id` and each resource of every template."""
    for stage, stacks in synthesized.templates.items():
        for stack, template in stacks.items():
            for name, resource in template["Resources"].items():
                yield stage, f"{stack}/{name}", resource


def texts(node: Any) -> Iterator[str]:
    """Yield every text inside something."""
    match node:
        case str():
            yield node
        case dict():
            for value in node.values():
                yield from texts(value)
        case list():
            for value in node:
                yield from texts(value)


def statements(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every statement of every policy inside something."""
    match node:
        case {"Effect": str()}:
            yield node
        case dict():
            for value in node.values():
                yield from statements(value)
        case list():
            for value in node:
                yield from statements(value)


def test_every_type_that_holds_data_is_known_here(synthesized: Synthesized) -> None:
    types = {resource["Type"] for _, _, resource in every(synthesized)}
    holding = {kind for kind in types if HOLDS_DATA.fullmatch(kind)}
    assert holding <= set(ENCRYPTED) | set(ENCRYPTED_WITH_ANOTHER)
    assert {"AWS::S3::Bucket", "AWS::RDS::DBCluster", "AWS::ElastiCache::ReplicationGroup"} <= holding


def test_whatever_holds_data_is_encrypted(synthesized: Synthesized) -> None:
    for stage, name, resource in every(synthesized):
        if check := ENCRYPTED.get(resource["Type"]):
            assert check(resource.get("Properties", {})), f"{stage} {name}"


@pytest.mark.parametrize("stage", PLACES)
def test_data_is_kept_and_protected_where_the_stage_keeps(synthesized: Synthesized, stage: str) -> None:
    keep, seen = PLACES[stage].keep, 0
    for where, name, resource in every(synthesized):
        if where != stage or resource["Type"] not in KEPT:
            continue
        seen += 1
        # A type that has a snapshot on deletion may take one instead; nothing else may be lost.
        expected = {"Retain", "RetainExceptOnCreate", "Snapshot"} if keep else {"Delete"}
        assert resource["DeletionPolicy"] in expected, name
        assert resource["UpdateReplacePolicy"] in expected, name
        if check := PROTECTED.get(resource["Type"]):
            assert check(resource["Properties"]) is keep, name
    assert seen >= 6


@pytest.mark.parametrize("stage", PLACES)
def test_the_stacks_themselves_are_protected_where_the_stage_keeps(synthesized: Synthesized, stage: str) -> None:
    manifest = json.loads((synthesized.folder / "manifest.json").read_text())["artifacts"]
    stacks = {
        name: artifact["properties"].get("terminationProtection", False)
        for name, artifact in manifest.items()
        if artifact["type"] == "aws:cloudformation:stack" and place_of(name) == stage
    }
    assert set(stacks) == {f"ebb-{stage}-{short}" for short in synthesized.templates[stage]}
    assert set(stacks.values()) == {PLACES[stage].keep}


def test_buckets_are_private_versioned_logged_and_spoken_to_over_tls(synthesized: Synthesized) -> None:
    refusals: dict[str, list[Any]] = {}
    for name, policy in synthesized.every("AWS::S3::BucketPolicy").items():
        stack = name.split("/")[0]
        bucket = policy["Properties"]["Bucket"]["Ref"]
        refusals[f"{stack}/{bucket}"] = policy["Properties"]["PolicyDocument"]["Statement"]
    buckets = synthesized.every("AWS::S3::Bucket")
    for name, resource in buckets.items():
        bucket = resource["Properties"]
        blocks = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(blocks, True), name
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}, name
        assert "AccessControl" not in bucket, name
        assert "WebsiteConfiguration" not in bucket, name
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}], name
        assert "LoggingConfiguration" in bucket or "AccessLogs" in name, name
        denied = [one.get("Condition") for one in refusals[name] if one["Effect"] == "Deny"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in denied, name
    assert buckets


def test_nothing_is_public(synthesized: Synthesized) -> None:
    for stage, name, resource in every(synthesized):
        properties = resource.get("Properties", {})
        assert properties.get("PubliclyAccessible", False) is False, f"{stage} {name}"
        assert resource["Type"] != "AWS::Lambda::Url", f"{stage} {name}"
        for statement in statements(properties):
            if statement["Effect"] == "Allow" and statement.get("Principal") in ("*", {"AWS": "*"}):
                # An endpoint's policy speaks to whoever is inside the network; it must say what they may reach.
                assert resource["Type"] == "AWS::EC2::VPCEndpoint", f"{stage} {name}"
                assert "aws:ResourceAccount" in json.dumps(statement["Condition"]), f"{stage} {name}"


SECRET_NAMES = re.compile(
    r"(password|passwd|secretstring|private_?key|auth_?token|api_?key|access_?key)$", re.IGNORECASE
)
SECRET_TEXTS = re.compile(
    r"AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|xox[baprs]-|ghp_[A-Za-z0-9]{36}|"
    r"eyJ[A-Za-z0-9_-]{10,}\.eyJ|postgres(ql)?://[^/\s]*:[^/\s]*@"
)
REFERENCE = "{{resolve:secretsmanager:"
REPLICA = re.compile(r'\{"Fn::Join": \["", \["arn:", .*":secret:ebb/[a-z]+/seal"\]\]\}')
NO_SECRETS = {"GenerateStringKey", "GenerateSecretString", "ManageMasterUserPassword"}
"""Names that end so, and say how a secret is made."""


def secret_values(node: Any) -> Iterator[Any]:
    """Yield every value whose name says that it is a secret."""
    if isinstance(node, dict):
        for key, value in node.items():
            if SECRET_NAMES.search(key) and key not in NO_SECRETS and not isinstance(value, bool):
                yield value
            yield from secret_values(value)
    elif isinstance(node, list):
        for value in node:
            yield from secret_values(value)


def test_no_template_holds_a_secret(synthesized: Synthesized) -> None:
    for stage, stacks in synthesized.templates.items():
        for stack, template in stacks.items():
            for text in texts(template):
                assert not SECRET_TEXTS.search(text), f"{stage} {stack}: {text[:20]}..."
            for value in secret_values(template):
                assert next(filter(None, texts(value)), REFERENCE).startswith(REFERENCE), f"{stage} {stack}"


def test_no_parameter_or_output_holds_a_secret(synthesized: Synthesized) -> None:
    for stage, stacks in synthesized.templates.items():
        for stack, template in stacks.items():
            for name, parameter in template.get("Parameters", {}).items():  # looked up while it is deployed, not given
                assert parameter["Type"] == "AWS::SSM::Parameter::Value<String>", f"{stage} {stack} {name}"
                assert parameter["Default"].startswith(("/cdk-bootstrap/", "/aws/service/")), f"{stage} {stack} {name}"
            for name, output in template.get("Outputs", {}).items():
                assert REFERENCE not in json.dumps(output), f"{stage} {stack} {name}"


def test_no_functions_environment_holds_a_secret(synthesized: Synthesized) -> None:
    functions = synthesized.every("AWS::Lambda::Function")
    for name, function in functions.items():
        variables = function["Properties"].get("Environment", {}).get("Variables", {})
        assert REFERENCE not in json.dumps(variables), name
        for variable, value in variables.items():
            # A variable may name a secret, as the address of one that is made here; it never holds it.
            if "SECRET" in variable and value and place_of(name) in SECOND:
                # That of the other region's replica is known by the secret's name.
                assert REPLICA.fullmatch(json.dumps(value)) or set(value) <= {"Fn::ImportValue"}, f"{name} {variable}"
            elif "SECRET" in variable and value:
                assert set(value) <= {"Ref", "Fn::ImportValue", "Fn::GetAtt"}, f"{name} {variable}"
            assert not variable.endswith(("_PASSWORD", "_TOKEN")), f"{name} {variable}"
    assert functions


def test_secrets_are_made_by_secrets_manager(synthesized: Synthesized) -> None:
    secrets = synthesized.every("AWS::SecretsManager::Secret")
    for name, secret in secrets.items():
        assert "SecretString" not in secret["Properties"], name
        assert secret["Properties"]["GenerateSecretString"]["PasswordLength"] >= 32, name
    assert secrets
