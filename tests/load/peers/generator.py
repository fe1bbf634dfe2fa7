"""The load generator, the same for every server: a process of its own with a closed loop over keep-alive sockets.

Run as `python -m tests.load.peers.generator`; a `Load` comes as one line of JSON on standard input. It connects, says
`ready`, waits for a line, works until the time is over, and prints an `Outcome`. What it spends is nobody's CPU.
"""

import json
import os
import select
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tests.load.peers.network import enter_network_of

_SILENCE = 30.0
"""Seconds after which a server that says nothing counts as failed."""


@dataclass(frozen=True)
class Load:
    """What is to be sent.

    Attributes:
        port: on 127.0.0.1.
        requests: whole HTTP/1.1 requests, sent in turns.
        connections: so many are always under way, one a connection.
        seconds: of the load.
        cores: that the generator may run on; empty: all.
        namespace_of: a process in whose network namespace the port is; 0: this one's own.
    """

    port: int
    requests: Sequence[str]
    connections: int
    seconds: float
    cores: Sequence[int] = ()
    namespace_of: int = 0


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        answers: good ones (status 200).
        failed: answers of another status.
        seconds: from the first request to the last answer.
        p50_ms, p99_ms: from sending to the end of the answer.
        complaint: the beginning of the first bad answer.
    """

    answers: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float
    complaint: str = ""


def complete(answer: bytes) -> bool:
    """Say whether these are all bytes of one answer, by its Content-Length or its last chunk."""
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    lower = head.lower()
    start = lower.find(b"\r\ncontent-length:")
    if start < 0:
        return b"\r\ntransfer-encoding: chunked" in lower and body.endswith(b"0\r\n\r\n")
    return len(body) >= int(lower[start + 17 :].split(b"\r\n", 1)[0])


def main() -> None:
    """Do what the module says."""
    load = Load(**json.loads(sys.stdin.readline()))
    if load.cores:
        os.sched_setaffinity(0, load.cores)
    if load.namespace_of:
        enter_network_of(load.namespace_of)
    sockets = [_connect(load.port) for _ in range(load.connections)]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(json.dumps(asdict(_Loop(sockets, load).run())) + "\n")


def _connect(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=_SILENCE)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


class _Loop:
    """A closed loop: whoever has its answer asks again, until the time is over."""

    def __init__(self, sockets: Sequence[socket.socket], load: Load) -> None:
        self._sockets = {one.fileno(): one for one in sockets}
        self._requests, self._seconds = [text.encode() for text in load.requests], load.seconds
        self._begun, self._parts = dict.fromkeys(self._sockets, 0), dict.fromkeys(self._sockets, b"")
        self._took: list[int] = []
        self._sent = self._failed = 0
        self._complaint = ""

    def run(self) -> Outcome:
        """Ask until the time is over, and wait for the last answers."""
        start = time.perf_counter_ns()
        end = start + int(self._seconds * 1e9)
        waiting = select.epoll()
        for number in self._sockets:
            waiting.register(number, select.EPOLLIN)
            self._ask(number, time.perf_counter_ns())
        under_way = len(self._sockets)
        while under_way:
            ready = waiting.poll(_SILENCE)
            if not ready:
                raise TimeoutError(f"the server said nothing for {_SILENCE:g} s")
            for number, _ in ready:
                now = self._hear(number)
                if now and now < end:
                    self._ask(number, now)
                elif now:
                    under_way -= 1
        seconds, took = (time.perf_counter_ns() - start) / 1e9, sorted(self._took)
        return Outcome(len(took), self._failed, seconds, _at(took, 0.5), _at(took, 0.99), self._complaint)

    def _ask(self, number: int, now: int) -> None:
        self._begun[number] = now
        self._sockets[number].sendall(self._requests[self._sent % len(self._requests)])
        self._sent += 1

    def _hear(self, number: int) -> int:
        """Read what came; return the time when the answer is whole, else 0."""
        part = self._sockets[number].recv(1 << 20)
        if not part:
            raise ConnectionError("the server hung up")
        answer = self._parts[number] + part
        if not complete(answer):
            self._parts[number] = answer
            return 0
        now, self._parts[number] = time.perf_counter_ns(), b""
        if answer.startswith(b"HTTP/1.1 200"):
            self._took.append(now - self._begun[number])
        else:
            self._failed, self._complaint = self._failed + 1, self._complaint or answer[:2_000].decode(errors="replace")
        return now


def _at(took: Sequence[int], share: float) -> float:
    return took[min(len(took) - 1, int(len(took) * share))] / 1e6 if took else float("inf")


if __name__ == "__main__":
    main()
