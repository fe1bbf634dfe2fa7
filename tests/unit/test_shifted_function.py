"""A function with versions, by the same promises: the fake, and Lambda's API as it is spoken; boto3 is the referee."""

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ebb.aws.client import AwsClient
from ebb.aws.credentials import Credentials
from ebb.aws.deployments import CodeDeployments
from ebb.aws.functions import LambdaFunction
from ebb.errors import Misuse, Unavailable
from ebb.shift.function import FAILED, READY, Capacity, ShiftedFunction
from tests.fakes.answering import answering
from tests.fakes.aws_door import KEYS, REGION
from tests.fakes.shifted import FakeFunction, Shifting, shifting

EVENT = {"routeKey": "TRY releases", "body": "ünïcode"}


def client() -> AwsClient:
    return AwsClient(lambda: Credentials("a", "b"))


def environment(url: str) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": url, "AWS_REGION": REGION, **KEYS}


@pytest.fixture
def fake() -> FakeFunction:
    return FakeFunction()


@pytest.fixture
def door(fake: FakeFunction) -> Iterator[Shifting]:
    with shifting(fake) as opened:
        yield opened


@pytest.fixture(params=["in memory", "Lambda's API"])
def function(request: pytest.FixtureRequest, fake: FakeFunction, door: Shifting) -> ShiftedFunction:
    if request.param == "in memory":
        return fake
    return LambdaFunction(client(), environment(door.url), "predict")


def boto(service: str, url: str) -> Any:
    session = boto3.Session("testing", "testing", region_name=REGION)
    return session.client(service, endpoint_url=url, config=Config(retries={"max_attempts": 0}))


def test_an_alias_names_a_version(fake: FakeFunction, function: ShiftedFunction) -> None:
    assert function.alias_version("live") == "1"
    fake.aliases["live"] = "2"
    assert function.alias_version("live") == "2"
    with pytest.raises(Misuse):
        function.alias_version("dead")


def test_capacity_is_none_until_it_is_asked_for_and_comes_by_and_by(
    fake: FakeFunction, function: ShiftedFunction
) -> None:
    fake.pace = 4
    assert function.capacity("2") is None
    function.ask_capacity("2", 6)
    assert function.capacity("2") == Capacity(6, 4, 4, "IN_PROGRESS")
    assert function.capacity("2") == Capacity(6, 6, 6, READY)
    with pytest.raises(Misuse):
        function.capacity("9")
    with pytest.raises(Misuse):
        function.ask_capacity("9", 1)


def test_capacity_that_failed_says_why(fake: FakeFunction, function: ShiftedFunction) -> None:
    fake.pace, fake.fails_at = 4, 3
    function.ask_capacity("2", 6)
    failed = function.capacity("2")
    assert failed == Capacity(6, 3, 0, FAILED, "no room is left")
    assert failed.current == 3
    fake.keep("1", 7)
    ready = function.capacity("1")
    assert ready is not None
    assert ready.current == 7


@pytest.mark.parametrize("qualifier", ["2", "live"])
def test_a_version_and_an_alias_answer(fake: FakeFunction, function: ShiftedFunction, qualifier: str) -> None:
    seen: list[tuple[str, Mapping[str, Any]]] = []

    def answer(asked: str, event: Mapping[str, Any]) -> dict[str, Any]:
        seen.append((asked, dict(event)))
        return {"statusCode": 200, "body": "ä"}

    fake.answer = answer
    assert function.invoke(qualifier, EVENT, 30.0) == {"statusCode": 200, "body": "ä"}
    assert seen == [(qualifier, EVENT)]


def test_a_crash_is_unavailable_and_a_version_that_is_not_there_is_a_misuse(
    fake: FakeFunction, function: ShiftedFunction
) -> None:
    def crash(_qualifier: str, _event: Mapping[str, Any]) -> None:
        raise ZeroDivisionError

    fake.answer = crash
    with pytest.raises(Unavailable, match="ZeroDivisionError"):
        function.invoke("2", EVENT, 30.0)
    with pytest.raises(Misuse):
        function.invoke("9", EVENT, 30.0)


