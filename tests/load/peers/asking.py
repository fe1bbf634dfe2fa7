"""A few questions to a server, one after the other, whose answers are read: what is compared before anything else."""

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import orjson

from ebb.errors import Unavailable
from tests.load.peers.case import Case
from tests.load.peers.generator import complete
from tests.load.peers.network import enter_network_of
from tests.load.peers.wire import Wire

_SECONDS = 30.0


def answers(port: int, requests: Sequence[str], network_of: int = 0) -> list[Any]:
    """Send whole HTTP requests, and return the JSON of their answers.

    Args:
        port: on 127.0.0.1.
        requests: in order.
        network_of: a process in whose network the port is; 0: this process's own.

    Raises:
        OSError: nobody listens, or the server hung up.
        Unavailable: an answer has another status than 200; carries its beginning.
    """
    # A thread of its own: the network is entered by threads, and this one ends with it.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_ask, port, requests, network_of).result()


def differing(wire: Wire, case: Case, found: Sequence[Any]) -> int:
    """Return how many answers are another probability than the graph's, to the last bit of float32."""
    scores = np.array([wire.probability(answer) for answer in found], np.float32)
    return int(np.sum(scores != case.expected[: len(scores)]))


def _ask(port: int, requests: Sequence[str], network_of: int) -> list[Any]:
    if network_of:
        enter_network_of(network_of)
    with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as connection:
        return [_exchange(connection, request.encode()) for request in requests]


def _exchange(connection: socket.socket, request: bytes) -> Any:
    connection.sendall(request)
    answer = b""
    while not complete(answer):
        part = connection.recv(1 << 20)
        if not part:
            raise ConnectionError("the server hung up")
        answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise Unavailable(f"it answered {answer[:500].decode(errors='replace')}")
    if b"chunked" in head.lower():
        body = body[body.index(b"\r\n") + 2 : body.rindex(b"\r\n0\r\n")]
    return orjson.loads(body)
