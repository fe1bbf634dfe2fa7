"""The load generator as a process, against a small server that answers as it is told."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import Unavailable
from tests.home import ROOT
from tests.load.peers.asking import answers
from tests.load.peers.generator import Load, Outcome, complete

REQUEST = "POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
GOOD = b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"a": 12}'
CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"a": 12}\r\n0\r\n\r\n'
BAD = b"HTTP/1.1 503 No\r\ncontent-length: 4\r\n\r\nsick"


class _Scripted(asyncio.Protocol):
    """Answers request by request from a list, in pieces, and hangs up when the list says None."""

    def __init__(self, script: list[bytes | None], opened: list[Any]) -> None:
        self._script, self._turn, self._opened = script, 0, opened

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._opened.append(transport)

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"POST ")):
            answer = self._script[self._turn % len(self._script)]
            self._turn += 1
            if answer is None:
                self._transport.close()
                return
            self._transport.write(answer[:20])
            asyncio.get_running_loop().call_soon(self._transport.write, answer[20:])


@contextmanager
def serving(*script: bytes | None) -> Iterator[int]:
    """Serve until the block ends; yields the port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    opened: list[Any] = []
    made = loop.create_server(lambda: _Scripted(list(script), opened), "127.0.0.1", 0)
    server = asyncio.run_coroutine_threadsafe(made, loop).result(10)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_close(server, opened), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _close(server: asyncio.Server, opened: list[Any]) -> None:
    for transport in opened:
        transport.abort()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0)  # the aborted ones are told in the loop's next turn


def drive(port: int, connections: int = 3, seconds: float = 0.4) -> tuple[Outcome | None, str]:
    """Run the generator; return its outcome, and its complaints."""
    load = Load(port, [REQUEST, REQUEST], connections, seconds)
    done = subprocess.run(
        [sys.executable, "-m", "tests.load.peers.generator"],
        cwd=ROOT,
        input=f"{json.dumps(asdict(load))}\ngo\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    lines = done.stdout.splitlines()
    return (Outcome(**json.loads(lines[1])) if len(lines) == 2 else None), done.stderr


def test_good_answers_are_counted_and_timed() -> None:
    with serving(GOOD, CHUNKED) as port:
        outcome, complaints = drive(port)
    assert outcome is not None, complaints
    assert outcome.answers > 20
    assert outcome.failed == 0
    assert 0.3 < outcome.seconds < 5
    assert 0 < outcome.p50_ms <= outcome.p99_ms < 1_000


def test_failures_are_counted_apart_and_the_first_is_told() -> None:
    with serving(GOOD, BAD) as port:
        outcome, complaints = drive(port, connections=1)
    assert outcome is not None, complaints
    assert abs(outcome.answers - outcome.failed) <= 1
    assert outcome.complaint.startswith("HTTP/1.1 503")


def test_a_server_that_hangs_up_fails_the_run() -> None:
    with serving(GOOD, None) as port:
        outcome, complaints = drive(port)
    assert outcome is None
    assert "the server hung up" in complaints


def test_questions_are_answered_in_order_chunked_or_not() -> None:
    with serving(GOOD, CHUNKED) as port:
        assert answers(port, [REQUEST] * 3) == [{"a": 12}] * 3
    with serving(BAD) as port, pytest.raises(Unavailable, match="503"):
        answers(port, [REQUEST])


@given(st.sampled_from([GOOD, CHUNKED, BAD]), st.data())
def test_an_answer_is_complete_when_all_of_it_is_there(answer: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(answer) - 1))
    assert complete(answer)
    assert not complete(answer[:cut])


@given(st.binary(max_size=60))
def test_the_length_alone_decides_whatever_the_body_holds(body: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nserver: x\r\ncontent-length: %d\r\ndate: y\r\n\r\n%b" % (len(body), body)
    assert complete(answer)
    assert not complete(answer[:-1]) or not body