def test_the_door_answers_boto3_as_lambda_would(fake: FakeFunction, door: Shifting) -> None:
    fake.pace = 4
    theirs = boto("lambda", door.url)
    assert theirs.get_alias(FunctionName="predict", Name="live")["FunctionVersion"] == "1"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        theirs.get_alias(FunctionName="predict", Name="dead")
    named = {"FunctionName": "predict", "Qualifier": "2"}
    with pytest.raises(ClientError, match="ProvisionedConcurrencyConfigNotFoundException"):
        theirs.get_provisioned_concurrency_config(**named)
    asked = theirs.put_provisioned_concurrency_config(**named, ProvisionedConcurrentExecutions=6)
    assert (asked["Status"], asked["RequestedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 6)
    assert theirs.get_provisioned_concurrency_config(**named)["AvailableProvisionedConcurrentExecutions"] == 4
    assert fake.asked == [("2", 6)]
    answered = theirs.invoke(**named, Payload=b"{}")
    assert answered["StatusCode"] == 200
    assert b"statusCode" in answered["Payload"].read()
    boto("codedeploy", door.url).put_lifecycle_event_hook_execution_status(
        deploymentId="d-1", lifecycleEventHookExecutionId="h-1", status="Succeeded"
    )
    assert door.told == [("d-1", "h-1", "Succeeded")]


def test_what_is_sent_is_what_boto3_would_send() -> None:
    with answering((200, b'{"FunctionVersion": "1", "Status": "READY"}', "")) as server:
        where = environment(server.url)
        function, theirs = LambdaFunction(client(), where, "predict"), boto("lambda", server.url)
        named = {"FunctionName": "predict", "Qualifier": "7"}
        function.alias_version("live")
        theirs.get_alias(FunctionName="predict", Name="live")
        function.capacity("7")
        theirs.get_provisioned_concurrency_config(**named)
        function.ask_capacity("7", 5)
        theirs.put_provisioned_concurrency_config(**named, ProvisionedConcurrentExecutions=5)
        function.invoke("7", EVENT, 9.0)
        theirs.invoke(**named, Payload=b"{}")
        CodeDeployments(client(), where, 9.0).tell("d", "h", passed=True)
        boto("codedeploy", server.url).put_lifecycle_event_hook_execution_status(
            deploymentId="d", lifecycleEventHookExecutionId="h", status="Succeeded"
        )
    asked = [(method, path) for method, path, _ in server.asked]
    assert len(asked) == 10
    assert asked[::2] == asked[1::2]
    assert server.heads[-1]["x-amz-target"] == server.heads[-2]["x-amz-target"]
    assert server.heads[-1]["content-type"] == server.heads[-2]["content-type"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(403, b"{}", Unavailable), (200, b"<html>canary", Unavailable), (404, b"canary", Unavailable)],
)
def test_what_lambda_says_else_is_a_sentence(status: int, body: bytes, kind: type[Exception]) -> None:
    with answering((status, body, "")) as server, pytest.raises(kind) as refused:
        LambdaFunction(client(), environment(server.url), "predict").alias_version("live")
    assert "alias live" in str(refused.value)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [("LifecycleEventAlreadyCompletedException", None), ("InvalidDeploymentIdException", Misuse)],
)
def test_codedeploy_is_told_once_and_says_no_in_a_sentence(
    door: Shifting, refusal: str, kind: type[Exception] | None
) -> None:
    deployments = CodeDeployments(client(), environment(door.url), 9.0)
    deployments.tell("d-1", "h-1", passed=False)
    assert door.told == [("d-1", "h-1", "Failed")]
    door.refusals.append(refusal)
    if kind is None:
        deployments.tell("d-1", "h-1", passed=False)
    else:
        with pytest.raises(kind, match=refusal):
            deployments.tell("d-1", "h-1", passed=False)
    assert len(door.told) == 1
