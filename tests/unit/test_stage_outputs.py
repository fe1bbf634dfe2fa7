"""What AWS says of a stage, and what it says instead: each refusal is a sentence that names what was asked for."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from ebb.errors import EbbError, Unavailable
from local.calling import outputs
from local.calling.outputs import NotDeployed, api_key, client_secret, outputs_of

STACK = {"StackName": "ebb-dev-inference", "CreationTime": "2026-01-01T00:00:00Z", "StackStatus": "CREATE_COMPLETE"}
SECRET = "s3cret-4711" * 3


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Stubber]:
    """Stub a service: what it is asked must be what the stub was told."""

    def stubbed(service: str) -> Stubber:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        client = boto3.session.Session().client(service, region_name="us-east-1", **keys)
        stub = Stubber(client)
        stub.activate()
        asked: list[tuple[str, str]] = []

        def made(name: str, region: str) -> Any:
            asked.append((name, region))
            assert asked == [(service, "us-east-1")]
            return client

        monkeypatch.setattr(outputs, "_client", made)
        return stub

    return stubbed


def test_outputs_are_read_by_name(aws: Callable[[str], Stubber]) -> None:
    told = [{"OutputKey": "Address", "OutputValue": "https://a"}, {"OutputKey": "TokenUrl", "OutputValue": "https://t"}]
    stub = aws("cloudformation")
    stub.add_response("describe_stacks", {"Stacks": [{**STACK, "Outputs": told}]}, {"StackName": "ebb-dev-inference"})
    assert outputs_of("dev", "us-east-1") == {"Address": "https://a", "TokenUrl": "https://t"}
    stub.assert_no_pending_responses()


def test_a_stack_without_outputs_has_none(aws: Callable[[str], Stubber]) -> None:
    aws("cloudformation").add_response("describe_stacks", {"Stacks": [STACK]})
    assert outputs_of("dev", "us-east-1") == {}


def test_a_secret_is_read_and_a_client_that_is_gone_is_a_sentence(aws: Callable[[str], Stubber]) -> None:
    stub = aws("cognito-idp")
    asked = {"UserPoolId": "us-east-1_x", "ClientId": "abc"}
    stub.add_response("describe_user_pool_client", {"UserPoolClient": {"ClientSecret": SECRET}}, asked)
    assert client_secret("us-east-1_x", "abc", "us-east-1") == SECRET
    aws("cognito-idp").add_response("describe_user_pool_client", {"UserPoolClient": {}})
    with pytest.raises(NotDeployed, match=r"the client abc of the user pool us-east-1_x has no secret"):
        client_secret("us-east-1_x", "abc", "us-east-1")
    stub = aws("cognito-idp")
    stub.add_client_error("describe_user_pool_client", "ResourceNotFoundException", "Client abc not found.")
    with pytest.raises(NotDeployed, match=r"the user pool us-east-1_x has no client abc any more"):
        client_secret("us-east-1_x", "abc", "us-east-1")


@pytest.mark.parametrize(
    ("code", "message", "kind", "says"),
    [
        ("ValidationError", "Stack with id ebb-dev-inference does not exist", NotDeployed, "is not deployed"),
        ("ValidationError", "something else", Unavailable, r"AWS refuses the outputs .* \(ValidationError\)"),
        ("AccessDenied", "not authorized: arn:aws:iam::1:user/me", Unavailable, r"\(AccessDenied\): use credentials"),
        ("ExpiredToken", "expired", Unavailable, r"\(ExpiredToken\): use credentials that may read it, and have not"),
    ],
)
def test_a_refusal_of_aws_is_a_sentence(
    aws: Callable[[str], Stubber], code: str, message: str, kind: type[EbbError], says: str
) -> None:
    aws("cloudformation").add_client_error("describe_stacks", code, message)
    with pytest.raises(kind, match=says) as refused:
        outputs_of("dev", "us-east-1")
    assert "arn:aws:iam" not in str(refused.value)


def test_aws_that_cannot_be_reached_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_service: str, _region: str) -> Any:
        raise EndpointConnectionError(endpoint_url="https://x")

    monkeypatch.setattr(outputs, "_client", away)
    with pytest.raises(Unavailable, match=r"AWS cannot be asked for the outputs of ebb-dev-inference in us-east-1"):
        outputs_of("dev", "us-east-1")


def test_a_key_is_read_and_one_that_is_gone_is_a_sentence(aws: Callable[[str], Stubber]) -> None:
    asked = {"apiKey": "k1", "includeValue": True}
    aws("apigateway").add_response("get_api_key", {"id": "k1", "value": SECRET}, asked)
    assert api_key("k1", "us-east-1") == SECRET
    aws("apigateway").add_client_error("get_api_key", "NotFoundException", "Invalid API Key identifier specified")
    with pytest.raises(NotDeployed, match="there is no API key k1 any more: deploy the stage again"):
        api_key("k1", "us-east-1")
