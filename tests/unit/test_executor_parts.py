"""The executor's small parts: functions, ids, error documents, variables."""

from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import Misuse
from local.executor import error_bodies
from local.executor.function import Function
from local.executor.invocation import Invocation, Kind, Pending, RequestIds
from local.executor.process import Account, variables
from local.gateway.gateway import Gateway
from local.gateway.routes import Route


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"handler": "handle"}, 'function f: handler "handle" must be a module and a function'),
        ({"environments": 0}, "function f: it needs at least one environment"),
        ({"queue_limit": -1}, "function f: it needs at least one environment and a queue limit of 0 or more"),
        ({"timeout_seconds": 0.0}, "function f: its timeouts must be more than 0 seconds"),
        ({"init_seconds": -1.0}, "function f: its timeouts must be more than 0 seconds"),
    ],
)
def test_a_function_that_could_never_run_is_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Misuse, match=sentence.replace("(", r"\(")):
        Function(**{"name": "f", "handler": "a.b", **fields})


def test_request_ids_are_version_4_uuids_and_differ() -> None:
    ids = RequestIds()
    taken = [ids.take() for _ in range(1_000)]
    assert len(set(taken)) == 1_000
    assert all(UUID(each).version == 4 and str(UUID(each)) == each for each in taken)
    assert RequestIds().take() != RequestIds().take()


def test_the_end_reaches_the_caller_with_the_id() -> None:
    ends: list[Invocation] = []
    pending = Pending("id", b"{}", ends.append, 0.0)
    pending.end(Kind.THROTTLED, b"x")
    assert ends == [Invocation(Kind.THROTTLED, b"x", "id", began=False)]


@pytest.mark.parametrize(
    ("returncode", "words"),
    [
        (0, "Runtime exited without providing a reason"),
        (3, "Runtime exited with error: exit status 3"),
        (-9, "Runtime exited with error: signal: killed"),
        (-15, "Runtime exited with error: signal: terminated"),
        (-11, "Runtime exited with error: signal: segmentation fault"),
        (-6, "Runtime exited with error: signal: aborted"),
        (-1, "Runtime exited with error: signal: hangup"),
    ],
)
def test_an_end_is_described_in_lambdas_words(returncode: int, words: str) -> None:
    assert error_bodies.reason(returncode) == words
    document = orjson.loads(error_bodies.exited("id", returncode))
    assert document == {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: id Error: {words}"}


@given(returncode=st.integers(-64, 255))
def test_every_return_code_has_words(returncode: int) -> None:
    assert error_bodies.reason(returncode).startswith("Runtime exited")


def test_a_timeout_names_its_seconds() -> None:
    document = orjson.loads(error_bodies.timed_out("id", 3))
    assert document["errorMessage"] == "RequestId: id Error: Task timed out after 3.00 seconds"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"errorType": "T", "errorMessage": "one\\ntwo", "stackTrace": ["secret"]}', "T: one two"),
        (b'{"errorType": "T"}', '{"errorType": "T"}'),
        (b"[1]", "[1]"),
        (b"\xff plain", "\N{REPLACEMENT CHARACTER} plain"),
    ],
)
def test_an_init_error_becomes_one_sentence(body: bytes, sentence: str) -> None:
    assert error_bodies.init_sentence(body) == sentence


@given(body=st.binary(max_size=400))
def test_any_init_error_becomes_one_line(body: bytes) -> None:
    assert len(error_bodies.init_sentence(body).splitlines()) <= 1


def test_a_functions_own_variables_win() -> None:
    function = Function("f", "a.b", {"TZ": "Europe/Berlin", "OWN": "1"}, Path("/root"))
    seen = variables(function, Account("eu-central-1"), "127.0.0.1:1", "stream")
    assert (seen["TZ"], seen["OWN"], seen["AWS_REGION"]) == ("Europe/Berlin", "1", "eu-central-1")
    assert Account("eu-central-1").function_arn("f") == "arn:aws:lambda:eu-central-1:123456789012:function:f"


class Known:
    """Knows one function, and is never asked to run it."""

    functions = {"f": None}  # noqa: RUF012

    def invoke(self, name: str, payload: bytes, done: object) -> str:
        raise AssertionError(f"{name} was invoked with {payload!r} for {done!r}")


@pytest.mark.parametrize(
    ("route", "sentence"),
    [
        (Route("GET", "/a", "g", authorized=False), 'the route "GET /a" names the function g, which does not run here'),
        (Route("GET", "/a", "f"), 'the route "GET /a" asks for a token, but there is no authorizer'),
    ],
)
def test_a_gateway_whose_routes_lead_nowhere_is_refused(route: Route, sentence: str) -> None:
    with pytest.raises(Misuse, match=sentence):
        Gateway(Known(), [route], None)
