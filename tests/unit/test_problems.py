"""From a call to its answer: what is refused is a problem with a correlation id, whatever the event looks like."""

from typing import Any, NoReturn

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb import errors
from ebb.http.calls import Call
from ebb.http.doors import answer, dispatch
from ebb.http.gateway import call_from_event, correlation_id_of, scopes_of
from ebb.http.headers import require_json
from ebb.http.problems import PROBLEM, TABLE, Answer, ok, problem, problem_document
from ebb.s3.bucket import Taken
from tests.fakes.events import event


def _quiet(_what: str, _id: str) -> None:
    """Keep no report."""


def _leaves(kind: type[errors.EbbError]) -> list[type[errors.EbbError]]:
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in _leaves(child))]


CALLERS_FAULTS = [errors.BadRequest, errors.Conflict, errors.RoutingError, errors.NotAllowed, errors.UnknownEntity]


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (errors.RoutingError("the weights are over 1"), 422, "bad-routing"),
        (errors.Conflict("version 4 is there already"), 409, "conflict"),
        (errors.UnderWay("it is being worked on", 0.2), 409, "under-way"),
        (errors.UnsupportedMedia("x"), 415, "unsupported-media-type"),
        (errors.KeyReused("x"), 422, "key-reused"),
        (errors.UnknownRoute("x"), 404, "unknown-route"),
        (errors.TooLarge("x"), 413, "too-large"),
        (errors.BadShape("x"), 422, "bad-shape"),
        (errors.BadRequest("x"), 400, "bad-request"),
        (errors.NotAllowed("x"), 403, "not-allowed"),
        (errors.StaleFeatures("x"), 409, "stale-features"),
        (errors.NoRelease("x"), 503, "no-release"),
    ],
)
def test_every_error_has_its_problem(error: errors.EbbError, status: int, name: str) -> None:
    answered = problem(error, "c-1")
    assert (answered.status, answered.headers["content-type"]) == (status, PROBLEM)
    document = orjson.loads(answered.body)
    assert document == problem_document(error, "c-1")
    assert document["type"] == f"urn:ebb:problem:{name}"
    assert document["detail"] == str(error)
    assert document["correlation_id"] == answered.headers["x-correlation-id"] == "c-1"
    assert len({row[2] for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize("kind", [leaf for kind in CALLERS_FAULTS for leaf in _leaves(kind)])
def test_no_fault_of_a_caller_is_called_unforeseen(kind: type[errors.EbbError]) -> None:
    made = kind("x", 1.0) if kind is errors.UnderWay else kind("x", **({"repeated": True} if kind is Taken else {}))
    assert 400 <= problem(made, "c").status < 500


def test_what_names_servers_is_not_told() -> None:
    for error in (errors.Unavailable("10.0.0.7 refused"), errors.ReleaseError("/srv/releases is broken")):
        document = problem_document(error, "c")
        assert document["status"] == 503
        assert str(error) not in document["detail"]
        assert problem(error, "c").headers["retry-after"] == "1"


@pytest.mark.parametrize("wait", [0.001, 0.9, 1.0, 1.2, 60.0])
def test_when_to_ask_again_is_whole_seconds_and_never_0(wait: float) -> None:
    for error in (errors.UnderWay("x", wait), errors.RateLimited(wait)):
        after = problem(error, "c").headers["retry-after"]
        assert after.isdecimal()
        assert 1 <= int(after) < wait + 1 or wait < 1


def test_an_error_that_no_caller_may_see_is_reported_without_its_words() -> None:
    reports = []

    def route(_call: Call) -> NoReturn:
        raise errors.DataError("row 3: Ada Lovelace is no number")

    answered = answer(event("GET /x"), route, lambda what, _id: reports.append(what))
    assert answered.status == 500
    assert b"Ada" not in answered.body
    assert reports
    assert "Ada" not in reports[0]
    assert "DataError in" in reports[0]


def test_a_route_may_answer_whole() -> None:
    made = Answer(200, b"<html>", {"content-type": "text/html"})
    assert answer(event("GET /x"), lambda _call: made, _quiet) is made
    assert ok({"a": 1}, "c").body == b'{"a":1}'


def test_an_unknown_route_is_a_problem() -> None:
    for given_event in (event("GET /nowhere"), {**event("GET /x"), "routeKey": 3}):
        answered = dispatch(given_event, {}, _quiet)
        assert (answered.status, answered.headers["x-correlation-id"]) == (404, "request-1")
    assert dispatch(event("GET /here"), {"GET /here": lambda _call: {"found": True}}, _quiet).status == 200


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["requestContext", "requestId", "authorizer", "jwt", "claims", "scope", "body", "routeKey", "headers"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(odd)
def test_whatever_the_event_is_the_answer_has_a_correlation_id(made: Any) -> None:
    routes = {"GET /x": lambda call: {"client": call.client, "scopes": len(call.scopes)}}
    answered = dispatch(made, routes, _quiet)
    assert 400 <= answered.status <= 500
    name = answered.headers["x-correlation-id"]
    assert name.isascii()
    assert name.isprintable()
    assert 0 < len(name) <= 128
    assert orjson.loads(answered.body)["correlation_id"] == name


@pytest.mark.parametrize("name", ["", None, 3, "a\nb", "\u00e9", "x" * 129, ["a"]])
def test_an_odd_request_id_is_replaced(name: Any) -> None:
    made = event("GET /x")
    made["requestContext"]["requestId"] = name
    first, second = correlation_id_of(made), correlation_id_of(made)
    assert first != second
    assert len(first) == 24
    assert correlation_id_of(event("GET /x")) == "request-1"


@pytest.mark.parametrize(
    "sent",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        'application/json ; charset="utf-8"',
        "application/json;",
    ],
)
def test_json_is_json(sent: str) -> None:
    require_json({"content-type": sent})


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ("text/plain", "as text/plain:"),
        ("application/x-www-form-urlencoded", "as application/x-www-form-urlencoded:"),
        ("application/json; charset=latin-1", "parameters other than charset=utf-8"),
        ("application/json, application/json", "parameters other than"),
        ("application/jsonp", "as application/jsonp:"),
        ("application/problem+json", "as application/problem+json:"),
        ("", "without a content type"),
        ("\x00<script>", "that was sent is none"),
        ("Ada Lovelace", "that was sent is none"),
        ("a" * 70 + "/b", "that was sent is none"),
        ("a/" + "b" * 5_000, "as a/" + "b" * 64 + ":"),
    ],
)
def test_what_is_not_json_is_named_and_no_odd_byte_repeated(sent: str, says: str) -> None:
    call = call_from_event(event("POST /x", b"{}", headers={"content-type": sent}), "c")
    with pytest.raises(errors.UnsupportedMedia) as refused:
        call.document(100)
    told = str(refused.value)
    assert says in told
    assert len(told) < 250
    assert told.isprintable()
    assert "script" not in told
    assert "Ada" not in told


