"""The same request as an HTTP API and as a REST API hands it on: one answer, over every route of both functions."""

import asyncio
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from gzip import decompress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.http.doors import Route, dispatch
from ebb.http.payload import in_one_format
from ebb.http.scopes import ADMIN, FEATURES, SCOPES
from ebb.plans import Plan
from lambdas.predict.api import make_door
from lambdas.records.admission import limited
from lambdas.records.once import Once
from lambdas.records.service import RecordsService
from stacks.routes import ROUTES
from tests.fakes.contracts import ROW, tiny_contract
from tests.fakes.idempotency import MemoryIdempotencyKeys
from tests.fakes.payloads import Asked
from tests.fakes.predicting import World
from tests.fakes.stores import MemoryStore
from tests.unit.test_records_routing import World as RoutingWorld
from tests.unit.test_subjects import World as SubjectWorld

REQUESTS = 1_200
Handle = Callable[[dict[str, Any]], dict[str, Any]]
Pair = tuple[Handle, Handle]


def predict_function(folder: Path) -> Handle:
    """Return the prediction function around tiers in memory, put together as its handler does."""
    world = World(folder)
    world.hold()
    world.ok({"entity_id": "e-1"})
    hot: Mapping[str, Route] = {
        "POST /v1/predictions": world.service.predict,
        "POST /v1/predictions/batch": world.service.predict_batch,
    }
    door = make_door(world.service)

    def handle(event: dict[str, Any]) -> dict[str, Any]:
        told = in_one_format(event)
        return dispatch(told, hot, world.service.report).payload() if told["routeKey"] in hot else door(told, None)

    return handle


def records_function() -> Handle:
    """Return the records function around tiers, tables and keys in memory; two of them go the same way."""
    tiers, subjects, routing = MemoryStore(), SubjectWorld(), RoutingWorld()
    once = Once(MemoryIdempotencyKeys(tiers.clock), tiers.store)
    features = RecordsService(tiny_contract, tiers.store, tiers.clock, lambda *_: None)
    routes = {
        "PUT /v1/features/{entity_id}": once.guard(FEATURES, features.put_features),
        "POST /v1/features/batch": once.guard(FEATURES, features.put_batch),
        "GET /v1/subjects/{entity_id}": limited(tiers.store, subjects.service.export),
        "DELETE /v1/subjects/{entity_id}": limited(tiers.store, subjects.service.erase),
        "GET /v1/routing": limited(tiers.store, routing.service.show),
        "PUT /v1/routing": once.guard(ADMIN, routing.service.set_roles),
        "POST /v1/routing/promote": once.guard(ADMIN, routing.service.promote),
        "POST /v1/routing/rollback": once.guard(ADMIN, routing.service.roll_back),
    }
    return lambda event: dispatch(in_one_format(event), routes, lambda *_: None).payload()


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Pair]]:
    """Return each function twice: one is sent 2.0 only, the other 1.0 only, so that writes tell no lies."""
    made, loops = [], []
    for name in ("http", "rest"):
        made.append(predict_function(tmp_path_factory.mktemp(name)))
        loops.append(asyncio.get_event_loop())
    yield {"predict": (made[0], made[1]), "records": (records_function(), records_function())}
    for loop in loops:
        loop.close()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
some = st.dictionaries(st.sampled_from([*ROW, "other"]), json_values, max_size=2)
values = st.just(ROW) | st.builds(lambda more: {**ROW, **more}, some) | json_values
entities = st.sampled_from(["e-1", "e-1", "e-2", "é /?", "", 3])
items = st.fixed_dictionaries(
    {"entity_id": entities}, optional={"features": values, "explain": st.booleans(), "event_time": st.integers(0, 10)}
)
documents = st.one_of(
    items,
    st.fixed_dictionaries({"entities": st.lists(items, max_size=3)}),
    st.fixed_dictionaries({"features": values}),
    st.fixed_dictionaries({"version": st.integers(1, 3)}, optional={"release": st.text(max_size=12)}),
    json_values,
)
bodies = documents.map(orjson.dumps) | st.binary(max_size=20)
headers = st.lists(
    st.one_of(
        st.tuples(st.just("content-type"), st.sampled_from(["application/json", "text/plain", ""])),
        st.tuples(st.just("ebb-purpose"), st.sampled_from(["win-back", "A B"])),
        st.tuples(st.just("ebb-request-id"), st.sampled_from(["r-1", "!"])),
        st.tuples(st.just("idempotency-key"), st.sampled_from(["k-1", "k-2", "k-3"])),
        st.tuples(st.just("cookie"), st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=5)),
        st.tuples(st.just("accept-encoding"), st.sampled_from(["gzip", "br, gzip;q=0.5", ""])),
    ),
    max_size=4,
)
queries = st.sampled_from(["", "", "?at=1800000000", "?at=1&at=2", "?limit=5&known_at=%31", "?at=%ff", "?a=b%20c+d"])
scopes = st.sampled_from([" ".join(SCOPES), " ".join(f"ebb/{scope}" for scope in SCOPES), "", "predict"])


