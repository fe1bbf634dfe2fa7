"""Raw bytes against the gateway: no smuggling, nothing unbounded, no request that means two things."""

import pytest

from local.gateway.reply import Malformed, read
from tests.security.conftest import Gate, request

SMUGGLED = b"0\r\n\r\n" + request("GET /closed", "x-smuggled: yes")


@pytest.mark.parametrize(
    "headers",
    [
        ("content-length: 5", "transfer-encoding: chunked"),
        ("transfer-encoding: chunked", "content-length: 5"),
        ("content-length: 5", "content-length: 50"),
        ("content-length: 5", "content-length: 5"),
        ("content-length: 5, 5",),
        ("content-length: +5",),
        ("content-length: -5",),
        ("content-length: 0x5",),
        ("content-length: 5_0",),
        ("content-length: ",),
        ("content-length : 5",),
        ("content-length:\r\n 5",),
        ("content-length: 99999999999999999999999",),
        ("transfer-encoding: xchunked",),
        ("transfer-encoding: chunked, identity",),
        ("transfer-encoding: \x0bchunked",),
        ("transfer-encoding: chunked", "transfer-encoding: identity"),
    ],
)
def test_a_body_has_one_length_or_none(gate: Gate, headers: tuple[str, ...]) -> None:
    assert gate.send(request("POST /open", *headers, body=SMUGGLED)) == [400]
    assert not gate.teller.events


@pytest.mark.parametrize("size", [b"0x2", b"-2", b"10000000000000002", b"2 ", b"", b"zz"])
def test_a_chunk_has_one_size(gate: Gate, size: bytes) -> None:
    body = size + b"\r\nab\r\n0\r\n\r\n"
    assert gate.send(request("POST /open", "transfer-encoding: chunked", body=body)) == [400]


@pytest.mark.parametrize(
    "raw",
    [
        request("GET /open", ends="\n"),
        request("GET /open", "x: a\r\n folded"),
        request("GET /open", "x: a\rb: c"),
        request("GET /open", "x: a\nb: c"),
        request("GET /open", "x: a\0b"),
        request("GET /open", "x: a\x7fb"),
        request("GET /open", "x\0: a"),
        request("GET /open", "no colon"),
        request("GET /open", "host: other"),
        request("GET /open\0"),
        request("GET /op en"),
        request("PUT /v1/features/\xc3\xa9", "content-length: 0"),
        b"GET /open HTTP/1.1\r\n\r\n",
        b"GET /open\r\n\r\n",
        b"GET /open HTTP/9.9\r\nhost: h\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_clean_request_is_refused(gate: Gate, raw: bytes) -> None:
    assert gate.send(raw) == [400]
    assert not gate.teller.events


def test_a_trailer_never_becomes_a_header(gate: Gate) -> None:
    trailer = b"2\r\nab\r\n0\r\nx-forwarded-for: 10.0.0.1\r\nhost: evil\r\nauthorization: Bearer x\r\n\r\n"
    assert gate.send(request("POST /open", "transfer-encoding: chunked", body=trailer)) == [200]
    event = gate.told()
    assert event["body"] == "ab"
    assert event["headers"]["host"] == "h"
    assert event["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert "authorization" not in event["headers"]


@pytest.mark.parametrize(
    "raw",
    [
        request("GET /" + "a" * 20_000),
        request("GET /open?" + "a=&" * 7_000),
        request("GET /open", "x: " + "a" * 20_000),
        request("GET /open", "x" * 20_000 + ": a"),
        request("GET /open", *(f"x{number}: 1" for number in range(5_000))),
    ],
)
def test_heads_are_bounded(gate: Gate, raw: bytes) -> None:
    assert gate.send(raw) in ([431], [])
    assert not gate.teller.events


@pytest.mark.parametrize(
    ("target", "status", "path", "query"),
    [
        ("http://evil/open?a=b", 200, "/open", "a=b"),
        ("http://user@evil:1/open", 200, "/open", ""),
        ("http://evil?x=/open", 404, "", ""),
        ("http://evil", 404, "", ""),
        ("*", 404, "", ""),
        ("//open", 404, "", ""),
        ("/x/../open", 404, "", ""),
        ("/./open", 404, "", ""),
        ("/%6fpen", 404, "", ""),
        ("/open%00", 404, "", ""),
        ("/open/", 404, "", ""),
        ("/open#x", 404, "", ""),
        ("/OPEN", 404, "", ""),
    ],
)
def test_a_target_finds_exactly_its_route(gate: Gate, target: str, status: int, path: str, query: str) -> None:
    assert gate.send(request(f"GET {target}")) == [status]
    if status == 200:
        assert (gate.told()["rawPath"], gate.told()["rawQueryString"]) == (path, query)


@pytest.mark.parametrize(
    ("raw", "decoded"),
    [("a%2fb", "a/b"), ("..", ".."), ("%2e%2e%2f", "../"), ("a%00b", "a\0b"), ("%zz%2", "%zz%2"), ("a+b", "a+b")],
)
def test_a_parameter_is_one_segment_decoded_once(gate: Gate, raw: str, decoded: str) -> None:
    assert gate.send(request(f"PUT /v1/features/{raw}", "content-length: 0")) == [200]
    assert gate.told()["pathParameters"] == {"entity_id": decoded}


def test_a_body_is_never_taken_for_the_next_request(gate: Gate) -> None:
    inner = request("GET /closed")
    outer = request("GET /open", f"content-length: {len(inner)}", body=inner)
    assert gate.send(outer + request("GET /open")) == [200, 200]
    assert gate.teller.events[0]["body"] == inner.decode()


def test_after_an_upgrade_nothing_more_is_heard(gate: Gate) -> None:
    upgrade = request("GET /open", "connection: upgrade", "upgrade: h2c")
    assert gate.send(upgrade + request("GET /open")) == [200]


@pytest.mark.parametrize(
    "answer",
    [
        b'{"statusCode":200,"body":"\xc3\xa9","isBase64Encoded":true}',
        b'{"statusCode":200,"headers":{"a":"b\\r\\nset-cookie: c"}}',
        b'{"statusCode":200,"headers":{"a\\r\\nb":"c"}}',
        b'{"statusCode":200,"headers":[["a","b"]]}',
        b'{"statusCode":101}',
        b'{"statusCode":"200"}',
        b"\xff\xfe",
        b"[" * 2_000,
        b"",
    ],
)
def test_garbage_from_a_function_is_a_500_and_never_silence(gate: Gate, answer: bytes) -> None:
    with pytest.raises(Malformed):  # whatever else it raised would leave the caller waiting
        read(answer, "id")
    gate.teller.answer = answer
    assert gate.send(request("GET /open"))[0] == 500
