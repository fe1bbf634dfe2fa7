"""Payload format 1.0, which a REST API sends, becomes the same call as 2.0 of the same request."""

import copy
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import BadRequest, Misuse
from ebb.http.gateway import call_from_event, correlation_id_of
from ebb.http.payload import in_one_format
from local.executor.invocation import Invocation
from local.gateway.gateway import Gateway
from tests.fakes.events import event
from tests.fakes.payloads import Asked
from tests.home import ROOT

GOLDEN = ROOT / "tests/golden/rest"
TEXTS = st.text(max_size=8)


def golden(name: str) -> dict[str, Any]:
    """Return an event of a REST API, written down by hand after the developer guide's."""
    made: dict[str, Any] = orjson.loads((GOLDEN / f"{name}.json").read_bytes())
    return made


def test_a_write_of_a_rest_api_becomes_the_call() -> None:
    told = in_one_format(golden("put_features"))
    call = call_from_event(told, correlation_id_of(told))
    assert call.route == "PUT /v1/features/{entity_id}"
    assert call.client == "5pXMPLclient0id"
    assert call.scopes == {"features:write", "outcomes:write"}
    assert call.path == {"entity_id": "C/1 é"}
    assert call.query == {"parameter1": "value1,value2", "parameter2": "a value"}
    assert call.body == b'{"features": {"tenure": 1}}'
    assert call.correlation_id == "77375676-xmpl-4b79-853a-f982474efe18"
    assert call.headers["idempotency-key"] == "b1,b2"
    assert call.headers["content-type"] == "application/json"
    assert "cookie" not in call.headers


def test_a_call_that_needs_no_token_has_nobody_behind_it() -> None:
    told = in_one_format(golden("get_health"))
    call = call_from_event(told, correlation_id_of(told))
    assert (call.route, call.client, call.scopes) == ("GET /v1/health", "", frozenset())
    assert (call.body, dict(call.path), dict(call.query)) == (b"", {}, {})


def test_where_values_are_not_listed_the_single_ones_are_taken() -> None:
    given_once = golden("put_features")
    del given_once["multiValueHeaders"], given_once["multiValueQueryStringParameters"]
    told = in_one_format(given_once)
    assert told["headers"]["idempotency-key"] == "b2"
    assert told["queryStringParameters"] == {"parameter1": "value2", "parameter2": "a value"}


def test_names_that_differ_in_case_alone_are_one_header() -> None:
    made = golden("get_health")
    made["multiValueHeaders"] = {"X-One": ["a", "b"], "x-one": ["c"]}
    assert in_one_format(made)["headers"] == {"x-one": "a,b,c"}


def test_an_event_of_an_http_api_stays_the_same_object() -> None:
    made = event("POST /v1/predictions", b"{}")
    assert in_one_format(made) is made


def test_the_local_cloud_sends_what_was_written_down_by_hand() -> None:
    asked = Asked("PUT", "/v1/features/C%2F1%20%C3%A9?a=1", b"{}", (("content-type", "application/json"),))
    made, written = asked.of_rest_api(), golden("put_features")
    assert made.keys() == written.keys()
    assert made["requestContext"].keys() <= written["requestContext"].keys()
    assert made["requestContext"]["authorizer"].keys() == written["requestContext"]["authorizer"].keys()
    for name in ("resource", "path", "httpMethod", "pathParameters", "stageVariables"):
        assert made[name] == written[name]
    empty, health = Asked("GET", "/v1/health", headers=()).of_rest_api(), golden("get_health")
    assert {name for name, value in health.items() if value is None} <= {n for n, v in empty.items() if v is None}
    assert "authorizer" not in empty["requestContext"]


def test_a_payload_format_that_nobody_sends_is_refused() -> None:
    with pytest.raises(Misuse, match=r"there is no payload format '3.0': choose one of 2.0, 1.0"):
        Gateway(Nobody(), [], None, payload="3.0")


class Nobody:
    """An executor without functions."""

    functions: Mapping[str, Any] = {}

    def invoke(self, name: str, payload: bytes, done: Callable[[Invocation], None]) -> str:
        raise AssertionError(name, payload, done)


nothing: list[Any] = [None, [], "Ada", 5, {}, {"httpMethod": "GET"}, {"task": "all"}]


@pytest.mark.parametrize("odd", nothing)
def test_what_is_no_event_stays_what_it_is(odd: Any) -> None:
    assert in_one_format(odd) is odd


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("requestContext", None),
        ("requestContext", {"authorizer": {"principalId": "me"}}),
        ("requestContext", {"authorizer": 3}),
        ("multiValueHeaders", {"A": 3}),
        ("multiValueHeaders", {"A": [None, None]}),
        ("headers", [1]),
        ("pathParameters", {"entity_id": 3}),
        ("pathParameters", [1]),
        ("multiValueQueryStringParameters", [1]),
    ],
)
def test_an_event_that_cannot_be_read_is_refused_and_not_fallen_over(part: str, value: Any) -> None:
    made = golden("put_features")
    made[part] = value
    if part == "headers":
        del made["multiValueHeaders"]
    before = copy.deepcopy(made)
    told = in_one_format(made)
    assert made == before
    with pytest.raises(BadRequest, match="this is none"):
        call_from_event(told, "c-1")


def test_a_body_in_base64_is_read_as_what_it_is() -> None:
    made = golden("put_features")
    made["body"], made["isBase64Encoded"] = b64encode(b'{"a": "\xff"}').decode(), True
    assert call_from_event(in_one_format(made), "c-1").body == b'{"a": "\xff"}'


@given(
    st.sampled_from(["PUT /v1/features/", "GET /v1/subjects/", "GET /docs/"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, blacklist_characters="/?#"), min_size=1, max_size=12),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20),
    st.lists(st.tuples(st.sampled_from(["ebb-purpose", "cookie", "accept-encoding", "x-Odd"]), TEXTS), max_size=4),
    st.binary(max_size=20),
    st.dictionaries(st.sampled_from(["client_id", "sub", "scope", "scp"]), TEXTS),
)
def test_any_request_becomes_the_same_call(
    route: str, entity_id: str, query: str, headers: list[tuple[str, str]], body: bytes, claims: dict[str, str]
) -> None:
    method, _, path = route.partition(" ")
    asked = Asked(method, f"{path}{entity_id}?{query}", body, tuple(headers), claims)
    one, other = (call_from_event(in_one_format(e), "c-1") for e in (asked.of_http_api(), asked.of_rest_api()))
    assert one == other
