"""The event of payload format 2.0, against a golden file and piece by piece."""

import base64
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.gateway.event import Call, build
from local.gateway.routes import Route, RouteTable
from local.wire.request import Request

GOLDEN = Path(__file__).parents[1] / "golden" / "gateway_event.json"
AUTHORIZER = {"jwt": {"claims": {"exp": "1900000000", "sub": "a-client"}, "scopes": None}}


def event_of(request: Request, route: Route, authorizer: orjson.Fragment | None = None) -> Any:
    path, _, query = request.target.partition("?")
    found = RouteTable([route]).find(request.method, path)
    assert found is not None
    call = Call(request, *found, path, query, authorizer, "AAAAAAAAAAAAAAA=", 1583348638.390, 8080)
    return orjson.loads(build(call))


def request_of(body: bytes = b"", content_type: str | None = None, target: str = "/r") -> Request:
    request = Request(method="POST", target=target, body=body)
    if content_type is not None:
        request.add_header("content-type", content_type)
    return request


ROUTE = Route("POST", "/r", "f")


def test_a_full_event_is_the_golden_one() -> None:
    request = Request(
        method="PUT",
        target="/v1/features/C%2F1%20%C3%A9?parameter1=value1&parameter1=value2&parameter2=a%20value+b&empty=",
        body=b'{"a": "\xc3\xa9"}',
        peer="127.0.0.9",
    )
    for name, value in (
        ("host", "api.ebb.test:8080"),
        ("user-agent", "agent/1"),
        ("content-type", "application/json"),
        ("header1", "value1"),
        ("header1", "value2"),
        ("cookie", "cookie1=a; cookie2=b"),
        ("cookie", "cookie3=c"),
        ("x-forwarded-for", "203.0.113.7"),
        ("authorization", "Bearer token"),
    ):
        request.add_header(name, value)
    event = event_of(
        request, Route("PUT", "/v1/features/{entity_id}", "records"), orjson.Fragment(orjson.dumps(AUTHORIZER))
    )
    golden = orjson.loads(GOLDEN.read_bytes())
    assert event == golden
    assert list(event) == list(golden)


def test_what_a_request_lacks_is_left_out() -> None:
    event = event_of(Request(method="GET", target="/r"), Route("GET", "/r", "f", authorized=False))
    assert set(event) == {
        "version",
        "routeKey",
        "rawPath",
        "rawQueryString",
        "headers",
        "requestContext",
        "isBase64Encoded",
    }
    assert event["rawQueryString"] == ""
    assert "authorizer" not in event["requestContext"]
    assert event["requestContext"]["http"]["userAgent"] == ""


@pytest.mark.parametrize(
    ("content_type", "body", "is_base64"),
    [
        ("application/json", b"{}", False),
        ("application/json; charset=utf-8", b"{}", False),
        ("application/problem+json", b"{}", False),
        ("text/csv", "é".encode(), False),
        (None, b"plain", False),
        (None, b"\xff\xfe", True),
        ("application/json", b'"\xff"', True),
        ("application/octet-stream", b"plain", True),
        ("application/x-www-form-urlencoded", b"a=1", True),
    ],
)
def test_binary_bodies_are_base64(content_type: str | None, body: bytes, is_base64: bool) -> None:
    event = event_of(request_of(body, content_type), ROUTE)
    assert event["isBase64Encoded"] is is_base64
    assert event["body"] == (base64.b64encode(body).decode() if is_base64 else body.decode())


@given(body=st.binary(min_size=1), content_type=st.sampled_from([None, "text/plain", "image/png", "application/json"]))
def test_any_body_can_be_had_back(body: bytes, content_type: str | None) -> None:
    event = event_of(request_of(body, content_type), ROUTE)
    sent = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    assert sent == body


@given(target=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=40))
def test_any_query_makes_an_event(target: str) -> None:
    event = event_of(request_of(target=f"/r?{target}"), ROUTE)
    assert event["rawQueryString"] == target
    assert all(isinstance(value, str) for value in event.get("queryStringParameters", {}).values())


@pytest.mark.parametrize(
    ("host", "domain", "prefix"),
    [
        ("127.0.0.1:8080", "127.0.0.1", "127"),
        ("abc.execute-api.us-east-1.amazonaws.com", "abc.execute-api.us-east-1.amazonaws.com", "abc"),
        ("localhost", "localhost", "localhost"),
        ("[::1]:80", "[::1]", "[::1]"),
    ],
)
def test_the_domain_is_the_host_without_its_port(host: str, domain: str, prefix: str) -> None:
    request = request_of()
    request.add_header("host", host)
    context = event_of(request, ROUTE)["requestContext"]
    assert (context["domainName"], context["domainPrefix"]) == (domain, prefix)


def test_a_trace_id_is_made_or_passed_on() -> None:
    made = event_of(request_of(), ROUTE)["headers"]["x-amzn-trace-id"]
    root, second, rest = made.split("-")
    assert (root, second, len(rest)) == ("Root=1", f"{1583348638:08x}", 24)
    request = request_of()
    request.add_header("x-amzn-trace-id", "Root=1-2-3")
    assert event_of(request, ROUTE)["headers"]["x-amzn-trace-id"] == "Root=1-2-3"
