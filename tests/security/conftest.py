"""A real gateway on a free port, before an invoker that tells what reached it; and a raw socket to attack it."""

import asyncio
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from local.executor.invocation import Invocation, Kind
from local.gateway.authorizer import Authorizer
from local.gateway.gateway import Gateway
from local.gateway.routes import Route
from local.identity import Identity
from local.wire.site import Limits

ISSUER = "http://127.0.0.1/issuer"
ROUTES = (
    Route("GET", "/open", "teller", authorized=False),
    Route("POST", "/open", "teller", authorized=False),
    Route("GET", "/closed", "teller"),
    Route("PUT", "/v1/features/{entity_id}", "teller", authorized=False),
)
_SECONDS = 5.0


@dataclass
class Teller:
    """Answers at once, and keeps every event; `answer` is what the function would have said."""

    events: list[dict[str, Any]] = field(default_factory=list)
    answer: bytes = b'{"statusCode":200,"body":"told"}'

    @property
    def functions(self) -> Mapping[str, Any]:
        return {"teller": None}

    def invoke(self, name: str, payload: bytes, done: Callable[[Invocation], None]) -> str:
        self.events.append(orjson.loads(payload))
        done(Invocation(Kind.ANSWERED, self.answer, name))
        return name


@dataclass
class Gate:
    """The gateway under attack."""

    port: int
    teller: Teller
    identity: Identity

    def send(self, *parts: bytes) -> list[int]:
        """Send raw bytes, part by part, then say that no more comes; returns the status of each answer."""
        with socket.create_connection(("127.0.0.1", self.port), _SECONDS) as wire, suppress(ConnectionError):
            for part in parts:
                wire.sendall(part)
            wire.shutdown(socket.SHUT_WR)
            return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", self._all(wire))]
        return []

    def refuses(self, *parts: bytes) -> int:
        """Send something that could go on for ever, and return the status that ends it."""
        with socket.create_connection(("127.0.0.1", self.port), _SECONDS) as wire:
            for part in parts:
                wire.sendall(part)
            return int(wire.recv(65_536).split(b" ")[1])

    def told(self) -> dict[str, Any]:
        """Return the event of the last request that passed."""
        return self.teller.events[-1]

    @staticmethod
    def _all(wire: socket.socket) -> bytes:
        received = b""
        with suppress(ConnectionError):
            while piece := wire.recv(65_536):
                received += piece
        return received


@contextmanager
def loop_in_thread() -> Iterator[asyncio.AbstractEventLoop]:
    """Run an event loop beside the test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_SECONDS)
        loop.close()


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """Return the identity whose tokens the gateway takes."""
    return Identity.load_or_create(tmp_path_factory.mktemp("identity"))


@contextmanager
def serving(identity: Identity, limits: Limits | None = None) -> Iterator[Gate]:
    """Start a gateway; after the attack it must still answer the next caller."""
    teller = Teller()
    with loop_in_thread() as loop:
        gateway = Gateway(teller, ROUTES, Authorizer(identity.jwks(), ISSUER, "ebb"), limits)
        port = asyncio.run_coroutine_threadsafe(gateway.start(), loop).result(_SECONDS)
        gate = Gate(port, teller, identity)
        try:
            yield gate
            teller.answer = Teller().answer
            assert gate.send(request("GET /open")) == [200]
        finally:
            asyncio.run_coroutine_threadsafe(gateway.stop(), loop).result(_SECONDS)


@pytest.fixture
def gate(identity: Identity) -> Iterator[Gate]:
    """Start a gateway with its usual limits."""
    with serving(identity) as gate:
        yield gate


def until(holds: Callable[[], bool], seconds: float = _SECONDS) -> None:
    """Poll until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.01)


def request(line: str, *headers: str, body: bytes = b"", ends: str = "\r\n") -> bytes:
    """Return the bytes of a request with one host."""
    lines: Sequence[str] = (f"{line} HTTP/1.1", "host: h", *headers, "", "")
    return ends.join(lines).encode("latin-1") + body
