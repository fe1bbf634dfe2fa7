"""One function of Lambda, by Lambda's own API: its versions, aliases, warm environments and answers."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson

from ebb.aws.client import Answer, Ask, AwsClient
from ebb.aws.endpoint import endpoint_of
from ebb.aws.signing import query
from ebb.errors import Misuse, Unavailable
from ebb.shift.function import Capacity

_SECONDS = 20.0
_WENT_WELL = range(200, 300)
_NEVER_ASKED = "ProvisionedConcurrencyConfigNotFoundException"


class LambdaFunction:
    """Speaks of one function; see `ebb.shift.function.ShiftedFunction`.

    Args:
        client: sends the requests.
        environment: of the function that asks; says where Lambda listens.
        name: of the function that is spoken of.
    """

    def __init__(self, client: AwsClient, environment: Mapping[str, str], name: str) -> None:
        self._client, self._name = client, name
        self._at = endpoint_of("lambda", environment)

    def alias_version(self, alias: str) -> str:
        """Return the version that an alias names.

        Raises:
            Misuse: there is no such alias, or it may not be seen.
            Unavailable: Lambda does not answer.
        """
        told = self._told(self._send("GET", f"2015-03-31/functions/{self._name}/aliases/{alias}"), f"alias {alias}")
        return str(told["FunctionVersion"])

    def capacity(self, version: str) -> Capacity | None:
        """Return the warm environments of a version; None where none were ever asked for.

        Raises:
            Misuse, Unavailable: see `alias_version`.
        """
        answer = self._send("GET", self._warm(), {"Qualifier": version})
        if answer.status == HTTPStatus.NOT_FOUND and _code(answer) == _NEVER_ASKED:
            return None
        told = self._told(answer, f"capacity of version {version}")
        return Capacity(
            int(told.get("RequestedProvisionedConcurrentExecutions", 0)),
            int(told.get("AllocatedProvisionedConcurrentExecutions", 0)),
            int(told.get("AvailableProvisionedConcurrentExecutions", 0)),
            str(told.get("Status", "")),
            str(told.get("StatusReason", "")),
        )

    def ask_capacity(self, version: str, count: int) -> None:
        """Ask for so many warm environments of a version.

        Raises:
            Misuse, Unavailable: see `alias_version`.
        """
        body = orjson.dumps({"ProvisionedConcurrentExecutions": count})
        answer = self._send("PUT", self._warm(), {"Qualifier": version}, body)
        self._told(answer, f"request for {count:,} warm environments of version {version}")

    def invoke(self, qualifier: str, event: Mapping[str, Any], seconds: float) -> Any:
        """Invoke a version, or what an alias names, and return its answer.

        Raises:
            Misuse, Unavailable: see `ShiftedFunction`.
        """
        path = f"2015-03-31/functions/{self._name}/invocations"
        answer = self._send("POST", path, {"Qualifier": qualifier}, orjson.dumps(event), seconds)
        told = self._told(answer, f"invocation of {qualifier}")
        if _header(answer, "x-amz-function-error"):
            kind = told.get("errorType", "unknown") if isinstance(told, dict) else "unknown"
            raise Unavailable(f"{self._name}:{qualifier} failed ({kind}); its log says why")
        return told

    def _warm(self) -> str:
        return f"2019-09-30/functions/{self._name}/provisioned-concurrency"

    def _send(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        body: bytes = b"",
        seconds: float = _SECONDS,
    ) -> Answer:
        url = f"{self._at.url}/{path}" + (f"?{query(parameters)}" if parameters else "")
        headers = {"Content-Type": "application/json"} if body else {}
        return self._client.send(self._at, Ask(method, url, headers, body), seconds)

    def _told(self, answer: Answer, what: str) -> Any:
        if answer.status not in _WENT_WELL:
            raise self._refusal(answer, what)
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            raise Unavailable(f"Lambda answers the {what} of {self._name} with what is no JSON") from None

    def _refusal(self, answer: Answer, what: str) -> Misuse | Unavailable:
        match _code(answer):
            case "ResourceNotFoundException":
                return Misuse(f"the function {self._name} has nothing that the {what} could mean")
            case "AccessDeniedException":
                return Misuse(f"the {what} of {self._name} is forbidden: give this function's role the permission")
            case "InvalidParameterValueException" | "LimitExceededException":
                return Misuse(f"Lambda refuses the {what} of {self._name}: {_message(answer)}")
            case code:
                return Unavailable(f"Lambda refuses the {what} of {self._name} ({code or answer.status})")


def _header(answer: Answer, name: str) -> str:
    return next((value for key, value in answer.headers.items() if key.lower() == name), "")


def _code(answer: Answer) -> str:
    return _header(answer, "x-amzn-errortype").partition(":")[0]


def _message(answer: Answer) -> str:
    try:
        told = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return ""
    return str(told.get("message") or told.get("Message") or "") if isinstance(told, dict) else ""
