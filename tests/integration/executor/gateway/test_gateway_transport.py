"""How the gateway carries requests: order, bodies, expectations, ports, its stop."""

import asyncio
import base64
import socket
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any

import orjson
import pytest

from ebb.errors import Unavailable
from local.gateway.gateway import Gateway

Run = Callable[[Coroutine[Any, Any, None]], None]
Until = Callable[[Callable[[], bool]], Coroutine[Any, Any, None]]
GatewayUp = Callable[..., AbstractAsyncContextManager[Any]]


def test_pipelined_requests_are_answered_in_order(executor_run: Run, gateway_up: GatewayUp) -> None:
    async def scenario() -> None:
        async with gateway_up(environments=2) as api, api.client("predict") as client:
            for number in range(200):
                body = {"number": number, "do": "sleep", "seconds": 0.02 if number % 50 == 0 else 0}
                client.send("POST", "/act" if number % 3 else "/nowhere", orjson.dumps(body))
            for number in range(200):
                reply = await client.read()
                assert reply.status == (201 if number % 3 else 404)
                assert reply.status == 404 or reply.json["event"]["number"] == number

    executor_run(scenario())


def test_binary_and_large_bodies_pass_and_too_large_ones_do_not(executor_run: Run, gateway_up: GatewayUp) -> None:
    async def scenario() -> None:
        async with gateway_up() as api, api.client("predict") as client:
            binary = bytes(range(256)) * 1_000
            assert (await client.ask("POST", "/act", binary, content_type="image/png")).body == binary
            text = await client.act(padding="y" * 4_000_000)
            assert text.status == 201, text.body[:100]
            assert len(text.json["event"]["padding"]) == 4_000_000
            over_lambda = await client.ask("POST", "/act", b"y" * 7_000_000, content_type="text/plain")
            assert (over_lambda.status, over_lambda.body) == (413, b'{"message":"Request Entity Too Large"}')
            over = await client.ask("POST", "/act", b"y" * (10 * 1024 * 1024 + 1))
            assert (over.status, over.headers["connection"]) == (413, "close")

    executor_run(scenario())


def test_chunked_bodies_expectations_and_head(executor_run: Run, gateway_up: GatewayUp) -> None:
    async def scenario() -> None:
        async with gateway_up() as api, api.client("predict") as client:
            head = f"POST /act HTTP/1.1\r\nhost: h\r\nauthorization: {client.token}\r\n"
            chunks = b'8\r\n{"a": 1,\r\n7\r\n"b": 2}\r\n0\r\n\r\n'
            client.writer.write(f"{head}transfer-encoding: chunked\r\n\r\n".encode() + chunks)
            assert (await client.read()).json["event"] == {"a": 1, "b": 2}
            client.writer.write(f"{head}content-length: 2\r\nexpect: 100-continue\r\n\r\n".encode())
            assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.writer.write(b"{}")
            assert (await client.read()).status == 201
            reply = await client.ask("HEAD", "/open")
            assert (reply.status, reply.body) == (201, b"")
            assert int(reply.headers["content-length"]) > 100
            assert (await client.ask("GET", "/open")).status == 201

    executor_run(scenario())


def test_stop_lets_what_is_being_answered_finish_and_frees_the_port(
    executor_run: Run, gateway_up: GatewayUp, executor_until: Until
) -> None:
    async def scenario() -> None:
        async with gateway_up() as api, api.client("predict") as client, api.client("predict") as idle:
            client.send("POST", "/act", b'{"do": "sleep", "seconds": 0.3}')
            await executor_until(lambda: any(each.current for each in api.gateway.listener.crowd.members))
            await api.gateway.stop()
            reply = await client.read()
            assert (reply.status, reply.headers["connection"]) == (201, "close")
            assert await idle.reader.read() == b""
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", api.port)

    executor_run(scenario())


def test_a_taken_port_is_named(executor_run: Run, gateway_up: GatewayUp) -> None:
    async def scenario() -> None:
        async with gateway_up() as api:
            other = Gateway(api.executor, api.gateway.table.routes.values(), api.gateway.authorizer)
            with pytest.raises(Unavailable, match=f"port {api.port} on 127.0.0.1 is taken .* choose another port"):
                await other.start(port=api.port)
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            assert await other.start(port=port) == port
            await other.stop()

    executor_run(scenario())


def test_a_binary_answer_is_decoded(executor_run: Run, gateway_up: GatewayUp) -> None:
    async def scenario() -> None:
        async with gateway_up() as api, api.client("predict") as client:
            form = await client.ask("POST", "/act", b"a=1", content_type="application/x-www-form-urlencoded")
            assert form.body == b"a=1"
            assert base64.b64encode(form.body) == b"YT0x"

    executor_run(scenario())
