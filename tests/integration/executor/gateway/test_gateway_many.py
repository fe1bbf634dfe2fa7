"""Many callers at once, callers that leave, and the loop of the standard library."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any

from local.executor.state import State

Run = Callable[[Coroutine[Any, Any, None]], None]
Until = Callable[[Callable[[], bool]], Coroutine[Any, Any, None]]
GatewayUp = Callable[..., AbstractAsyncContextManager[Any]]
DEADLINE_SECONDS = 30.0


async def _caller(api: Any, caller: int, requests: int) -> None:
    """Ask again and again on one connection; every answer must be to this caller's own question."""
    async with api.client("predict") as client:
        for number in range(requests):
            reply = await client.act(caller=caller, number=number)
            assert reply.status == 201
            assert reply.json["event"] == {"caller": caller, "number": number}


def test_every_caller_gets_its_own_answers(executor_run: Run, gateway_up: GatewayUp) -> None:
    async def scenario() -> None:
        async with gateway_up(environments=2) as api:
            await asyncio.gather(*(_caller(api, caller, 25) for caller in range(20)))
            environments = api.executor.status()["act"].environments
            assert sum(environment.invocations for environment in environments) == 500
            assert all(environment.invocations > 0 for environment in environments)

    executor_run(scenario())


def test_crashes_among_many_callers_cost_one_answer_each(executor_run: Run, gateway_up: GatewayUp) -> None:
    async def scenario() -> None:
        async with gateway_up(environments=2) as api:

            async def crash() -> int:
                async with api.client("predict") as client:
                    return int((await client.act(do="exit", code=1)).status)

            callers = [_caller(api, caller, 10) for caller in range(6)]
            crashed, *_ = await asyncio.gather(asyncio.gather(*(crash() for _ in range(4))), *callers)
            assert crashed == [502] * 4
            assert sum(environment.starts for environment in api.executor.status()["act"].environments) >= 4

    executor_run(scenario())


def test_a_caller_that_leaves_takes_nothing_with_it(
    executor_run: Run, gateway_up: GatewayUp, executor_until: Until
) -> None:
    async def scenario() -> None:
        async with gateway_up() as api:
            async with api.client("predict") as client:
                client.send("POST", "/act", b'{"do": "sleep", "seconds": 0.2}')
                await executor_until(lambda: api.executor.status()["act"].environments[0].state is State.BUSY)
            await _caller(api, 1, 2)
            assert api.executor.status()["act"].environments[0].starts == 1

    executor_run(scenario())


def test_the_standard_librarys_loop_serves_as_well(gateway_up: GatewayUp) -> None:
    async def scenario() -> None:
        async with gateway_up() as api:
            await asyncio.gather(*(_caller(api, caller, 5) for caller in range(4)))
            async with api.client("predict") as client:
                text = await client.act(padding="y" * 2_000_000)
                assert len(text.json["event"]["padding"]) == 2_000_000
                assert (await client.act(do="exit", code=1)).status == 502
                assert (await client.act()).status == 201

    with asyncio.Runner() as runner:
        runner.run(asyncio.wait_for(scenario(), DEADLINE_SECONDS))
