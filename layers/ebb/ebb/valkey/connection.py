"""A connection that the client library makes, within a time of ours."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket
from typing import Any

import redis
from redis.connection import Connection
from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError

from ebb.errors import Unavailable
from ebb.login import Login, Logins
from ebb.valkey.address import ValkeyAddress
from ebb.valkey.refusal import FAILURES, unavailable

LEAST_SECONDS = 0.0005
"""None at all would mean without a limit."""


class _Newest(CredentialProvider):  # type: ignore[misc] # the library is untyped here
    """Answers the client library with the newest login, and remembers which one it was."""

    def __init__(self, logins: Logins) -> None:
        self._logins = logins
        self._used: Login | None = None

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Return username and password, or the password alone.

        Raises:
            AuthenticationError: nobody knows them yet.
        """
        try:
            login = self._used = self._logins.login()
        except Unavailable as error:
            raise AuthenticationError(str(error)) from None
        return (login.username, login.password) if login.username else (login.password,)

    def refused(self) -> None:
        """Report that the server took the last one for none."""
        if self._used is not None:
            self._logins.refused(self._used)


class TimedConnection(Connection):  # type: ignore[misc] # the library is untyped here
    """A connection whose connect, handshake and login together end within `seconds`; the library never retries it."""

    def __init__(self, address: ValkeyAddress, seconds: float, **options: Any) -> None:
        self._address, self._newest = address, _Newest(address.logins) if address.logins else None
        fixed = {"username": address.username, "password": address.password}
        who = {"credential_provider": self._newest} if self._newest else fixed
        settings = {"protocol": 2, "driver_info": None, **who}
        limits = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
        super().__init__(address.host, address.port, **{**settings, **limits, **options})

    def _connect(self) -> socket:
        deadline = time.monotonic() + self.socket_timeout
        plain: socket = super()._connect()
        plain.settimeout(max(deadline - time.monotonic(), LEAST_SECONDS))
        if self._address.tls is None:
            return plain
        try:
            secure = self._address.tls.wrap_socket(plain, server_hostname=self._address.host)
        except BaseException:
            plain.close()
            raise
        secure.settimeout(max(deadline - time.monotonic(), LEAST_SECONDS))
        return secure

    def on_connect_check_health(self, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - the library's own
        """Log in with what is left of the time; then each read has all of it again."""
        super().on_connect_check_health(check_health)
        self._sock.settimeout(self.socket_timeout)

    def can_read(self, timeout: float = 0) -> bool:
        """Tell whether something was said that nobody asked for, or the connection ended.

        The pool asks before it lends, and would take the tickets that TLS sends after its handshake for a reply.
        """
        if not super().can_read(timeout):
            return False
        if self._address.tls is None:
            return True
        self._sock.settimeout(0.0)
        try:
            self._sock.recv(1)  # the pool gives the connection up, whatever it was
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return False
        except OSError:
            return True
        finally:
            self._sock.settimeout(self.socket_timeout)
        return True

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Read a reply; a connection whose login does not count (any more) is not used again."""
        try:
            return super().read_response(*args, **options)
        except AuthenticationError:
            self.refused()
            self.disconnect()
            raise

    def refused(self) -> None:
        """Report that the server refused the login."""
        if self._newest is not None:
            self._newest.refused()


def make_client(address: ValkeyAddress, seconds: float) -> redis.Redis:
    """Return a client of one server, for whatever does not stand on the way of a prediction.

    Args:
        address: of the server.
        seconds: for a connection, and for an answer.
    """
    pool = redis.ConnectionPool(connection_class=TimedConnection, address=address, seconds=seconds, protocol=2)
    return redis.Redis(connection_pool=pool)


@contextmanager
def named() -> Iterator[None]:
    """Turn what the client library raises into Ebb's own words.

    Raises:
        Unavailable: the server does not answer, or refuses.
    """
    try:
        yield
    except FAILURES as error:
        raise unavailable(error) from None
