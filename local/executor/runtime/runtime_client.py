"""Stands in for `runtime_client`, the native half of AWS's runtime client: the same four calls in plain Python.

`awslambdaric` imports it by this name, and everything else of it stays as it is. One connection is kept; an answer
and the question for the next invocation leave in one piece, so that an invocation costs one write and one read.
Here nothing but the standard library can be counted on: the module runs on the path of whatever function it serves.

As with the native one, a refused answer is an error, which ends the process; it is found by the `next` that follows.
"""

import os
import socket

_PREFIX = "/2018-06-01/runtime/invocation/"
_END = b"\r\n\r\n"
# A freed block of 64 KiB has glibc consolidate its heap each time; events seldom have more than 4 KiB.
_PIECE = 16_384
_HEADERS = {
    name.lower().encode(): name
    for name in (
        "Content-Type",
        "Lambda-Runtime-Aws-Request-Id",
        "Lambda-Runtime-Aws-Tenant-Id",
        "Lambda-Runtime-Client-Context",
        "Lambda-Runtime-Cognito-Identity",
        "Lambda-Runtime-Deadline-Ms",
        "Lambda-Runtime-Invocation-Id",
        "Lambda-Runtime-Invoked-Function-Arn",
        "Lambda-Runtime-Trace-Id",
    )
}
_DEADLINE = "Lambda-Runtime-Deadline-Ms"
Headers = dict[str, str | int | None]


class RuntimeClient:
    """One connection to the Runtime API.

    Args:
        address: host and port of the API, as AWS_LAMBDA_RUNTIME_API says them.
    """

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self.address = host, int(port)
        self.host = f"Host: {address}\r\n".encode()
        self.question = f"GET {_PREFIX}next HTTP/1.1\r\n".encode() + self.host + b"\r\n"
        self.socket: socket.socket | None = None
        self.unread = b""
        self.answered = False

    def next(self) -> tuple[bytes, Headers]:
        """Wait for the next invocation and return its event and headers.

        Raises:
            RuntimeError: the answer before it was refused, or there is no next invocation.
            OSError: the API cannot be reached.
        """
        if self.answered:
            status, _, _ = self._read()
            if status // 100 != 2:  # noqa: PLR2004
                raise RuntimeError(f"Failed to post invocation response: the Runtime API said {status}")
        else:
            self._send(self.question)
        self.answered = False
        status, lines, event = self._read()
        if status != 200:  # noqa: PLR2004
            raise RuntimeError(f"Failed to get next: the Runtime API said {status}")
        return event, _known(lines)

    def post(self, path: str, body: bytes, headers: str) -> None:
        """Send the end of an invocation, and with it the question for the next one.

        Raises:
            OSError: the connection is lost.
        """
        head = f"POST {_PREFIX}{path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n{headers}".encode()
        self._send(b"".join((head, self.host, b"\r\n", body, self.question)))
        self.answered = True

    def _send(self, data: bytes) -> None:
        if self.socket is None:
            self.socket = socket.create_connection(self.address)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(data)

    def _receive(self) -> bytes:
        if self.socket is None or not (data := self.socket.recv(_PIECE)):
            raise RuntimeError("Failed to get next: the Runtime API closed the connection")
        return data

    def _read(self) -> tuple[int, list[bytes], bytes]:
        """Return status, header lines and body of one response; what follows stays unread."""
        data = self.unread
        while (end := data.find(_END)) < 0:
            data += self._receive()
        first, *lines = data[:end].split(b"\r\n")
        start = end + len(_END)
        stop = start + _length(lines)
        if len(data) < stop:
            pieces = [data]
            left = stop - len(data)
            while left > 0:
                pieces.append(self._receive())
                left -= len(pieces[-1])
            data = b"".join(pieces)
        self.unread = data[stop:]
        return int(first.split(b" ", 2)[1]), lines, data[start:stop]


def _length(lines: list[bytes]) -> int:
    """Return the length that a response says; the API here always says one."""
    for line in lines:
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    return 0


def _known(lines: list[bytes]) -> Headers:
    """Return the headers that the runtime client asks for, by the names it asks with; None for what is not there."""
    found: Headers = dict.fromkeys(_HEADERS.values())
    for line in lines:
        name, _, value = line.partition(b":")
        known = _HEADERS.get(name.lower())
        if known is not None:
            found[known] = value.strip().decode("utf-8") or None
    deadline = found[_DEADLINE]
    if deadline is not None:
        found[_DEADLINE] = int(deadline)
    return found


_CLIENTS: list[RuntimeClient] = []


def _client() -> RuntimeClient:
    if not _CLIENTS:
        raise RuntimeError("Client not yet initialized")
    return _CLIENTS[0]


def initialize_client(user_agent: str) -> None:
    """Get ready for the API that AWS_LAMBDA_RUNTIME_API names; the connection is made with the first call.

    Args:
        user_agent: what the native client says in each request; the API here does not ask.
    """
    del user_agent
    _CLIENTS[:] = [RuntimeClient(os.environ.get("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"))]


def next() -> tuple[bytes, Headers]:  # noqa: A001
    """Wait for the next invocation; see `RuntimeClient.next`."""
    return _client().next()


def post_invocation_result(
    request_id: str, response: bytes, content_type: str, invocation_id: str | None = None
) -> None:
    """Post what the function answered.

    Raises:
        RuntimeError: the client is not initialized.
        OSError: the connection is lost.
    """
    _client().post(f"{request_id}/response", response, _headers(content_type, invocation_id))


def post_error(request_id: str, document: str, xray_fault: str, invocation_id: str | None = None) -> None:
    """Post why the function failed, with its fault for X-Ray.

    Raises:
        RuntimeError: the client is not initialized.
        OSError: the connection is lost.
    """
    headers = _headers("application/json", invocation_id)
    if xray_fault:
        headers += f"Lambda-Runtime-Function-XRay-Error-Cause: {xray_fault}\r\n"
    _client().post(f"{request_id}/error", document.encode(), headers)


def _headers(content_type: str, invocation_id: str | None) -> str:
    kind = f"Content-Type: {content_type}\r\n"
    return f"{kind}Lambda-Runtime-Invocation-Id: {invocation_id}\r\n" if invocation_id else kind
