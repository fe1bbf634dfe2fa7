"""The event a function receives: API Gateway HTTP API, payload format 2.0.

Source: "Create AWS Lambda proxy integrations for HTTP APIs", API Gateway developer guide.
"""

import time
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from local.gateway.routes import Parameters, Route
from local.wire.request import Request

ACCOUNT = "123456789012"
API = "ebblocal00"
STAGE = "$default"


@dataclass(slots=True)
class Call:
    """A request that found its route and may pass.

    Attributes:
        request: what was asked.
        route: the route that answers it.
        parameters: decoded path parameters.
        path: raw path.
        query: raw query string.
        authorizer: `requestContext.authorizer` as JSON; None on routes without a token.
        request_id: the gateway's id.
        now: Unix time.
        port: the gateway's port.
    """

    request: Request
    route: Route
    parameters: Parameters
    path: str
    query: str
    authorizer: orjson.Fragment | None
    request_id: str
    now: float
    port: int


@lru_cache(maxsize=256)
def _is_text(content_type: str) -> bool:
    """Whether API Gateway passes a body of this type as it is; others go as base64."""
    kind = content_type.partition(";")[0].strip().lower()
    texts = {"", "application/json", "application/javascript", "application/xml"}
    return kind in texts or kind.startswith("text/") or kind.endswith(("+json", "+xml"))


@lru_cache(maxsize=256)
def _domain(host: str) -> tuple[str, str]:
    """Return domain name and prefix of a Host header."""
    name, _, port = host.rpartition(":")
    domain = name if name and port.isdigit() else host
    return domain, domain.partition(".")[0]


@lru_cache(maxsize=4)
def time_of(second: int) -> str:
    """Return a moment as API Gateway writes it: "10/Mar/2020:00:03:59 +0000"."""
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(second))


def _query(raw: str) -> dict[str, str]:
    """Return decoded query parameters; values of a repeated one are joined by commas."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def headers_of(call: Call) -> dict[str, str]:
    """Return the headers as they arrived, with those that API Gateway adds."""
    request = call.request
    headers = request.headers
    known = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = request.peer if known is None else f"{known}, {request.peer}"
    headers["x-forwarded-port"] = str(call.port)
    headers["x-forwarded-proto"] = "http"
    if "x-amzn-trace-id" not in headers:
        # The request id holds the random part; a trace id wants 24 hexadecimal digits of it.
        headers["x-amzn-trace-id"] = f"Root=1-{int(call.now):08x}-{call.request_id.encode().hex()[-24:]}"
    return headers


def _context(call: Call, headers: dict[str, str]) -> dict[str, Any]:
    request = call.request
    domain, prefix = _domain(headers.get("host", "localhost"))
    context: dict[str, Any] = {"accountId": ACCOUNT, "apiId": API}
    if call.authorizer is not None:
        context["authorizer"] = call.authorizer
    context |= {
        "domainName": domain,
        "domainPrefix": prefix,
        "http": {
            "method": request.method,
            "path": call.path,
            "protocol": request.protocol,
            "sourceIp": request.peer,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": call.request_id,
        "routeKey": call.route.key,
        "stage": STAGE,
        "time": time_of(int(call.now)),
        "timeEpoch": int(call.now * 1000),
    }
    return context


def body_of(request: Request) -> tuple[str, bool]:
    """Return a body as an event carries it, and whether as base64."""
    if _is_text(request.headers.get("content-type", "")):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return b64encode(request.body).decode(), True


def build(call: Call) -> bytes:
    """Return the event as JSON; what a request lacks (cookies, query, parameters, body) is left out, as AWS does."""
    request = call.request
    headers = headers_of(call)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": call.route.key,
        "rawPath": call.path,
        "rawQueryString": call.query,
    }
    if request.cookies:
        event["cookies"] = request.cookies
    event["headers"] = headers
    if call.query:
        event["queryStringParameters"] = _query(call.query)
    event["requestContext"] = _context(call, headers)
    is_base64 = False
    if request.body:
        event["body"], is_base64 = body_of(request)
    if call.parameters:
        event["pathParameters"] = call.parameters
    event["isBase64Encoded"] = is_base64
    return orjson.dumps(event)
