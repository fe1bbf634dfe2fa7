"""Free ports are free, listening ports are seen."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from ebb.errors import Unavailable
from local.servers import ports


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_can_be_listened_on_at_once() -> None:
    port = ports.free_port()
    assert 1024 <= port <= 65535
    with socket.create_server(("127.0.0.1", port)):
        assert ports.is_listening(port)


def test_free_ports_differ_while_they_are_in_use() -> None:
    with ExitStack() as servers:
        found = {
            servers.enter_context(socket.create_server(("127.0.0.1", ports.free_port()))).getsockname()[1]
            for _ in range(50)
        }
        assert len(found) == 50


def test_a_listening_port_is_seen_and_not_free(listener: int) -> None:
    assert ports.is_listening(listener)
    assert not ports.is_free(listener)


def test_a_port_that_nobody_uses_is_free_and_silent() -> None:
    port = ports.free_port()
    assert ports.is_free(port)
    assert not ports.is_listening(port)


def test_a_port_held_on_every_address_is_not_free() -> None:
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))  # noqa: S104 (that is what is tested)
        server.listen()
        assert not ports.is_free(server.getsockname()[1])


def test_a_port_is_free_again_right_after_its_connections_closed(listener: int) -> None:
    """A restarted server gets its port back although old connections linger in TIME_WAIT."""
    port = ports.free_port()
    with socket.create_server(("127.0.0.1", port)) as server, socket.create_connection(("127.0.0.1", port)) as client:
        accepted, _ = server.accept()
        accepted.close()
        assert client.recv(1) == b""
    assert ports.is_free(port)
    assert not ports.is_free(listener)


def test_a_bound_socket_that_does_not_listen_is_not_taken_for_a_server() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert not ports.is_listening(bound.getsockname()[1])


def test_probing_many_closed_ports_never_meets_itself() -> None:
    """A probe of a closed port in the ephemeral range can be given that port as its own end."""
    port = ports.free_port()
    assert not any(ports.is_listening(port) for _ in range(2000))


@pytest.mark.parametrize("port", [-1, 65536, 99999])
def test_a_number_that_is_no_port_is_refused_in_words(port: int) -> None:
    assert not ports.is_free(port)
    assert ports.port_refusal(port) == "is none: ports go from 0 to 65535"


def test_a_taken_port_is_refused_in_words(listener: int) -> None:
    assert ports.port_refusal(listener) == "is taken by another program"
    assert ports.port_refusal(0) is None
    ports.require_free(0)
    with pytest.raises(Unavailable, match=rf"^Port {listener} is taken by another program; .* `ebb up --port N`\.$"):
        ports.require_free(listener)
