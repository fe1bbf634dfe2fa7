"""What a function's answer becomes, and the gateway's own bodies."""

import base64
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.gateway.refusals import MESSAGES, refusal
from local.gateway.reply import Malformed, read
from local.wire.answer import Answer, encode

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)


def reply(**answer: Any) -> Answer:
    return read(orjson.dumps(answer), "ID=")


def test_a_full_answer_is_taken_as_it_is() -> None:
    answer = reply(
        statusCode=201,
        headers={"Content-Type": "application/json", "X-Number": 3, "x-yes": True},
        cookies=["a=1; Secure", "b=2"],
        body='{"é": 1}',
    )
    assert answer.status == 201
    assert answer.body == '{"é": 1}'.encode()
    assert answer.headers.decode().split("\r\n") == [
        "content-type: application/json",
        "x-number: 3",
        "x-yes: true",
        "set-cookie: a=1; Secure",
        "set-cookie: b=2",
        "apigw-requestid: ID=",
        "",
    ]


@pytest.mark.parametrize("document", [b'{"a":1}', b"[1]", b'"text"', b"null", b"3"])
def test_anything_without_a_status_code_is_the_body_of_a_200(document: bytes) -> None:
    answer = read(document, "ID=")
    assert (answer.status, answer.body) == (200, document)
    assert answer.headers.startswith(b"content-type: application/json\r\n")


def test_text_without_a_content_type_is_plain() -> None:
    assert reply(statusCode=200, body="x").headers.startswith(b"content-type: text/plain;charset=utf-8\r\n")
    assert b"content-type" not in reply(statusCode=204).headers


def test_a_binary_body_is_decoded() -> None:
    body = bytes(range(256))
    assert reply(statusCode=200, body=base64.b64encode(body).decode(), isBase64Encoded=True).body == body


def test_framing_stays_the_gateways_own() -> None:
    answer = reply(statusCode=200, headers={"Content-Length": "7", "Connection": "close", "Date": "x"}, body="b")
    assert b"content-length" not in answer.headers
    assert b"connection" not in answer.headers


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b'{"statusCode": "200"}',
        b'{"statusCode": 99}',
        b'{"statusCode": 600}',
        b'{"statusCode": 101}',
        b'{"statusCode": true}',
        b'{"statusCode": 200.5}',
        b'{"statusCode": null}',
        b'{"statusCode": 200, "body": {"a": 1}}',
        b'{"statusCode": 200, "body": "%", "isBase64Encoded": true}',
        b'{"statusCode": 200, "headers": ["a"]}',
        b'{"statusCode": 200, "headers": {"a": ["b"]}}',
        b'{"statusCode": 200, "headers": {"a": "b\\r\\nset-cookie: c"}}',
        b'{"statusCode": 200, "headers": {"a b": "c"}}',
        b'{"statusCode": 200, "cookies": "a=1"}',
        b'{"statusCode": 200, "cookies": ["a\\nb"]}',
    ],
)
def test_a_malformed_answer_is_refused(document: bytes) -> None:
    with pytest.raises(Malformed):
        read(document, "ID=")


@given(
    answer=st.fixed_dictionaries(
        {"statusCode": st.integers(100, 700) | JSON_VALUES},
        optional={"headers": JSON_VALUES, "cookies": JSON_VALUES, "body": JSON_VALUES, "isBase64Encoded": JSON_VALUES},
    )
)
def test_every_answer_is_sendable_or_malformed(answer: dict[str, Any]) -> None:
    try:
        made = read(orjson.dumps(answer), "ID=")
    except Malformed:
        return
    wire = encode(made, keep_alive=True, head_only=False)
    head, _, body = wire.partition(b"\r\n\r\n")
    assert 200 <= made.status < 600
    assert all(b":" in line for line in head.split(b"\r\n")[1:])
    assert body == (b"" if made.status in {204, 304} else made.body)


GOLDEN_BODIES = {
    400: b'{"message":"Bad Request"}',
    401: b'{"message":"Unauthorized"}',
    403: b'{"message":"Forbidden"}',
    404: b'{"message":"Not Found"}',
    413: b'{"message":"Request Entity Too Large"}',
    429: b'{"message":"Too Many Requests"}',
    431: b'{"message":"Request Header Fields Too Large"}',
    500: b'{"message":"Internal Server Error"}',
    502: b'{"message":"Internal Server Error"}',
    503: b'{"message":"Service Unavailable"}',
}


def test_the_gateways_own_bodies_are_awss() -> None:
    assert {int(status): refusal(status, "ID=").body for status in MESSAGES} == GOLDEN_BODIES


def test_a_refusal_names_the_request_and_the_challenge() -> None:
    answer = refusal(401, "ID=", "Bearer")
    assert answer.headers == (b"content-type: application/json\r\napigw-requestid: ID=\r\nwww-authenticate: Bearer\r\n")


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_has_no_length(status: int) -> None:
    wire = encode(Answer(status, b"", b"ignored"), keep_alive=False, head_only=False)
    assert b"content-length" not in wire
    assert wire.endswith(b"connection: close\r\n\r\n")
