"""The stand-in for AWS's native runtime client, on a socket whose other end the test holds."""

import socket
from collections.abc import Iterator
from threading import Thread

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.executor.runtime import runtime_client
from local.executor.runtime.runtime_client import RuntimeClient

ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
HEADERS = (
    b"Content-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: id\r\nlambda-runtime-deadline-ms: 1700\r\n"
    b"Lambda-Runtime-Invoked-Function-Arn: arn:aws:x\r\nX-Other: 1\r\nLambda-Runtime-Trace-Id:  Root=1 \r\n"
)
KNOWN = {
    "Content-Type": "application/json",
    "Lambda-Runtime-Aws-Request-Id": "id",
    "Lambda-Runtime-Aws-Tenant-Id": None,
    "Lambda-Runtime-Client-Context": None,
    "Lambda-Runtime-Cognito-Identity": None,
    "Lambda-Runtime-Deadline-Ms": 1700,
    "Lambda-Runtime-Invocation-Id": None,
    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:x",
    "Lambda-Runtime-Trace-Id": "Root=1",
}


def invocation(event: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + HEADERS + b"Content-Length: %d\r\n\r\n" % len(event) + event


class Heard:
    """The requests in some bytes, as another parser reads them."""

    def __init__(self, data: bytes) -> None:
        self.requests: list[tuple[bytes, bytes, dict[bytes, bytes], bytes]] = []
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.headers: dict[bytes, bytes] = {}
        self.body = b""

    def on_url(self, url: bytes) -> None:
        self.url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.requests.append((self.parser.get_method(), self.url, self.headers, self.body))


class Wired:
    """A client and the other end of its connection."""

    def __init__(self) -> None:
        self.client = RuntimeClient("127.0.0.1:9001")
        self.client.socket, self.other = socket.socketpair()
        self.client.socket.settimeout(10)
        self.other.settimeout(10)

    def close(self) -> None:
        assert self.client.socket is not None
        self.client.socket.close()
        self.other.close()


@pytest.fixture
def wired() -> Iterator[Wired]:
    """Return a client on a socket pair."""
    both = Wired()
    yield both
    both.close()


def test_the_first_question_is_answered_with_event_and_headers(wired: Wired) -> None:
    wired.other.sendall(invocation(b'{"a": 1}'))
    assert wired.client.next() == (b'{"a": 1}', KNOWN)
    (method, url, headers, body) = Heard(wired.other.recv(65_536)).requests[0]
    assert (method, url, body) == (b"GET", b"/2018-06-01/runtime/invocation/next", b"")
    assert headers == {b"host": b"127.0.0.1:9001"}


def test_an_answer_leaves_with_the_next_question_and_no_other_is_asked(wired: Wired) -> None:
    wired.client.post("id/response", b"[1]", "Content-Type: application/json\r\n")
    wired.other.sendall(ACCEPTED + invocation(b"2"))
    assert wired.client.next()[0] == b"2"
    answer, question = Heard(wired.other.recv(65_536)).requests
    assert answer[:2] == (b"POST", b"/2018-06-01/runtime/invocation/id/response")
    assert answer[3] == b"[1]"
    assert answer[2][b"content-type"] == b"application/json"
    assert question[:2] == (b"GET", b"/2018-06-01/runtime/invocation/next")


@pytest.mark.parametrize("status", [b"400 Bad Request", b"413 Request Entity Too Large", b"500 Internal Server Error"])
def test_a_refused_answer_is_an_error(wired: Wired, status: bytes) -> None:
    wired.client.post("id/response", b"{}", "")
    wired.other.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n{}")
    with pytest.raises(RuntimeError, match=f"Failed to post invocation response.* {status[:3].decode()}"):
        wired.client.next()


def test_a_refused_question_is_an_error(wired: Wired) -> None:
    wired.other.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(RuntimeError, match=r"Failed to get next.* 403"):
        wired.client.next()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200", invocation(b"0123456789")[:-1]])
def test_a_connection_that_ends_early_is_an_error(wired: Wired, said: bytes) -> None:
    wired.other.sendall(said)
    wired.other.shutdown(socket.SHUT_WR)
    with pytest.raises(RuntimeError, match="closed the connection"):
        wired.client.next()


@given(events=st.lists(st.binary(max_size=300), min_size=1, max_size=4), cut=st.integers(1, 400))
def test_pieces_of_any_size_make_the_same_events(events: list[bytes], cut: int) -> None:
    said = b"".join(ACCEPTED + invocation(event) for event in events)
    pieces = iter([said[start : start + cut] for start in range(0, len(said), cut)])
    wired = Wired()
    wired.client._receive = lambda: next(pieces)  # type: ignore[method-assign]
    try:
        for event in events:
            wired.client.post("id/response", b"", "")
            assert wired.client.next() == (event, KNOWN)
        assert wired.client.unread == b""
    finally:
        wired.close()


def test_six_megabytes_pass_both_ways(wired: Wired) -> None:
    large = b"x" * 6 * 1024 * 1024

    def other() -> None:
        heard = b""
        while not heard.endswith(b"next HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\r\n"):
            heard = heard[-64:] + wired.other.recv(1 << 20)
        wired.other.sendall(ACCEPTED + invocation(large))

    thread = Thread(target=other)
    thread.start()
    wired.client.post("id/response", large, "")
    event, _ = wired.client.next()
    thread.join(10)
    assert event == large


@pytest.fixture
def module_client(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> Wired:
    """Make the module's calls use a client on a socket pair."""
    monkeypatch.setattr(runtime_client, "_CLIENTS", [wired.client])
    return wired


def test_the_modules_calls_are_those_of_the_native_one(module_client: Wired) -> None:
    module_client.other.sendall(invocation(b"1") + ACCEPTED + invocation(b"2"))
    assert runtime_client.next()[0] == b"1"
    runtime_client.post_invocation_result("id-1", b"[]", "application/json", None)
    assert runtime_client.next()[0] == b"2"
    runtime_client.post_error("id-2", '{"errorType": "T\u00e9"}', '{"paths": []}', "an-invocation")
    requests = Heard(module_client.other.recv(65_536)).requests
    assert [url.rpartition(b"invocation/")[2] for _, url, _, _ in requests] == [
        b"next",
        b"id-1/response",
        b"next",
        b"id-2/error",
        b"next",
    ]
    error = requests[3]
    assert error[3].decode() == '{"errorType": "T\u00e9"}'
    assert error[2][b"lambda-runtime-function-xray-error-cause"] == b'{"paths": []}'
    assert error[2][b"lambda-runtime-invocation-id"] == b"an-invocation"


def test_without_a_fault_no_fault_is_posted(module_client: Wired) -> None:
    runtime_client.post_error("id", "{}", "")
    headers = Heard(module_client.other.recv(65_536)).requests[0][2]
    assert set(headers) == {b"content-length", b"content-type", b"host"}


def test_the_client_must_be_initialized_and_reads_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_client, "_CLIENTS", [])
    with pytest.raises(RuntimeError, match="not yet initialized"):
        runtime_client.next()
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:5")
    runtime_client.initialize_client("agent")
    assert runtime_client._CLIENTS[0].address == ("127.0.0.1", 5)
