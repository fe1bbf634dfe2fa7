"""The event a function receives of a REST API with a proxy integration: payload format 1.0.

Source: "Input format of a Lambda function for proxy integration", API Gateway developer guide. What 2.0 leaves out is
null here, header names stay as they were sent, and path parameters stay percent-encoded. All media types are binary
(`stacks/constructs/rest_door.py`), so that a body arrives as base64, whatever it is.
"""

from base64 import b64encode
from typing import Any
from urllib.parse import parse_qsl, quote

import orjson

from local.gateway.event import ACCOUNT, API, Call, headers_of, time_of

STAGE = "local"


def build(call: Call) -> bytes:
    """Return the event as JSON.

    A caller's request reaches the gateway here with lower-case header names; they are written as HTTP/1.1 clients
    usually write them, so that a function that looks for one spelling only is found out.
    """
    request = call.request
    headers = {_spelled(name): [value] for name, value in headers_of(call).items()}
    if request.cookies:
        headers["Cookie"] = ["; ".join(request.cookies)]
    query = _query(call.query)
    event: dict[str, Any] = {
        "resource": call.route.path,
        "path": call.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()} or None,
        "multiValueHeaders": headers or None,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": {name: quote(value, safe="") for name, value in call.parameters.items()} or None,
        "stageVariables": None,
        "requestContext": _context(call),
        "body": b64encode(request.body).decode() if request.body else None,
        "isBase64Encoded": bool(request.body),
    }
    return orjson.dumps(event)


def _spelled(name: str) -> str:
    """Return a header's name with capitals: "content-type" becomes "Content-Type"."""
    return "-".join(word.capitalize() for word in name.split("-"))


def _query(raw: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def _context(call: Call) -> dict[str, Any]:
    request = call.request
    context: dict[str, Any] = {
        "resourceId": "ebb000",
        "resourcePath": call.route.path,
        "httpMethod": request.method,
        "extendedRequestId": call.request_id,
        "requestTime": time_of(int(call.now)),
        "path": f"/{STAGE}{call.path}",
        "accountId": ACCOUNT,
        "protocol": request.protocol,
        "stage": STAGE,
        "domainPrefix": API,
        "requestTimeEpoch": int(call.now * 1000),
        "requestId": call.request_id,
        "identity": {"sourceIp": request.peer, "userAgent": request.headers.get("user-agent")},
        "domainName": request.headers.get("host", "localhost").partition(":")[0],
        "apiId": API,
    }
    if call.authorizer is not None:
        # The authorizer knows the shape of 2.0; a Cognito authorizer of a REST API hands on the bare claims.
        told = orjson.loads(orjson.dumps(call.authorizer))
        context["authorizer"] = {"claims": told["jwt"]["claims"]}
    return context
