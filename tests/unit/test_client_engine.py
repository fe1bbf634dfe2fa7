"""Whatever endpoints answer, in whatever order: what a call may do to them, and how it ends."""

import asyncio
import json
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.client import calls, errors
from ebb.client.call import Request
from ebb.client.endpoint import AGAIN, Endpoint
from ebb.client.engine import Engine
from ebb.client.policy import Policy
from ebb.client.tokens import FixedToken
from ebb.errors import Misuse

LOST, REFUSED, TRUNCATED = "lost", "refused", "truncated"
FINAL = (400, 403, 404, 409, 413, 422)
TOLD = st.sampled_from([200, *FINAL, *sorted(AGAIN), LOST, REFUSED, TRUNCATED])
SCRIPTS = st.lists(st.lists(TOLD, max_size=6), min_size=1, max_size=3)
ANSWER = {"entity_id": "c-1", "written": 1}


class Site:
    """An endpoint that follows a script, and answers 200 when that is over; notes what it was asked."""

    def __init__(self, script: Sequence[int | str]) -> None:
        self.script, self.asked = list(script), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        told = self.script.pop(0) if self.script else 200
        if told == REFUSED:
            raise httpx.ConnectError("refused", request=request)
        self.asked.append(request)
        if told == LOST:
            raise httpx.ReadError("lost", request=request)
        if told == TRUNCATED:
            return httpx.Response(200, content=b'{"written":')
        assert isinstance(told, int)
        return httpx.Response(told, json=ANSWER)


class World:
    """Sites, and an engine before them."""

    def __init__(self, scripts: Sequence[Sequence[int | str]], policy: Policy) -> None:
        self.sites = [Site(script) for script in scripts]
        endpoints = [
            Endpoint(f"https://r{number}.example", httpx.AsyncClient(transport=httpx.MockTransport(site)), policy)
            for number, site in enumerate(self.sites)
        ]
        self.engine = Engine(endpoints, FixedToken("t"), policy, draw=lambda: 0.0)

    def asked(self) -> list[httpx.Request]:
        return [request for site in self.sites for request in site.asked]

    async def ends(self, request: Request[Any]) -> errors.CallFailed | None:
        """Return what the call fails with; None where it does not."""
        try:
            await self.engine.call(request, 5.0)
        except errors.CallFailed as failure:
            return failure
        return None


def _write() -> Request[Any]:
    return calls.put_features("c-1", {"a": 1}, None, None)


def _anywhere() -> Request[Any]:
    return Request("any", "POST", "/v1/predictions", lambda document, _: document, b"{}", anywhere=True)


def _run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


@settings(max_examples=150, deadline=None)
@given(SCRIPTS, st.integers(0, 4), st.booleans())
def test_a_call_is_sent_no_oftener_than_allowed_and_always_ends(
    scripts: list[list[int | str]], retries: int, write: bool
) -> None:
    async def scenario() -> None:
        world = World(scripts, Policy(retries=retries, retry_burst=100, hedging=False))
        failure = await world.ends(_write() if write else _anywhere())
        asked = world.asked()
        assert len(asked) <= retries + 1
        assert len({request.headers["ebb-request-id"] for request in asked}) <= 1
        assert len({request.headers.get("idempotency-key") for request in asked}) <= 1
        assert all(int(request.headers["ebb-deadline-ms"]) <= 5_000 for request in asked)
        if failure is None:
            assert asked
        if write:
            assert not any(site.asked for site in world.sites[1:])

    _run(scenario())


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(FINAL), SCRIPTS)
def test_what_is_final_ends_the_call_with_one_request(status: int, scripts: list[list[int | str]]) -> None:
    async def scenario() -> None:
        world = World([[status, *scripts[0]], *scripts[1:]], Policy(hedging=False))
        failure = await world.ends(_anywhere())
        assert failure is not None
        assert failure.status == status
        assert len(world.asked()) == 1

    _run(scenario())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*sorted(AGAIN), LOST]), min_size=1, max_size=3))
def test_what_passes_is_outlasted(script: list[int | str]) -> None:
    async def scenario() -> None:
        world = World([script], Policy(retries=3))
        assert await world.ends(_write()) is None
        assert len(world.asked()) == len(script) + 1
        assert world.engine.counts["retried"] == len(script)

    _run(scenario())


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0, 0.5), burst=st.integers(1, 10), number=st.integers(1, 60))
def test_all_calls_together_stay_within_the_budget(share: float, burst: int, number: int) -> None:
    async def scenario() -> None:
        policy = Policy(retries=3, retry_share=share, retry_burst=burst)
        world = World([[503] * 1_000], policy)
        for _ in range(number):
            assert isinstance(await world.ends(_write()), errors.Unavailable)
        assert number <= len(world.asked()) <= number * (1 + share) + burst + 1e-6

    _run(scenario())


def test_a_failing_endpoint_is_followed_by_another_that_then_comes_first() -> None:
    async def scenario() -> None:
        world = World([[503] * 3 + [200] * 9, []], Policy(hedging=False))
        for _ in range(5):
            assert await world.ends(_anywhere()) is None
        # Three failures in a row, and the first is left alone.
        assert [len(site.asked) for site in world.sites] == [3, 5]

    _run(scenario())


def test_where_all_endpoints_are_dead_each_is_asked_and_the_last_word_is_theirs() -> None:
    async def scenario() -> None:
        world = World([[REFUSED] * 9, [REFUSED] * 9], Policy(retries=1, hedging=False))
        failure = await world.ends(_anywhere())
        assert isinstance(failure, errors.Unreachable)
        assert "took no connection" in failure.detail
        assert world.engine.counts == Counter(called=1, gone_over=2, retried=1)

    _run(scenario())


def test_an_answer_that_is_not_json_is_not_asked_for_again() -> None:
    async def scenario() -> None:
        world = World([[TRUNCATED]], Policy())
        assert isinstance(await world.ends(_write()), errors.OddAnswer)
        assert len(world.asked()) == 1

    _run(scenario())


@pytest.mark.parametrize("write", [True, False])
def test_what_is_sent_names_call_deadline_and_token(write: bool) -> None:
    async def scenario() -> None:
        world = World([[]], Policy())
        assert await world.ends(_write() if write else _anywhere()) is None
        (request,) = world.asked()
        assert request.headers["authorization"] == "Bearer t"
        assert request.headers["content-type"] == "application/json"
        assert len(request.headers["ebb-request-id"]) == 32
        assert ("idempotency-key" in request.headers) is write
        json.loads(request.content)

    _run(scenario())


@pytest.mark.parametrize("deadline", [0, -1.0, float("nan")])
def test_a_deadline_that_is_none_is_refused(deadline: float) -> None:
    async def scenario() -> None:
        world = World([[]], Policy())
        with pytest.raises(Misuse, match="deadline"):
            await world.engine.call(_write(), deadline)

    _run(scenario())