def test_a_body_is_json_before_anything_is_said_of_its_size() -> None:
    call = call_from_event(event("POST /x", b'{"a": 1}'), "c")
    assert call.document(8) == {"a": 1}
    with pytest.raises(errors.TooLarge, match="8 bytes, but at most 7"):
        call.document(7)


def test_purpose_and_request_id() -> None:
    usual = call_from_event(event("POST /x"), "c=")
    assert (usual.purpose, usual.request_id) == ("prediction", "c=")
    named = call_from_event(event("POST /x", headers={"ebb-purpose": "win-back_2", "ebb-request-id": "A-1_z"}), "c")
    assert (named.purpose, named.request_id) == ("win-back_2", "A-1_z")


@pytest.mark.parametrize("value", ["", "A", "a b", "a" * 65, "\u00e4", "a\n", "a/b"])
def test_an_odd_purpose_or_request_id_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(errors.BadShape, match="`ebb-purpose` must be") as refused:
        _ = call_from_event(event("POST /x", headers={"ebb-purpose": value}), "c").purpose
    assert "such as spring" in str(refused.value)
    if value == "A":
        return
    with pytest.raises(errors.BadShape, match="`ebb-request-id` must be"):
        _ = call_from_event(event("POST /x", headers={"ebb-request-id": value}), "c").request_id


def test_scopes_come_as_words_or_as_a_list() -> None:
    assert scopes_of("predict explain") == {"predict", "explain"}
    assert scopes_of("[predict explain]") == {"predict", "explain"}
    assert scopes_of("") == frozenset()
    assert scopes_of("predict") is scopes_of("predict"), "read once"


def test_claims_are_read_as_the_gateway_writes_them() -> None:
    made = event("POST /x", client="")
    made["requestContext"]["authorizer"]["jwt"]["claims"] |= {"sub": "someone", "scope": "", "scp": "[admin]"}
    call = call_from_event(made, "c")
    assert call.client == "someone"
    assert call.scopes == {"admin"}
    del made["requestContext"]["authorizer"]
    open_call = call_from_event(made, "c")
    assert not open_call.client
    assert not open_call.scopes
    with pytest.raises(errors.NotAllowed, match="'predict'"):
        open_call.require("predict")


@pytest.mark.parametrize("body", ["%%%", "YQ", "\ud800"])
def test_a_body_that_is_not_what_its_encoding_says(body: str) -> None:
    made = {**event("POST /x"), "body": body, "isBase64Encoded": body != "\ud800"}
    with pytest.raises(errors.BadRequest, match="its encoding"):
        call_from_event(made, "c")
