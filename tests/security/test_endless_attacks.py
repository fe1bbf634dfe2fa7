"""Requests that never end, come a byte at a time or in the smallest pieces: bounded in time and in memory."""

import select
import socket
import time
import tracemalloc
from contextlib import suppress

import pytest

from local.identity import Identity
from local.wire import listener
from local.wire.reader import Reader
from local.wire.request import Request
from local.wire.site import Limits
from tests.security.conftest import Gate, request, serving


@pytest.mark.parametrize(
    ("start", "part"),
    [
        (b"0\r\n", b"x: " + b"y" * 500 + b"\r\n"),
        (b"0\r\nx: ", b"y" * 4_096),
        (b"2;", b"y" * 4_096),
        (b"", b"0" * 4_096),
    ],
    ids=["trailers", "one trailer", "chunk extension", "chunk size"],
)
def test_nothing_around_a_chunk_grows_for_ever(gate: Gate, start: bytes, part: bytes) -> None:
    head = request("POST /open", "transfer-encoding: chunked", body=start)
    assert gate.refuses(head, *[part] * (65_536 // len(part))) == 431


def test_many_small_chunks_are_one_body(gate: Gate) -> None:
    parts = [b"1\r\nx\r\n" * 10_000, b"1;some=extension\r\n", b"x\r\n", b"0\r\nx: y\r\n", b"\r\n"]
    assert gate.send(request("POST /open", "transfer-encoding: chunked"), *parts) == [200]
    assert gate.told()["body"] == "x" * 10_001


class Taker:
    """Takes what a reader reads."""

    peer = "127.0.0.1"

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def take(self, request: Request) -> None:
        self.bodies.append(request.body)

    def expected(self) -> None:
        """Nobody waits here."""


def test_chunks_of_two_bytes_take_no_more_than_their_size() -> None:
    taker = Taker()
    reader = Reader(taker, Limits())
    reader.feed(request("POST /open", "transfer-encoding: chunked"))
    part = b"2\r\nxy\r\n" * 10_000
    tracemalloc.start()
    try:
        for _ in range(20):
            reader.feed(part)
        reader.feed(b"0\r\n\r\n")
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert taker.bodies == [b"xy" * 200_000]


@pytest.mark.parametrize("start", [b"GET /open HTTP/1.1\r\nx: ", request("POST /open", "content-length: 9999")])
def test_half_a_request_ends_however_slowly_it_comes(
    identity: Identity, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(listener, "_SWEEP_SECONDS", 0.05)
    with (
        serving(identity, Limits(idle_seconds=0.2)) as slow,
        socket.create_connection(("127.0.0.1", slow.port)) as wire,
    ):
        wire.sendall(start)
        deadline = time.monotonic() + 5
        with suppress(ConnectionError):
            while not select.select([wire], [], [], 0.02)[0]:
                assert time.monotonic() < deadline, "a byte now and then keeps it open for ever"
                wire.sendall(b"x")
            assert wire.recv(1) == b""
