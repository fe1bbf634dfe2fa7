"""Service integrations that MiniStack 1.5.33 lacks: SageMaker's processing jobs, awaited, and S3's PutObject."""

# ruff: noqa: SLF001 - what is added to an interpreter reaches into it

import json
import time
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import Any

_JOB = "arn:aws:states:::sagemaker:createProcessingJob"
_PUT = "arn:aws:states:::aws-sdk:s3:putObject"
_POLL_SECONDS = 0.2
_NAMED = {
    "ResourceInUse": "SageMaker.ResourceInUseException",
    "ResourceLimitExceeded": "SageMaker.ResourceLimitExceededException",
    "ResourceNotFound": "SageMaker.ResourceNotFoundException",
    "Throttling": "SageMaker.ThrottlingException",
}
"""SageMaker's errors as Step Functions names them; all others are the general one."""
_UNNAMED = "SageMaker.AmazonSageMakerException"


class Integrations:
    """Adds to what a Task state of MiniStack can call.

    Args:
        states: `ministack.services.stepfunctions`.
        s3: makes a client of the S3 here.
        sagemaker: makes a client of whoever runs jobs here.
    """

    def __init__(self, states: Any, s3: Callable[[], Any], sagemaker: Callable[[], Any]) -> None:
        self._states, self._s3, self._sagemaker = states, s3, sagemaker
        self._sdk = states._invoke_aws_sdk_integration
        botocore = import_module("botocore.exceptions")
        self._errors = (botocore.BotoCoreError, botocore.ClientError)

    def install(self) -> None:
        """Make them known."""
        self._states._SERVICE_DISPATCH[_JOB] = self.process
        self._states._invoke_aws_sdk_integration = self.call

    def process(self, resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Create a processing job; with `.sync` return its description when it is over.

        Raises:
            _ExecutionError: MiniStack's own; `States.TaskFailed` with the description as cause where the job failed.
        """
        try:
            client = self._sagemaker()
            created = client.create_processing_job(**arguments)
            if not resource.endswith(".sync"):
                return _plain(created)
            while True:
                told = client.describe_processing_job(ProcessingJobName=arguments["ProcessingJobName"])
                if told["ProcessingJobStatus"] not in {"InProgress", "Stopping"}:
                    break
                time.sleep(_POLL_SECONDS)
        except LookupError as error:
            raise self._error("States.Runtime", str(error)) from None
        except self._errors as error:
            raise self._error(_name_of(error), str(error)) from None
        if told["ProcessingJobStatus"] != "Completed":
            raise self._error("States.TaskFailed", json.dumps(_plain(told)))
        return _plain(told)

    def call(self, resource: str, arguments: dict[str, Any]) -> Any:
        """Call what an SDK integration names.

        A body is written as JSON, a text with its quotation marks, as people found that AWS does.
        """
        if resource != _PUT:
            return self._sdk(resource, arguments)
        body = json.dumps(arguments.get("Body")).encode()
        try:
            return _plain(self._s3().put_object(**{**arguments, "Body": body}))
        except self._errors as error:
            raise self._error(f"S3.{_code(error) or 'S3'}Exception", str(error)) from None

    def _error(self, name: str, cause: str) -> Exception:
        error: Exception = self._states._ExecutionError(name, cause)
        return error


def _name_of(error: Exception) -> str:
    code = _code(error)
    if code is None:
        return "SageMaker.SdkClientException"
    return _NAMED.get(code, _UNNAMED)


def _code(error: Exception) -> str | None:
    """Return what a service calls its refusal; None where none answered."""
    answered = getattr(error, "response", None)
    return str(answered["Error"]["Code"]).removesuffix("Exception") if isinstance(answered, dict) else None


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer as JSON, moments in milliseconds."""
    kept = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    found: dict[str, Any] = json.loads(json.dumps(kept, default=_milliseconds))
    return found


def _milliseconds(value: Any) -> int | str:
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else str(value)
