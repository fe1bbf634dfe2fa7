"""Two doors, one function: the direct door and FastAPI answer alike, and OpenAPI promises what is answered."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.http.doors import answer
from lambdas.predict.api import make_api, make_door
from tests.fakes.contracts import ROW
from tests.fakes.events import event
from tests.unit.test_predict import World

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "predict_openapi.json"


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
requests = st.fixed_dictionaries(
    {"entity_id": st.sampled_from(["e-1", "nobody", "", 3])},
    optional={
        "explain": st.sampled_from([True, False, "x"]),
        "features": st.dictionaries(st.sampled_from([*ROW, "other"]), json_values, max_size=3) | json_values,
        "more": json_values,
    },
)
bodies = requests.map(orjson.dumps) | json_values.map(orjson.dumps) | st.binary(max_size=40)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies, st.sampled_from(["predict", "predict explain", ""]))
def test_both_doors_answer_alike(world: World, fastapi_door: Any, body: bytes, scope: str) -> None:
    made = event("POST /v1/predictions", body, scope=scope)
    direct = answer(made, world.service.predict, world.service.report).payload()
    through = fastapi_door(made, None)
    assert through["statusCode"] == direct["statusCode"]
    assert through["body"] == direct["body"]
    assert {k: v for k, v in through["headers"].items() if k != "content-length"} == direct["headers"]
    assert through["isBase64Encoded"] is False


def test_other_routes_go_through_fastapi(fastapi_door: Any) -> None:
    health = fastapi_door(event("GET /v1/health"), None)
    assert (health["statusCode"], json.loads(health["body"])["status"]) == (200, "ok")
    releases = fastapi_door(event("GET /v1/releases"), None)
    assert json.loads(releases["body"])["champion"]["release"].startswith("tiny/")
    assert fastapi_door(event("GET /v1/releases", scope=""), None)["statusCode"] == 403


def test_openapi_is_what_was_promised(world: World) -> None:
    """The golden file changes only with the API: write it anew with `python -m tests.unit.test_predict_doors`."""
    assert make_api(world.service).openapi() == json.loads(GOLDEN.read_text())


def test_every_answer_fits_its_schema(world: World) -> None:
    from lambdas.predict.schemas import PredictionAnswer, Problem  # noqa: PLC0415

    PredictionAnswer.model_validate(world.ok({"entity_id": "e-1", "explain": True}), strict=True)
    refused = world.call({"entity_id": "e-1", "features": {"tenure": "x"}})
    problem = Problem.model_validate_json(refused.body)
    assert problem.errors == [{"feature": "tenure", "reason": "is not a number"}]


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        GOLDEN.write_text(json.dumps(make_api(World(Path(folder)).service).openapi(), indent=1) + "\n")
