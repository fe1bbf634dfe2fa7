"""Deployments of CodeDeploy, which wait for their hooks."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson

from ebb.aws.client import Ask, AwsClient
from ebb.aws.endpoint import endpoint_of
from ebb.errors import Misuse, Unavailable

_TARGET = "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus"
_KNOWN_ALREADY = "LifecycleEventAlreadyCompletedException"


class CodeDeployments:
    """Tells CodeDeploy how a hook ended; see `ebb.shift.hook.Deployments`.

    Args:
        client: sends the requests.
        environment: of the hook; says where CodeDeploy listens.
        seconds: for all tries.
    """

    def __init__(self, client: AwsClient, environment: Mapping[str, str], seconds: float) -> None:
        self._client, self._environment, self._seconds = client, environment, seconds

    def tell(self, deployment: str, hook: str, *, passed: bool) -> None:
        """Tell how a hook of a deployment ended; once more changes nothing.

        Raises:
            Misuse: this hook of this deployment may not be told of, or does not exist.
            Unavailable: CodeDeploy does not answer.
        """
        at = endpoint_of("codedeploy", self._environment)
        told = {
            "deploymentId": deployment,
            "lifecycleEventHookExecutionId": hook,
            "status": "Succeeded" if passed else "Failed",
        }
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": _TARGET}
        answer = self._client.send(at, Ask("POST", f"{at.url}/", headers, orjson.dumps(told)), self._seconds)
        if answer.status == HTTPStatus.OK:
            return
        code = _code(answer.body)
        if code == _KNOWN_ALREADY:
            return
        if answer.status == HTTPStatus.BAD_REQUEST:
            raise Misuse(f"CodeDeploy refuses to hear of the deployment {deployment} ({code or answer.status})")
        raise Unavailable(f"CodeDeploy does not hear of the deployment {deployment} ({code or answer.status})")


def _code(body: bytes) -> str:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    return str(document.get("__type", "")).rpartition("#")[2] if isinstance(document, dict) else ""
