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
    sys.stdout.write(json.dumps(asdict(_drive(sockets, load))) + "\n")


def _connect(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=_SILENCE)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _drive(sockets: Sequence[socket.socket], load: Load) -> Outcome:
    requests, by_number = [text.encode() for text in load.requests], {s.fileno(): s for s in sockets}
    begun, parts = dict.fromkeys(by_number, 0), dict.fromkeys(by_number, b"")
    took, failed, complaint, sent = [], 0, "", 0
    waiting = select.epoll()
    clock = time.perf_counter_ns
    start = clock()
    end = start + int(load.seconds * 1e9)
    for number, one in by_number.items():
        waiting.register(number, select.EPOLLIN)
        begun[number] = clock()
        one.sendall(requests[sent % len(requests)])
        sent += 1
    under_way = len(by_number)
    while under_way:
        ready = waiting.poll(_SILENCE)
        if not ready:
            raise TimeoutError(f"the server said nothing for {_SILENCE:g} s")
        for number, _ in ready:
            part = by_number[number].recv(1 << 20)
            if not part:
                raise ConnectionError("the server hung up")
            answer = parts[number] + part
            if not complete(answer):
                parts[number] = answer
                continue
            now, parts[number] = clock(), b""
            if answer.startswith(b"HTTP/1.1 200"):
                took.append(now - begun[number])
            else:
                failed, complaint = failed + 1, complaint or answer[:2_000].decode(errors="replace")
            if now < end:
                begun[number] = now
                by_number[number].sendall(requests[sent % len(requests)])
                sent += 1
            else:
                under_way -= 1
    seconds = (clock() - start) / 1e9
    took.sort()
    return Outcome(len(took), failed, seconds, _at(took, 0.5), _at(took, 0.99), complaint)


def _at(took: Sequence[int], share: float) -> float:
    return took[min(len(took) - 1, int(len(took) * share))] / 1e6 if took else float("inf")


if __name__ == "__main__":
    main()
