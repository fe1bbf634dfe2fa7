"""Secrets of Secrets Manager, read as they are now."""

import re
from base64 import b64decode
from collections.abc import Mapping
from http import HTTPStatus

import orjson

from ebb.aws.client import Ask, AwsClient
from ebb.aws.endpoint import Endpoint, endpoint_of
from ebb.errors import Misuse, Unavailable

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
"""Labels of a secret's versions: the one that counts, and the one before the last rotation."""

_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:([A-Za-z0-9/_+=.@-]+)")


class Secrets:
    """Reads secrets.

    Args:
        client: sends the requests.
        environment: of the function; says where Secrets Manager listens.
        seconds: for one secret.
    """

    def __init__(self, client: AwsClient, environment: Mapping[str, str], seconds: float = 5.0) -> None:
        self._client, self._environment, self._seconds = client, environment, seconds

    def read(self, arn: str, stage: str = CURRENT) -> bytes:
        """Return a secret: the bytes of its text, or its bytes where it has no text.

        Args:
            arn: its name; what it is called in sentences is the last part of it.
            stage: label of the version.

        Raises:
            Misuse: the name is none, there is no such secret, or the function may not read it.
            Unavailable: Secrets Manager does not answer.
        """
        at, name = self._place(arn)
        body = orjson.dumps({"SecretId": arn, "VersionStage": stage})
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "secretsmanager.GetSecretValue"}
        answer = self._client.send(at, Ask("POST", f"{at.url}/", headers, body), self._seconds)
        document = _document(answer.body)
        if answer.status != HTTPStatus.OK:
            raise _refusal(name, stage, str(document.get("__type", "")).rpartition("#")[2] or f"{answer.status}")
        if isinstance(text := document.get("SecretString"), str):
            return text.encode()
        if isinstance(binary := document.get("SecretBinary"), str):
            return b64decode(binary)
        raise Misuse(f"the secret {name} has neither text nor bytes: give it a value")

    def _place(self, arn: str) -> tuple[Endpoint, str]:
        """Return where a secret is kept, which may be another region than the function's, and what it is called."""
        found = _ARN.fullmatch(arn)
        if not found:
            raise Misuse(f"{arn[:100]!r} is not the ARN of a secret")
        return endpoint_of("secretsmanager", self._environment, found[1]), found[2]


def _document(body: bytes) -> dict[str, object]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    return document if isinstance(document, dict) else {}


def _refusal(name: str, stage: str, code: str) -> Misuse | Unavailable:
    match code:
        case "ResourceNotFoundException":
            return Misuse(f"there is no secret {name} with a version {stage}: create it, or name another")
        case "AccessDeniedException":
            return Misuse(
                f"the secret {name} may not be read: "
                "give the function's role secretsmanager:GetSecretValue on it, and kms:Decrypt on its key"
            )
        case _:
            return Unavailable(f"Secrets Manager refuses to show the secret {name} ({code}); ask again later.")
