"""The HTTP server itself, over real sockets: what it refuses, and that it stays in order."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.wire.answer import Answer
from local.wire.listener import Listener
from local.wire.request import Request
from local.wire.site import Limits

Run = Callable[[Coroutine[Any, Any, None]], None]
Until = Callable[[Callable[[], bool]], Coroutine[Any, Any, None]]
GET = b"GET /a HTTP/1.1\r\nhost: h\r\n\r\n"


class Echo:
    """Answers with what it was asked; holds back what asks for it."""

    def __init__(self) -> None:
        self.seen: list[Request] = []
        self.held: list[Callable[[Answer], None]] = []

    def serve(self, request: Request, respond: Callable[[Answer], None]) -> None:
        self.seen.append(request)
        if request.target == "/hold":
            self.held.append(respond)
        elif request.target == "/raise":
            raise ValueError("a fault of the site")
        else:
            respond(Answer(200, b"", f"{request.method} {request.target} {len(request.body)}".encode()))

    def refuse(self, status: int) -> Answer:
        return Answer(status, b"", str(status).encode())


@asynccontextmanager
async def echoing(**limits: Any) -> AsyncIterator[tuple[Echo, Listener, int]]:
    site = Echo()
    listener = Listener(site, "the echo", Limits(**limits))
    port = await listener.start("127.0.0.1", 0)
    try:
        yield site, listener, port
    finally:
        await listener.stop(0.2)


async def talk(port: int, *parts: bytes) -> bytes:
    """Send the parts one by one and return all that comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.transport.abort()


def last(request: bytes) -> bytes:
    """Ask the server to close after this one."""
    return request.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /a HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /a HTTP/9.9\r\nhost: h\r\n\r\n", b"400"),
        (b"GET /a b HTTP/1.1\r\nhost: h\r\n\r\n", b"400"),
        (b"POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: -1\r\n\r\n", b"400"),
        (b"POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", b"400"),
        (b"POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 101\r\n\r\n", b"413"),
        (b"POST /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n65\r\n" + b"x" * 101, b"413"),
        (b"GET /a HTTP/1.1\r\nhost: h\r\nx: " + b"y" * 1_000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"a" * 1_000 + b" HTTP/1.1\r\nhost: h\r\n\r\n", b"431"),
        (b"GET /a HTTP/1.1\r\nx: " + b"y" * 1_100, b"431"),
        (last(b"GET /raise HTTP/1.1\r\nhost: h\r\n\r\n"), b"500"),
        (b"GET /a HTTP/1.0\r\n\r\n", b"200"),
        (last(b"POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\n" + b"x" * 100), b"200"),
        (b"GET /a HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n", b"200"),
        (b"CONNECT h:1 HTTP/1.1\r\nhost: h\r\n\r\n", b"200"),
    ],
)
@pytest.mark.parametrize("step", [0, 7])
def test_each_request_gets_its_status(executor_run: Run, sent: bytes, status: bytes, step: int) -> None:
    parts = [sent[at : at + step] for at in range(0, len(sent), step)] if step else [sent]

    async def scenario() -> None:
        async with echoing(body_bytes=100, head_bytes=1_000) as (_, _, port):
            answer = await talk(port, *parts)
            assert answer.split(b" ")[1] == status
            assert b"connection: close" in answer

    executor_run(scenario())


def test_a_refusal_waits_for_the_answers_before_it(executor_run: Run, executor_until: Until) -> None:
    async def scenario() -> None:
        async with echoing() as (site, _, port):
            sent = b"GET /hold HTTP/1.1\r\nhost: h\r\n\r\n" + GET + b"garbage\r\n\r\n" + GET
            answers = asyncio.ensure_future(talk(port, sent))
            await executor_until(lambda: bool(site.held))
            site.held[0](Answer(202, b"", b"held"))
            assert re.findall(rb"HTTP/1.1 (\d+)", await answers) == [b"202", b"200", b"400"]
            assert len(site.seen) == 2

    executor_run(scenario())


def test_pipelined_requests_run_one_after_another_and_reading_pauses(executor_run: Run, executor_until: Until) -> None:
    async def scenario() -> None:
        async with echoing(pipelined=4) as (site, listener, port):
            sent = b"GET /hold HTTP/1.1\r\nhost: h\r\n\r\n" + GET * 500 + last(GET)
            answers = asyncio.ensure_future(talk(port, sent))
            await executor_until(lambda: bool(site.held))
            assert len(site.seen) == 1
            await executor_until(lambda: any(each.paused for each in listener.crowd.members))
            site.held[0](Answer(200, b"", b"held"))
            assert (await answers).count(b"GET /a 0") == 501

    executor_run(scenario())


def test_one_connection_too_many_is_told_so(executor_run: Run, executor_until: Until) -> None:
    async def scenario() -> None:
        async with echoing(connections=1) as (_, listener, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            await executor_until(lambda: len(listener.crowd.members) == 1)
            assert (await talk(port)).startswith(b"HTTP/1.1 503 ")
            writer.transport.abort()
            await executor_until(lambda: not listener.crowd.members)
            assert (await talk(port, last(GET))).startswith(b"HTTP/1.1 200 ")

    executor_run(scenario())


def test_silent_connections_are_closed_and_busy_ones_are_not(executor_run: Run, executor_until: Until) -> None:
    async def scenario() -> None:
        async with echoing(idle_seconds=0.0) as (site, listener, port):
            silent = asyncio.ensure_future(talk(port, b"GET /half"))
            busy = asyncio.ensure_future(talk(port, last(b"GET /hold HTTP/1.1\r\nhost: h\r\n\r\n")))
            await executor_until(lambda: len(listener.crowd.members) == 2 and bool(site.held))
            listener._sweep()
            assert await silent == b""
            site.held[0](Answer(200, b"", b"done"))
            assert (await busy).endswith(b"done")

    executor_run(scenario())


def test_a_caller_that_leaves_is_forgotten(executor_run: Run, executor_until: Until) -> None:
    async def scenario() -> None:
        async with echoing() as (site, listener, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /hold HTTP/1.1\r\nhost: h\r\n\r\n")
            await executor_until(lambda: bool(site.held))
            writer.transport.abort()
            await executor_until(lambda: not listener.crowd.members)
            site.held[0](Answer(200, b"", b"nobody hears this"))

    executor_run(scenario())


def test_an_answer_larger_than_the_socket_takes_at_once_arrives_whole(executor_run: Run) -> None:
    body = b"0123456789" * 1_000_000

    class Large(Echo):
        def serve(self, request: Request, respond: Callable[[Answer], None]) -> None:
            del request
            respond(Answer(200, b"", body))

    async def scenario() -> None:
        listener = Listener(Large(), "the large one")
        port = await listener.start("127.0.0.1", 0)
        answer = await talk(port, GET + last(GET))
        await listener.stop()
        assert answer.count(body) == 2
        assert answer.endswith(body)

    executor_run(scenario())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=300), before=st.booleans())
def test_noise_never_stops_the_server(executor_run: Run, noise: bytes, before: bool) -> None:
    async def scenario() -> None:
        async with echoing(idle_seconds=0.0) as (_, listener, port):
            asked = asyncio.ensure_future(talk(port, GET + noise if before else noise))
            while not asked.done():
                await asyncio.sleep(0.001)
                listener._sweep()
            assert (await talk(port, last(GET))).startswith(b"HTTP/1.1 200 ")

    executor_run(scenario())
