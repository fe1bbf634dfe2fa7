"""Requests to a local cloud, one after the other, and which releases answered them."""

import socket

from ebb.errors import Unavailable
from tests.load.paced import release_of
from tests.load.peers.generator import complete
from tests.load.swap_case import SwapCase

_SECONDS = 30.0


def ask(case: SwapCase, requests: int) -> list[str]:
    """Ask for one entity after the other, and return the versions that answered.

    Raises:
        Unavailable: one was not answered by a release; carries the answer.
    """
    wanted = [text.encode() for text in case.requests()]
    releases = []
    with socket.create_connection(("127.0.0.1", case.home.state.ports.gateway), _SECONDS) as connection:
        for number in range(requests):
            connection.sendall(wanted[number % len(wanted)])
            answer = b""
            while not complete(answer):
                part = connection.recv(1 << 20)
                if not part:
                    raise Unavailable("the gateway hung up")
                answer += part
            release = release_of(answer)
            if not release:
                raise Unavailable(f"no release answered: {answer[:500].decode(errors='replace')}")
            releases.append(release)
    return releases
