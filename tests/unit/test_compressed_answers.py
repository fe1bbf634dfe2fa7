"""A large batch leaves compressed where its caller takes that, through every door; nothing else does."""

import asyncio
from base64 import b64decode
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.http.compression import SMALLEST, compressed, takes_gzip
from ebb.http.doors import answer
from ebb.http.payload import in_one_format
from ebb.http.problems import Answer, ok
from lambdas.predict.api import make_door
from local.gateway.reply import read
from tests.fakes.events import event
from tests.fakes.predicting import World

GZIP = {"accept-encoding": "gzip, deflate"}
BATCH = "POST /v1/predictions/batch"


@pytest.mark.parametrize(
    "accepted",
    [
        "gzip",
        "gzip, deflate, br",
        "br;q=1.0, gzip;q=0.8",
        "*",
        "GZIP",
        "x-gzip",
        "deflate , gzip ; q=0.5",
        "br,*;q=0.1",
    ],
)
def test_who_takes_gzip(accepted: str) -> None:
    assert takes_gzip(accepted)


@pytest.mark.parametrize(
    "accepted",
    ["", "identity", "br", "gzip;q=0", "gzip;q=0.0, *", "*;q=0", "gzip;q=x", "gzip;p=1", "gzipped", ";q=1", ",,"],
)
def test_who_does_not(accepted: str) -> None:
    assert not takes_gzip(accepted)


@given(st.text())
def test_whatever_is_sent_there_is_read(accepted: str) -> None:
    assert takes_gzip(accepted) in {True, False}


@given(st.integers(0, 2 * SMALLEST))
def test_only_a_large_body_is_compressed_and_it_is_the_same_one(size: int) -> None:
    plain = ok("x" * size, "c-1")
    made = compressed(plain, GZIP)
    assert (made is plain) == (len(plain.body) < SMALLEST)
    assert compressed(plain, {}) is plain
    assert httpx.Response(200, headers=made.headers, content=made.body).json() == "x" * size
    assert made.status == 200
    assert made.headers.items() >= plain.headers.items()


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.hold()
    return world


def _asked(count: int, headers: dict[str, str]) -> dict[str, Any]:
    body = orjson.dumps({"entities": [{"entity_id": "e-1"}] * count})
    return event(BATCH, body, scope="predict", headers=headers)


def _direct(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    return answer(asked, world.service.predict_batch, world.service.report).payload()


def _fastapi(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        return make_door(world.service)(asked, None)
    finally:
        asyncio.get_event_loop().close()


@pytest.mark.parametrize("door", [_direct, _fastapi])
def test_a_large_batch_is_compressed_through_both_doors_and_the_gateway(world: World, door: Any) -> None:
    door(world, _asked(1, {}))  # from then on the same tier answers
    plain, packed = door(world, _asked(100, {})), door(world, _asked(100, GZIP))
    assert (plain["isBase64Encoded"], packed["isBase64Encoded"]) == (False, True)
    assert (packed["headers"]["content-encoding"], packed["headers"]["vary"]) == ("gzip", "accept-encoding")
    assert len(packed["body"]) < len(plain["body"]) / 5
    told = read(orjson.dumps(packed), "gateway-1")
    assert b"content-encoding: gzip\r\n" in told.headers
    response = httpx.Response(told.status, headers=packed["headers"], content=told.body)
    assert response.json() == orjson.loads(plain["body"])


@pytest.mark.parametrize("door", [_direct, _fastapi])
def test_a_small_batch_is_not(world: World, door: Any) -> None:
    told = door(world, _asked(2, GZIP))
    assert told["isBase64Encoded"] is False
    assert "content-encoding" not in told["headers"]
    assert len(orjson.loads(told["body"])["predictions"]) == 2


def test_a_rest_api_s_caller_is_heard_too_since_all_its_media_types_are_binary() -> None:
    sent = {
        "httpMethod": "POST",
        "resource": "/v1/predictions/batch",
        "headers": {"Accept-Encoding": "gzip"},
        "requestContext": {"requestId": "r"},
    }
    assert in_one_format(sent)["headers"]["accept-encoding"] == "gzip"


def test_an_answer_that_is_compressed_travels_as_base64() -> None:
    body = bytes(range(256))
    payload = Answer(200, body, {"content-encoding": "gzip"}).payload()
    assert (b64decode(payload["body"]), payload["isBase64Encoded"]) == (body, True)
