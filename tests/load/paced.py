"""Requests at an even pace, in a process of their own: who was answered by which release, when, and how late.

Run as `python -m tests.load.paced RESULT`; a `Pace` comes as one line of JSON on standard input. It connects, says
`ready`, sends until standard input is closed, and writes its `Sent` to the file. A request is due at its time whether
or not earlier ones are answered; one that finds every connection busy waits, and its wait counts.
"""

import json
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.load.peers.generator import complete

_SILENCE = 30.0


@dataclass(frozen=True)
class Pace:
    """What is to be sent.

    Attributes:
        port: on 127.0.0.1.
        requests: whole HTTP/1.1 requests, sent in turns.
        connections: most that are under way at once.
        rate: requests a second.
    """

    port: int
    requests: Sequence[str]
    connections: int
    rate: float


@dataclass
class Sent:
    """What came of each request, in the order of the answers.

    Attributes:
        began, took: monotonic seconds when it was due, and until its answer was there.
        releases: version that answered; empty where it failed or the rules answered.
        complaint: the beginning of the first bad answer.
    """

    began: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    releases: list[str] = field(default_factory=list)
    complaint: str = ""


def main(result: str) -> None:
    """Do what the module says."""
    pace = Pace(**json.loads(sys.stdin.readline()))
    paced = _Paced(pace)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    Path(result).write_text(json.dumps(asdict(paced.run())))


def release_of(answer: bytes) -> str:
    """Return the version of the release that gave an answer; empty where it failed, or the rules gave it."""
    name = answer.partition(b'"release":"')[2].partition(b'"')[0].decode()
    good = answer.startswith(b"HTTP/1.1 200") and b'"degraded":false' in answer
    return name.rpartition("/")[2] if good else ""


class _Paced:
    def __init__(self, pace: Pace) -> None:
        self.pace, self.sent = pace, Sent()
        self.requests = [text.encode() for text in pace.requests]
        self.idle = [socket.create_connection(("127.0.0.1", pace.port), _SILENCE) for _ in range(pace.connections)]
        self.busy: dict[int, tuple[socket.socket, float, bytes]] = {}
        self.late: deque[float] = deque()
        self.asked = 0
        self.waiting = select.epoll()
        for connection in self.idle:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.waiting.register(connection.fileno(), 0)
        self.waiting.register(sys.stdin.fileno(), select.EPOLLIN | select.EPOLLHUP)

    def run(self) -> Sent:
        """Send until standard input ends, and collect what is under way."""
        began, going = time.monotonic(), True
        while going or self.busy:
            due = began + self.asked / self.pace.rate
            left = max(0.0, due - time.monotonic()) if going else _SILENCE
            for number, _ in self.waiting.poll(left):
                if number == sys.stdin.fileno():
                    going = False
                    self.waiting.unregister(number)
                else:
                    self._receive(number)
            if going and time.monotonic() >= due:
                self.asked += 1
                self._ask(time.monotonic())
        return self.sent

    def _ask(self, due: float) -> None:
        if not self.idle:
            self.late.append(due)
            return
        connection = self.idle.pop()
        self.busy[connection.fileno()] = (connection, due, b"")
        self.waiting.modify(connection.fileno(), select.EPOLLIN)
        connection.sendall(self.requests[self.asked % len(self.requests)])

    def _receive(self, number: int) -> None:
        connection, due, before = self.busy[number]
        part = connection.recv(1 << 20)
        if not part:
            raise ConnectionError("the gateway hung up")
        answer = before + part
        if not complete(answer):
            self.busy[number] = (connection, due, answer)
            return
        self._note(due, answer)
        del self.busy[number]
        self.waiting.modify(number, 0)
        self.idle.append(connection)
        if self.late:
            self._ask(self.late.popleft())

    def _note(self, due: float, answer: bytes) -> None:
        self.sent.began.append(due)
        self.sent.took.append(time.monotonic() - due)
        release = release_of(answer)
        self.sent.releases.append(release)
        if not release and not self.sent.complaint:
            self.sent.complaint = answer[:1_000].decode(errors="replace")


if __name__ == "__main__":
    main(sys.argv[1])
