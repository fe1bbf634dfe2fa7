"""The gateway over real sockets, before real runtime clients."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from ebb.errors import Unavailable
from local.executor.executor import Executor
from local.gateway.authorizer import Authorizer
from local.gateway.gateway import Gateway
from local.gateway.routes import Route
from local.gateway.throttle import Throttle
from local.identity import Identity

Run = Callable[[Coroutine[Any, Any, None]], None]
Up = Callable[..., AbstractAsyncContextManager[Executor]]
Until = Callable[[Callable[[], bool]], Coroutine[Any, Any, None]]
ISSUER = "http://127.0.0.1/issuer"
ROUTES = (
    Route("POST", "/act", "act"),
    Route("PUT", "/v1/features/{entity_id}", "act"),
    Route("GET", "/open", "act", authorized=False),
    Route("HEAD", "/open", "act", authorized=False),
    Route("POST", "/scoped", "act", scopes=("write", "admin")),
    Route("GET", "/slow", "act", authorized=False, throttle=Throttle(rate=0.001, burst=1)),
)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Client:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self.reader = reader
        self.writer = writer
        self.token = token

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> None:
        lines = {"host": "api.ebb.test:8080", "content-length": str(len(body)), **headers}
        if self.token:
            lines.setdefault("authorization", f"Bearer {self.token}")
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
        self.writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)

    async def read(self, *, head_only: bool = False) -> Reply:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        length = 0 if head_only else int(headers.get("content-length", 0))
        return Reply(int(head[0].split()[1]), headers, await self.reader.readexactly(length))

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        self.send(method, path, body, **headers)
        return await self.read(head_only=method == "HEAD")

    async def act(self, **asked: Any) -> Reply:
        return await self.ask("POST", "/act", orjson.dumps(asked), content_type="application/json")


@dataclass
class Api:
    """A running gateway, and how to reach it."""

    gateway: Gateway
    executor: Executor
    identity: Identity
    port: int

    def token(self, *scopes: str) -> str:
        return self.identity.mint("a-client", scopes, 5, ISSUER, "ebb")

    @asynccontextmanager
    async def client(self, *scopes: str, token: str | None = None) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Client(reader, writer, self.token(*scopes) if token is None else token)
        finally:
            writer.transport.abort()


@pytest.fixture
def gateway_up(executor_up: Up, tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Api]]:
    @asynccontextmanager
    async def up(**fields: Any) -> AsyncIterator[Api]:
        identity = Identity.load_or_create(tmp_path / "state")
        async with executor_up(handler="act.http", **fields) as executor:
            gateway = Gateway(executor, ROUTES, Authorizer(identity.jwks(), ISSUER, "ebb"))
            port = await gateway.start()
            try:
                yield Api(gateway, executor, identity, port)
            finally:
                await gateway.stop()

    return up


GatewayUp = Callable[..., AbstractAsyncContextManager[Api]]


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
            other = Gateway(api.executor, ROUTES, api.gateway.authorizer)
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
