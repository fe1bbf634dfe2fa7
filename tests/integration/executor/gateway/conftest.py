"""A gateway under test before real runtime clients, and a client that speaks raw HTTP to it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

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
