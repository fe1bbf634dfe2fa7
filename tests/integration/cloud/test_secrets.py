"""Secrets of Secrets Manager: read as they are, refused in sentences."""

from uuid import uuid4

import pytest

from ebb.aws.client import AwsClient
from ebb.aws.credentials import Credentials
from ebb.aws.secrets import PREVIOUS, Secrets
from ebb.cloud import Cloud
from ebb.errors import Misuse, Unavailable
from tests.fakes.answering import answering
from tests.fakes.aws_door import Door

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ebb/stage-AbCdEf"


def create(door: Door, **value: object) -> str:
    arn: str = door.client("secretsmanager").create_secret(Name=f"ebb/{uuid4().hex}", **value)["ARN"]
    door.begin()
    return arn


@pytest.mark.parametrize("text", ["bare", '{"username": "u"}', "ünïcode " * 40])
def test_a_text_is_its_bytes(door: Door, text: str) -> None:
    assert Cloud(door.environment).secret(create(door, SecretString=text)) == text.encode()


def test_bytes_are_as_they_are(door: Door) -> None:
    secret = bytes(range(256))
    assert Cloud(door.environment).secret(create(door, SecretBinary=secret)) == secret


def test_the_newest_version_counts_and_the_one_before_can_be_asked_for(door: Door) -> None:
    arn = create(door, SecretString="one")
    secrets = Secrets(_client(), door.environment)
    assert secrets.read(arn) == b"one"
    door.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="two")
    assert secrets.read(arn) == b"two"
    assert secrets.read(arn, PREVIOUS) == b"one"


def test_one_that_is_not_there_is_named(door: Door) -> None:
    with pytest.raises(Misuse, match="there is no secret ebb/stage-AbCdEf with a version AWSCURRENT"):
        Cloud(door.environment).secret(ARN)


@pytest.mark.parametrize(
    "arn", ["", "ebb/stage", "arn:aws:s3:::bucket", f"{ARN}\n", "arn:aws:secretsmanager:::secret:x"]
)
def test_what_is_no_arn_is_asked_nobody(door: Door, arn: str) -> None:
    with pytest.raises(Misuse, match="is not the ARN of a secret"):
        Cloud(door.environment).secret(arn)
    assert door.asked == []


def test_a_busy_secrets_manager_is_asked_again(door: Door) -> None:
    arn = create(door, SecretString="one")
    door.faults.extend(["busy", "dropped"])
    assert Cloud(door.environment).secret(arn) == b"one"


def _client() -> AwsClient:
    return AwsClient(lambda: Credentials("a", "b"))


@pytest.mark.parametrize(
    ("status", "body", "kind", "sentence"),
    [
        (
            400,
            b'{"__type":"AccessDeniedException"}',
            Misuse,
            "may not be read: give the function's role secretsmanager:Get",
        ),
        (400, b'{"__type":"com.amazonaws#DecryptionFailure"}', Unavailable, r"\(DecryptionFailure\)"),
        (403, b"<html>", Unavailable, r"\(403\)"),
        (200, b"{}", Misuse, "has neither text nor bytes"),
        (200, b"canary", Misuse, "has neither text nor bytes"),
    ],
)
def test_a_refusal_is_a_sentence(status: int, body: bytes, kind: type[Exception], sentence: str) -> None:
    with answering((status, body, "")) as server, pytest.raises(kind, match=sentence) as refused:
        Secrets(_client(), {"AWS_ENDPOINT_URL_SECRETS_MANAGER": server.url}).read(ARN)
    assert "canary" not in str(refused.value)
    assert server.heads[0]["x-amz-target"] == "secretsmanager.GetSecretValue"
    assert "/us-east-1/secretsmanager/aws4_request" in server.heads[0]["authorization"]
