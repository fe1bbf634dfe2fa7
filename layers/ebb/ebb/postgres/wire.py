"""The socket under a connection to Postgres."""

import select
import socket
import ssl
import struct
from contextlib import suppress
from typing import IO, Any

from pg8000.exceptions import InterfaceError

_TLS_WANTED = struct.pack("!ii", 8, 80_877_103)
"""SSLRequest, in the protocol's own words (PostgreSQL, 54.7)."""

_NOT_FOR_US = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Wire:
    """A socket that closes the files made of it: pg8000 leaves its own open when a connection breaks."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._files: list[IO[Any]] = []
        self._stirred = False
        self._poll = select.poll()
        self._poll.register(connected.fileno(), select.POLLIN)

    def settimeout(self, seconds: float) -> None:
        """Limit each wait from now on."""
        self._socket.settimeout(seconds)

    def makefile(self, *args: Any, **kwargs: Any) -> Any:
        """Make a file of the socket, and remember it."""
        file: IO[Any] = self._socket.makefile(*args, **kwargs)
        self._files.append(file)
        return file

    def stirs(self) -> bool:
        """Tell whether there is something to read; where nothing was asked that is mostly the connection's end.

        Looking inside the encryption takes a byte away, so what stirred once is not to be read from any more.
        """
        if not self._stirred and self._poll.poll(0):
            self._stirred = not isinstance(self._socket, ssl.SSLSocket) or _spoken(self._socket)
        return self._stirred

    def close(self) -> None:
        """Close the socket, once its files are closed too."""
        self._socket.close()

    def end(self) -> None:
        """Close everything, whatever state it is in."""
        for file in self._files:
            with suppress(OSError, ValueError):
                file.close()
        self.close()


def connect(host: str, port: int, seconds: float, tls: ssl.SSLContext | None) -> Wire:
    """Return an open wire, encrypted where `tls` is given: then the server's certificate and name are verified.

    Args:
        host: of the server.
        port: of the server.
        seconds: for each step.
        tls: verifies; None for a plain connection.

    Raises:
        OSError: nobody answers, or the certificate is not to be trusted.
        InterfaceError: the server speaks no TLS; nothing is sent to it then.
    """
    plain = socket.create_connection((host, port), seconds)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is None:
            return Wire(plain)
        plain.sendall(_TLS_WANTED)
        _require_willing(plain.recv(1))
        return Wire(tls.wrap_socket(plain, server_hostname=host))
    except BaseException:
        plain.close()
        raise


def _require_willing(answer: bytes) -> None:
    if answer != b"S":
        raise InterfaceError("the server speaks no TLS")


def _spoken(secure: ssl.SSLSocket) -> bool:
    """Tell whether something was said inside the encryption, or the connection ended; a ticket of TLS is neither."""
    before = secure.gettimeout()
    secure.settimeout(0)
    try:
        secure.recv(1)
    except _NOT_FOR_US:
        return False
    except OSError:
        return True
    finally:
        secure.settimeout(before)
    return True
