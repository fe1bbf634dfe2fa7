"""What a caller of the gateway gets: answers, refusals, failures of the function."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

Run = Callable[[Coroutine[Any, Any, None]], None]
Until = Callable[[Callable[[], bool]], Coroutine[Any, Any, None]]
GatewayUp = Callable[..., AbstractAsyncContextManager[Any]]


def test_a_function_answers_over_http(executor_run: Run, gateway_up: GatewayUp) -> None:
    async def scenario() -> None:
        async with gateway_up() as api, api.client("predict") as client:
            reply = await client.act(hello="world")
            assert reply.status == 201
            assert reply.headers["content-type"] == "application/json"
            assert reply.headers["connection"] == "keep-alive"
            assert len(reply.headers["apigw-requestid"]) == 16
            assert reply.json["event"] == {"hello": "world"}

    executor_run(scenario())


def test_the_function_sees_route_parameters_and_claims(executor_run: Run, gateway_up: GatewayUp) -> None:
    async def scenario() -> None:
        async with gateway_up() as api, api.client("predict", "write") as client:
            reply = await client.ask(
                "PUT", "/v1/features/C%2F1%20%C3%A9?a=1&a=2", b'{"do":"event"}', content_type="application/json"
            )
        event = reply.json
        assert event["routeKey"] == "PUT /v1/features/{entity_id}"
        assert event["pathParameters"] == {"entity_id": "C/1 é"}
        assert event["queryStringParameters"] == {"a": "1,2"}
        jwt = event["requestContext"]["authorizer"]["jwt"]
        assert jwt["scopes"] is None
        assert jwt["claims"]["scope"] == "predict write"
        assert all(isinstance(value, str) for value in jwt["claims"].values())

    executor_run(scenario())


def test_what_the_gateway_refuses_has_awss_bodies(executor_run: Run, gateway_up: GatewayUp) -> None:
    async def scenario() -> None:
        async with gateway_up() as api, api.client(token="") as stranger, api.client("predict") as client:
            refusals = [
                (await stranger.ask("GET", "/nowhere"), 404, "Not Found", None),
                (await stranger.ask("DELETE", "/act"), 404, "Not Found", None),
                (await stranger.ask("OPTIONS", "/act"), 404, "Not Found", None),
                (await stranger.act(), 401, "Unauthorized", "Bearer"),
                (
                    await stranger.ask("POST", "/act", authorization="Bearer x.y.z"),
                    401,
                    "Unauthorized",
                    'Bearer scope="" error="invalid_token" error_description="unable to decode"',
                ),
                (
                    await client.ask("POST", "/scoped"),
                    403,
                    "Forbidden",
                    'Bearer scope="write admin" error="insufficient_scope"',
                ),
            ]
            first = await stranger.ask("GET", "/slow")
            refusals.append((await stranger.ask("GET", "/slow"), 429, "Too Many Requests", None))
        assert first.status == 201
        for reply, status, message, challenge in refusals:
            assert (reply.status, reply.body) == (status, b'{"message":"%b"}' % message.encode())
            assert reply.headers["content-type"] == "application/json"
            assert reply.headers["apigw-requestid"]
            assert reply.headers.get("www-authenticate") == challenge

    executor_run(scenario())


def test_failures_of_the_function_touch_only_their_caller(executor_run: Run, gateway_up: GatewayUp) -> None:
    async def scenario() -> None:
        async with gateway_up(timeout_seconds=0.5) as api, api.client("predict") as client:
            raised = await client.act(do="raise")
            async with api.client("predict") as other:
                other.send("POST", "/act", b'{"do": "exit", "code": 1}')
                crashed, fine = await asyncio.gather(other.read(), client.act())
            late = await client.act(do="sleep", seconds=60)
            malformed = await client.act(do="malformed")
            after = await client.act()
        internal = b'{"message":"Internal Server Error"}'
        assert (raised.status, raised.body) == (502, internal)
        assert (crashed.status, crashed.body) == (502, internal)
        assert (late.status, late.body) == (503, b'{"message":"Service Unavailable"}')
        assert (malformed.status, malformed.body) == (500, internal)
        assert (fine.status, after.status) == (201, 201)

    executor_run(scenario())


def test_without_an_environment_it_is_unavailable(
    executor_run: Run, gateway_up: GatewayUp, executor_folder: Path
) -> None:
    (executor_folder / "act.py").write_text("raise RuntimeError('a secret of the start')")

    async def scenario() -> None:
        async with gateway_up(ready=False) as api, api.client("predict") as client:
            reply = await client.act()
            assert (reply.status, reply.body) == (503, b'{"message":"Service Unavailable"}')
            assert "a secret of the start" in str(api.executor.status()["act"].error)

    executor_run(scenario())
