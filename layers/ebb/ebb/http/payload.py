"""One payload format for all that reads events: what a REST API sends is told as an HTTP API would have told it.

    a REST API, 1.0 ──► in_one_format ──┐
    an HTTP API, 2.0 ───────────────────┴──► gateway.call_from_event ──► Call ──► the route's function

Source: "Input format of a Lambda function for proxy integration", API Gateway developer guide (REST APIs), and that of
HTTP APIs for 2.0. Answers need no translation: a status, a text for each header, and a body are said alike in both. A
body in base64, a picture or what was compressed, needs binary media types: `stacks/constructs/rest_door.py` sets them.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

_COOKIE = "cookie"
"""Stands apart from the headers in 2.0; nothing here reads one."""


def in_one_format(event: Any) -> Any:
    """Return an event in payload format 2.0: one of 1.0 translated, anything else as it is.

    Only what is read of an event is translated. One that cannot be stays what it is, for `call_from_event` to refuse.
    """
    if not isinstance(event, dict) or "routeKey" in event or "httpMethod" not in event:
        return event
    try:
        return _translated(event)
    except (KeyError, TypeError, AttributeError):
        return event


def _translated(event: Mapping[str, Any]) -> dict[str, Any]:
    context = event["requestContext"]
    authorizer = context.get("authorizer")
    told: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{event['httpMethod']} {event['resource']}",
        "headers": _headers(event),
        "pathParameters": _decoded(event.get("pathParameters") or {}),
        "requestContext": {"requestId": context.get("requestId")},
        "body": event.get("body"),
        "isBase64Encoded": event.get("isBase64Encoded"),
    }
    if query := event.get("multiValueQueryStringParameters"):
        told["queryStringParameters"] = {name: _joined(values) for name, values in query.items()}
    else:
        told["queryStringParameters"] = event.get("queryStringParameters")
    if authorizer:
        told["requestContext"]["authorizer"] = {"jwt": {"claims": authorizer["claims"]}}
    return told


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers by lower-case names, all values of one joined as 2.0 joins them; 1.0 keeps names as sent."""
    many = event.get("multiValueHeaders")
    if not many:
        many = {name: [value] for name, value in (event.get("headers") or {}).items()}
    found: dict[str, str] = {}
    for name, values in many.items():
        lower = name.lower()
        value = _joined(values)
        found[lower] = f"{found[lower]},{value}" if lower in found else value
    found.pop(_COOKIE, None)
    return found


def _joined(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else ",".join(values)


def _decoded(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return path parameters as text: a REST API hands them on as they were sent (serverless/serverless#5037)."""
    return {name: unquote(value) for name, value in parameters.items()}
