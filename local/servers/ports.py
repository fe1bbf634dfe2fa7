"""TCP ports of the loopback address: find a free one, ask whether one is taken or answers."""

import socket

from ebb.errors import Unavailable

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Return a loopback port that nothing uses now.

    Between this answer and its use another process may take the port, so whoever starts a server on it tries again.
    """
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Say whether this process could listen on a loopback port now."""
    return port_refusal(port) is None


def port_refusal(port: int) -> str | None:
    """Return why this process cannot listen on a loopback port, as the end of a sentence; None when it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OverflowError:
            return "is none: ports go from 0 to 65535"
        except PermissionError:
            return "may be used by root only"
        except OSError:
            return "is taken by another program"
    return None


def require_free(port: int) -> None:
    """Let a command that will listen on a port fail before it does anything else.

    Raises:
        Unavailable: this process cannot listen there; the sentence names the port, why, and what to do.
    """
    refusal = port_refusal(port)
    if refusal is not None:
        raise Unavailable(f"Port {port} {refusal}; free it, or name another with `ebb up --port N`.")


def is_listening(port: int, timeout_seconds: float = 0.5) -> bool:
    """Say whether a loopback port accepts connections."""
    with socket.socket() as probe:
        probe.settimeout(timeout_seconds)
        if probe.connect_ex((LOOPBACK, port)) != 0:
            return False
        try:
            # The kernel may pick the probed port as our own end: then we have connected to ourselves.
            return bool(probe.getsockname() != probe.getpeername())
        except OSError:
            return False
