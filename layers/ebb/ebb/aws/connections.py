"""Kept-alive connections of HTTP/1.1, by the standard library's own client."""

import select
import ssl
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse, HTTPSConnection
from threading import Lock
from urllib.parse import urlsplit
from weakref import finalize

_MOST_IDLE = 4
_CHUNK = 1 << 16
_MOST_BYTES = 1 << 29


class Connections:
    """Lends connections, each to one thread at a time.

    Args:
        tls: of encrypted ones.
        clock: monotonic seconds.
    """

    def __init__(self, tls: ssl.SSLContext, clock: Callable[[], float]) -> None:
        self._tls, self._clock = tls, clock
        self._idle: dict[str, list[HTTPConnection]] = {}
        self._lock = Lock()
        finalize(self, _close_all, self._idle)

    def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, step: float, deadline: float
    ) -> tuple[int, HTTPMessage, bytes]:
        """Send a request and return status, headers and body of the answer.

        Args:
            method: in capitals.
            url: whole.
            headers: all but those of the protocol.
            body: empty for none.
            step: seconds for each wait.
            deadline: a moment of the clock; an answer that trickles is given up then, however lively it is.

        Raises:
            HTTPException, OSError: no whole answer came in time.
        """
        scheme, host, path, asked, _ = urlsplit(url)
        where = f"{scheme}://{host}"
        connection = self._taken(where) or self._made(scheme, host)
        connection.timeout = step
        if connection.sock is not None:
            connection.sock.settimeout(step)
        try:
            connection.request(method, f"{path}?{asked}" if asked else path, body or None, dict(headers))
            answer = connection.getresponse()
            content = self._whole(answer, deadline)
        except BaseException:
            connection.close()  # what is left of the answer must not answer somebody else
            raise
        if answer.will_close:
            connection.close()
        else:
            self._keep(where, connection)
        return answer.status, answer.headers, content

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            _close_all(self._idle)

    def _whole(self, answer: HTTPResponse, deadline: float) -> bytes:
        parts, size = [], 0
        while part := answer.read1(_CHUNK):
            parts.append(part)
            size += len(part)
            if size > _MOST_BYTES:
                raise HTTPException
            if self._clock() > deadline:
                raise TimeoutError
        if answer.length:
            raise ConnectionResetError
        return b"".join(parts)

    def _made(self, scheme: str, host: str) -> HTTPConnection:
        return HTTPSConnection(host, context=self._tls) if scheme == "https" else HTTPConnection(host)

    def _taken(self, where: str) -> HTTPConnection | None:
        """Return an idle connection that the other side has not ended: on Lambda, hours may have gone by."""
        while True:
            with self._lock:
                idle = self._idle.get(where)
                if not idle:
                    return None
                connection = idle.pop()
            if connection.sock is not None and not _stirs(connection):
                return connection
            connection.close()

    def _keep(self, where: str, connection: HTTPConnection) -> None:
        with self._lock:
            idle = self._idle.setdefault(where, [])
            if len(idle) < _MOST_IDLE:
                idle.append(connection)
                return
        connection.close()


def _close_all(idle: dict[str, list[HTTPConnection]]) -> None:
    for connections in idle.values():
        while connections:
            connections.pop().close()


def _stirs(connection: HTTPConnection) -> bool:
    """Tell whether something lies there though nothing was asked: mostly the end."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))
