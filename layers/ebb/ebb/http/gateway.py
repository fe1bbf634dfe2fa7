"""From an API Gateway event to the call: both doors of a function read the same event, so both answer alike.

Source: "Create AWS Lambda proxy integrations for HTTP APIs", payload format 2.0, API Gateway developer guide.
"""

from collections.abc import Mapping
from functools import lru_cache
from os import urandom
from typing import Any

from ebb.errors import BadRequest
from ebb.http.calls import Call

_LONGEST_ID = 128
"""Characters of a correlation id."""

_RESOURCE_SERVER = "ebb/"

_NOTHING: Mapping[str, str] = {}


def correlation_id_of(event: Any) -> str:
    """Return the gateway's id of a call; a new one where the event carries none."""
    try:
        given = event["requestContext"]["requestId"]
    except (KeyError, TypeError, IndexError):
        given = None
    if isinstance(given, str) and 0 < len(given) <= _LONGEST_ID and given.isascii() and given.isprintable():
        return given
    return urandom(12).hex()


def call_from_event(event: Any, correlation_id: str) -> Call:
    """Make the call from an API Gateway event in payload format 2.0, whose header names are in lower case.

    Raises:
        BadRequest: the event is none, or its body is marked as base64 and is none.
    """
    try:
        context = event["requestContext"]
        authorizer = context.get("authorizer")
        claims = authorizer["jwt"]["claims"] if authorizer else _NOTHING
        return Call(
            claims.get("client_id") or claims.get("sub") or "",
            scopes_of(claims.get("scope") or claims.get("scp") or ""),
            _body(event),
            event.get("pathParameters") or _NOTHING,
            event.get("queryStringParameters") or _NOTHING,
            correlation_id,
            event.get("headers") or _NOTHING,
            event.get("routeKey") or "",
        )
    except (KeyError, TypeError, AttributeError):
        raise BadRequest(
            "this function answers events of API Gateway in payload format 2.0 or 1.0; this is none"
        ) from None


@lru_cache(maxsize=1024)
def scopes_of(claim: str) -> frozenset[str]:
    """Read the scopes of a claim: words, or "[a b]" where the token had a list, as the gateway writes it.

    Cognito puts the resource server's name before each: "ebb/predict" is "predict".
    """
    words = claim.removeprefix("[").removesuffix("]").split()
    return frozenset(word.removeprefix(_RESOURCE_SERVER) for word in words)


def _body(event: Mapping[str, Any]) -> bytes:
    body: str = event.get("body") or ""
    try:
        if not event.get("isBase64Encoded"):
            return body.encode()
        from base64 import b64decode  # noqa: PLC0415 - rare, and cold starts count

        return b64decode(body, validate=True)
    except ValueError:
        raise BadRequest("the body is not what its encoding says") from None
