"""Which exception stands for which answer: problems of the function, bodies of the gateway, and neither."""

from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb import errors as domain
from ebb.client import errors
from ebb.client.problems import failure_of, failure_of_item, retry_after_of
from ebb.http.problems import problem
from local.gateway.refusals import MESSAGES, refusal


def _failure(status: int, document: Any, headers: Mapping[str, str] | None = None) -> errors.CallFailed:
    return failure_of(httpx.Response(status, json=document, headers=headers), "r-1")


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (domain.TooLarge("large"), errors.BadCall),
        (domain.BadShape("shape"), errors.BadCall),
        (domain.BadRequest("read"), errors.BadCall),
        (domain.NotAllowed("scope"), errors.Forbidden),
        (domain.UnknownEntity("whom"), errors.UnknownEntity),
        (domain.StaleFeatures("old"), errors.StaleFeatures),
        (domain.RateLimited(2.5), errors.RateLimited),
        (domain.NoRelease("none"), errors.Unavailable),
        (domain.Unavailable("away"), errors.Unavailable),
    ],
)
def test_every_problem_that_the_function_sends_has_its_exception(
    raised: domain.EbbError, expected: type[errors.CallFailed]
) -> None:
    answer = problem(raised, "c-1")
    failure = failure_of(httpx.Response(answer.status, content=answer.body, headers=dict(answer.headers)), "r-1")
    assert type(failure) is expected
    assert (failure.status, failure.correlation_id, failure.request_id) == (answer.status, "c-1", "r-1")
    assert failure.problem
    assert str(failure).endswith(failure.next_step)
    assert "correlation id c-1" in str(failure)


def test_refused_features_are_named() -> None:
    answer = problem(domain.BadFeatures([domain.Refusal("age", "must be a number")]), "c-1")
    failure = failure_of(httpx.Response(answer.status, content=answer.body), "")
    assert isinstance(failure, errors.BadCall)
    assert failure.refusals == ({"feature": "age", "reason": "must be a number"},)


def test_the_rate_limit_says_when_to_ask_again() -> None:
    answer = problem(domain.RateLimited(2.5), "c-1")
    failure = failure_of(httpx.Response(answer.status, content=answer.body, headers=dict(answer.headers)), "")
    assert failure.retry_after == 3


@pytest.mark.parametrize("status", sorted(MESSAGES))
def test_every_body_that_the_gateway_sends_itself_has_its_exception(status: int) -> None:
    answer = refusal(status, "gw-1")
    headers = dict(line.split(": ") for line in answer.headers.decode().splitlines())
    failure = failure_of(httpx.Response(answer.status, content=answer.body, headers=headers), "r-1")
    assert failure.status == status
    assert failure.correlation_id == "gw-1"
    assert MESSAGES[status] in failure.detail  # type: ignore[index]
    assert isinstance(failure, errors.ServerTrouble if status >= 500 else errors.Refused)


def test_what_is_neither_is_an_odd_answer() -> None:
    page = httpx.Response(302, content=b"<html>", headers={"location": "https://elsewhere.example"})
    assert isinstance(failure_of(page, ""), errors.OddAnswer)


@given(st.integers(300, 599), st.binary(max_size=200))
def test_no_body_makes_the_mapping_fail(status: int, content: bytes) -> None:
    failure = failure_of(httpx.Response(status, content=content), "r-1")
    assert failure.status == status
    assert failure.request_id == "r-1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=10), each, max_size=3),
    max_leaves=10,
)
KEYS = ("type", "title", "status", "detail", "correlation_id", "errors", "message")


@given(st.integers(400, 599), st.dictionaries(st.sampled_from(KEYS), JSON))
def test_no_document_makes_the_mapping_fail(status: int, document: dict[str, Any]) -> None:
    assert _failure(status, document).status == status
    assert isinstance(failure_of_item(document, ""), errors.CallFailed)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("0", 0.0), (formatdate(1_010, usegmt=True), 10.0), (formatdate(990, usegmt=True), 0.0)],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float) -> None:
    assert retry_after_of({"retry-after": value}, lambda: 1_000.0) == seconds


@pytest.mark.parametrize("value", ["", "soon", "-1", "1.5", "٣", "9" * 400, "Mon, 99 Foo 2026"])
def test_a_retry_after_that_cannot_be_read_is_none(value: str) -> None:
    assert retry_after_of({"retry-after": value}) is None


def test_the_problem_of_one_item_is_that_of_a_call() -> None:
    item = {"type": "urn:ebb:problem:stale-features", "status": 409, "detail": "old", "correlation_id": "c-1"}
    failure = failure_of_item(item, "r-1")
    assert isinstance(failure, errors.StaleFeatures)
    assert (failure.detail, failure.correlation_id, failure.request_id) == ("old", "c-1", "r-1")
