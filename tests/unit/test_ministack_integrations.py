"""Errors of SageMaker as Step Functions names them, and time for expressions."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from local.ministack.clients import client_of
from local.ministack.integrations import Integrations
from local.ministack.patience import give_time

BOTO = import_module("botocore.exceptions")


class ExecutionError(Exception):
    """As MiniStack's."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(error, cause)
        self.error, self.cause = error, cause


class Client:
    """Answers with what it was given, the last again and again; an error is raised."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)

    def _next(self, **_arguments: Any) -> dict[str, Any]:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        told: dict[str, Any] = answer
        return dict(told)

    create_processing_job = describe_processing_job = put_object = _next


def integrations(*answers: Any) -> Integrations:
    states = SimpleNamespace(
        _ExecutionError=ExecutionError,
        _SERVICE_DISPATCH={},
        _invoke_aws_sdk_integration=lambda resource, arguments: (resource, arguments),
    )
    client = Client(*answers)
    made = Integrations(states, lambda: client, lambda: client)
    made.install()
    assert states._invoke_aws_sdk_integration == made.call
    assert list(states._SERVICE_DISPATCH.values()) == [made.process]
    return made


def refusal(code: str) -> Exception:
    error: Exception = BOTO.ClientError({"Error": {"Code": code, "Message": "why"}}, "CreateProcessingJob")
    return error


SYNC = "arn:aws:states:::sagemaker:createProcessingJob.sync"


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (refusal("ResourceInUse"), "SageMaker.ResourceInUseException"),
        (refusal("ResourceLimitExceeded"), "SageMaker.ResourceLimitExceededException"),
        (refusal("ThrottlingException"), "SageMaker.ThrottlingException"),
        (refusal("ValidationException"), "SageMaker.AmazonSageMakerException"),
        (refusal("InternalFailure"), "SageMaker.AmazonSageMakerException"),
        (BOTO.EndpointConnectionError(endpoint_url="x"), "SageMaker.SdkClientException"),
        (BOTO.ParamValidationError(report="x"), "SageMaker.SdkClientException"),
    ],
)
def test_refusals_have_the_names_that_definitions_retry(error: Exception, name: str) -> None:
    with pytest.raises(ExecutionError) as raised:
        integrations(error).process(SYNC, {"ProcessingJobName": "a"})
    assert raised.value.error == name


def test_a_job_is_awaited_or_not_as_asked() -> None:
    created = {"ProcessingJobArn": "arn", "ResponseMetadata": {}}
    running, over = {"ProcessingJobStatus": "InProgress"}, {"ProcessingJobStatus": "Completed"}
    asked = {"ProcessingJobName": "a"}
    assert integrations(created, running, over).process(SYNC, asked) == over
    assert integrations(created).process(SYNC.removesuffix(".sync"), asked) == {"ProcessingJobArn": "arn"}
    for status in ("Failed", "Stopped"):
        with pytest.raises(ExecutionError) as raised:
            integrations(created, {"ProcessingJobStatus": status, "FailureReason": "why"}).process(SYNC, asked)
        assert raised.value.error == "States.TaskFailed"
        assert '"FailureReason": "why"' in raised.value.cause


def test_other_calls_are_ministacks_own() -> None:
    assert integrations({}).call("arn:x", {"a": 1}) == ("arn:x", {"a": 1})
    with pytest.raises(ExecutionError) as raised:
        integrations(refusal("SlowDown")).call("arn:aws:states:::aws-sdk:s3:putObject", {"Body": {}})
    assert raised.value.error == "S3.SlowDownException"


def test_without_an_address_nobody_is_asked() -> None:
    states = SimpleNamespace(_ExecutionError=ExecutionError, _invoke_aws_sdk_integration=None)
    made = Integrations(states, lambda: None, lambda: client_of("sagemaker", ""))
    with pytest.raises(ExecutionError) as raised:
        made.process(SYNC, {"ProcessingJobName": "a"})
    assert raised.value.error == "States.Runtime"
    assert "no address of sagemaker" in raised.value.cause


def test_an_expression_gets_a_minute_where_it_was_bounded() -> None:
    class Engine:
        """Says what it was given."""

        @staticmethod
        def jsonata(*words: Any, **bounds: Any) -> Any:
            return words, bounds

    give_time(SimpleNamespace(jsonata=SimpleNamespace(Jsonata=Engine)))
    assert Engine.jsonata("1", timeout=1000) == (("1",), {"timeout": 60_000})
    assert Engine.jsonata("1") == (("1",), {})