def asked(draw: tuple[Any, ...]) -> Asked:
    """Return a request of a route; most say that they are JSON."""
    route, entity_id, query, body, sent, scope = draw
    target = route.path.format(entity_id=quote(entity_id, safe=""), asset=quote(entity_id, safe="")) + query
    usual = (("content-type", "application/json"),) if not any(name == "content-type" for name, _ in sent) else ()
    return Asked(route.method, target, body, (*usual, *sent), {"client_id": "acme", "scope": scope})


requests = st.tuples(
    st.sampled_from(ROUTES),
    st.sampled_from(["e-1", "e-2", "C/1 é", "start.js", "favicon-32x32.png", "100%", "a+b"]),
    queries,
    bodies,
    headers,
    scopes,
).map(asked)


def function_of(request: Asked) -> str:
    return request.call().route.function


@settings(max_examples=REQUESTS, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(requests)
def test_both_payloads_get_the_same_answer(functions: dict[str, Pair], request: Asked) -> None:
    http, rest = functions[function_of(request)]
    assert rest(request.of_rest_api()) == http(request.of_http_api())


def test_what_is_generated_is_answered_in_every_way(functions: dict[str, Pair]) -> None:
    """The property above would also hold of nothing but refusals."""
    seen: dict[str, set[int]] = {"predict": set(), "records": set()}

    @settings(max_examples=600, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(requests)
    def look(request: Asked) -> None:
        name = function_of(request)
        seen[name].add(functions[name][1](request.of_rest_api())["statusCode"])

    look()
    assert {200, 403, 404, 415, 422} <= seen["predict"]
    assert {200, 400, 403, 404, 415, 422} <= seen["records"]
    assert max(map(max, seen.values())) < 500


def test_headers_that_tell_when_to_ask_again_reach_a_caller_of_a_rest_api(tmp_path: Path) -> None:
    world = World(tmp_path, plan=Plan(0.5, 0.5))
    world.hold()
    world.fast.away = True  # this process counts by itself
    request = Asked("POST", "/v1/predictions", b'{"entity_id": "e-1"}')
    routes = {"POST /v1/predictions": world.service.predict}
    _, second = (dispatch(in_one_format(request.of_rest_api()), routes, lambda *_: None).payload() for _ in "ab")
    assert second["statusCode"] == 429
    assert {"retry-after", "ratelimit", "ratelimit-policy", "x-correlation-id"} <= set(second["headers"])
    assert set(second) == {"statusCode", "headers", "body", "isBase64Encoded"}, "what payload format 1.0 understands"
    assert all(isinstance(value, str) for value in second["headers"].values())


def test_a_picture_reaches_a_caller_of_a_rest_api_as_base64(functions: dict[str, Pair]) -> None:
    _, rest = functions["predict"]
    answered = rest(Asked("GET", "/docs/favicon-32x32.png").of_rest_api())
    assert answered["isBase64Encoded"] is True
    assert answered["headers"]["content-type"] == "image/png"


def test_a_batch_is_compressed_for_a_caller_of_either_kind(functions: dict[str, Pair]) -> None:
    body = orjson.dumps({"entities": [{"entity_id": f"new-{number}", "features": ROW} for number in range(60)]})
    sent = (("content-type", "application/json"), ("accept-encoding", "gzip"))
    asked_for = Asked("POST", "/v1/predictions/batch", body, sent)
    http, rest = functions["predict"]
    one, other = http(asked_for.of_http_api()), rest(asked_for.of_rest_api())
    assert other == one
    assert other["headers"]["content-encoding"] == "gzip"
    told = orjson.loads(decompress(b64decode(other["body"])))
    assert len(told["predictions"]) == 60
