"""Two doors, one function: the direct door and FastAPI answer alike, whatever is asked."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mangum import Mangum

from ebb.http.doors import answer, dispatch
from ebb.plans import Plan
from lambdas.predict.api import _Gateway, make_api, make_door, routes_of
from tests.fakes.contracts import ROW
from tests.fakes.events import event
from tests.fakes.predicting import World

ONE, BATCH = "POST /v1/predictions", "POST /v1/predictions/batch"
REQUESTS = 2_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("doors"))
    made.hold()
    made.ok({"entity_id": "e-1"})  # from now on both doors find it in the fast tier
    return made


@pytest.fixture(scope="module")
def fastapi_door(world: World) -> Iterator[Any]:
    yield make_door(world.service)
    asyncio.get_event_loop().close()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
items = st.fixed_dictionaries(
    {"entity_id": st.sampled_from(["e-1", "e-1", "nobody", "", 3])},
    optional={"features": st.dictionaries(st.sampled_from([*ROW, "other"]), json_values, max_size=3) | json_values},
)
explained = {"explain": st.sampled_from([True, False, "x"])}
batches = st.fixed_dictionaries(
    {"entities": st.lists(items | json_values, max_size=4)}, optional={**explained, "more": json_values}
)
documents = items | st.builds(lambda item, rest: {**item, **rest}, items, st.fixed_dictionaries({}, optional=explained))
bodies = (
    documents.map(orjson.dumps) | batches.map(orjson.dumps) | json_values.map(orjson.dumps) | st.binary(max_size=40)
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from(["text/plain", "application/json;charset=utf-8", "", "application/xml", "\x00"])
        | st.text(max_size=20),
        "ebb-purpose": st.sampled_from(["win-back", "A B"]) | st.text(max_size=5),
        "ebb-request-id": st.sampled_from(["r-1", "!"]),
        "host": st.sampled_from(["a:b:c", ""]) | st.text(max_size=5),
        "x-forwarded-port": st.text(max_size=3),
        "accept": st.text(max_size=5),
    },
)
changes = st.sampled_from(
    [
        *[lambda made: made] * 12,  # most are as the gateway makes them
        lambda made: {**made, "isBase64Encoded": not made["isBase64Encoded"]},
        lambda made: {**made, "body": b64encode(made["body"].encode()).decode(), "isBase64Encoded": True},
        lambda made: {**made, "headers": None},
        lambda made: {key: value for key, value in made.items() if key not in {"headers", "pathParameters", "body"}},
        lambda made: {**made, "requestContext": {**made["requestContext"], "authorizer": {}}},
        lambda made: {**made, "requestContext": {**made["requestContext"], "authorizer": {"jwt": {"claims": {}}}}},
        lambda made: {**made, "requestContext": {**made["requestContext"], "authorizer": {"lambda": {}}}},
        lambda made: {**made, "rawPath": "/elsewhere", "rawQueryString": "a=%ff&b", "cookies": ["c=1"]},
    ]
)


@settings(
    max_examples=REQUESTS, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from([ONE, ONE, BATCH]),
    bodies,
    headers,
    changes,
    st.sampled_from(["predict", "predict explain", "predict explain", "", "[predict]"]),
)
def test_both_doors_answer_alike(
    world: World, fastapi_door: Any, route: str, body: bytes, sent: dict[str, str], change: Any, scope: str
) -> None:
    made = change(event(route, body, scope=scope, headers=sent))
    direct = world.service.predict if route == ONE else world.service.predict_batch
    assert fastapi_door(made, None) == answer(made, direct, world.service.report).payload()


def test_what_is_generated_is_answered_in_every_way(world: World) -> None:
    """The property above would also hold of nothing but refusals."""
    seen: set[int] = set()

    @settings(max_examples=500, deadline=None, derandomize=True, database=None)
    @given(st.sampled_from([ONE, BATCH]), bodies, headers, changes, st.sampled_from(["predict explain", ""]))
    def look(route: str, body: bytes, sent: dict[str, str], change: Any, scope: str) -> None:
        direct = world.service.predict if route == ONE else world.service.predict_batch
        made = change(event(route, body, scope=scope, headers=sent))
        seen.add(answer(made, direct, world.service.report).status)

    look()
    assert {200, 400, 403, 404, 415, 422} <= seen
    assert max(seen) < 500


@pytest.mark.parametrize("key", ["GET /v1/health", "GET /v1/releases", "GET /openapi.json", "GET /nowhere", "$default"])
@pytest.mark.parametrize("scope", ["predict", ""])
def test_every_other_route_answers_alike_too(world: World, fastapi_door: Any, key: str, scope: str) -> None:
    made = {**event("GET /x", scope=scope), "routeKey": key}
    through = fastapi_door(made, None)
    direct = dispatch(made, routes_of(world.service), world.service.report).payload()
    assert through == direct
    assert through["headers"]["x-correlation-id"] == "request-1"


@pytest.mark.parametrize(
    "made",
    [
        {},
        {"routeKey": ONE},
        {"routeKey": ONE, "requestContext": None},
        {"routeKey": ONE, "requestContext": {}, "body": 3},
        {"routeKey": 3},
        {"routeKey": "POST"},
        {"routeKey": "POST /v1/predictions extra"},
        {"routeKey": "\u00e9 /\u0000"},
    ],
)
def test_an_odd_event_is_a_problem_with_a_correlation_id(fastapi_door: Any, made: dict[str, Any]) -> None:
    answered = fastapi_door(made, None)
    assert answered["statusCode"] in {400, 404}
    assert json.loads(answered["body"])["correlation_id"] == answered["headers"]["x-correlation-id"] != ""


def test_what_breaks_inside_a_route_is_alike_too(
    world: World, fastapi_door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_item: object) -> None:
        raise RuntimeError("Ada Lovelace")

    monkeypatch.setattr("lambdas.predict.service.read_one", broken)
    made = event(ONE, b'{"entity_id": "e-1"}')
    through = fastapi_door(made, None)
    assert through == answer(made, world.service.predict, world.service.report).payload()
    assert through["statusCode"] == 500
    assert "Ada" not in through["body"]


def test_what_waits_is_told_alike(tmp_path: Path, fastapi_door: Any) -> None:
    assert fastapi_door is not None, "its event loop is there already"
    limited, waiting = World(tmp_path / "a", plan=Plan(0.01, 0)), World(tmp_path / "b", release=False)
    limited.fast.away = True  # now the limiter in the process decides
    limited.call({"entity_id": "e-1", "features": ROW})
    made = event(ONE, orjson.dumps({"entity_id": "e-1", "features": ROW}))
    for world, status, names in (
        (limited, 429, {"retry-after", "ratelimit", "ratelimit-policy"}),
        (waiting, 503, {"retry-after"}),
    ):
        door: Any = Mangum(make_api(world.service), lifespan="off", custom_handlers=[_Gateway])
        through = door(made, None)
        assert through == answer(made, world.service.predict, world.service.report).payload()
        assert through["statusCode"] == status
        assert names <= through["headers"].keys()


def test_other_routes_go_through_fastapi(fastapi_door: Any) -> None:
    health = fastapi_door(event("GET /v1/health"), None)
    assert (health["statusCode"], json.loads(health["body"])["status"]) == (200, "ok")
    releases = fastapi_door(event("GET /v1/releases"), None)
    assert json.loads(releases["body"])["champion"]["release"].startswith("tiny/")
    assert fastapi_door(event("GET /v1/releases", scope=""), None)["statusCode"] == 403


def test_what_is_no_text_travels_as_base64(fastapi_door: Any) -> None:
    icon = fastapi_door(event("GET /docs/{asset}", path={"asset": "favicon-32x32.png"}), None)
    assert icon["isBase64Encoded"]
    assert b64decode(icon["body"]).startswith(b"\x89PNG")
