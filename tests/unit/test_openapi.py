"""The description of the API: valid, complete, true of what is answered, and changed only on purpose.

The golden file is written anew with `python -m tests.unit.test_openapi`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from ebb.contract.model import Feature
from ebb.features.values import Refused, accept
from ebb.http.doors import answer
from ebb.http.examples import TITLES, problem_example
from ebb.http.feature_schema import feature_schema
from ebb.http.openapi import HEADERS
from ebb.http.problems import TABLE
from ebb.http.scopes import FEATURES, OUTCOMES, SCOPES, SUBJECTS
from ebb.store.subjects import Subjects
from lambdas.predict.api import routes_of
from lambdas.predict.described import OPERATIONS, description
from lambdas.records.described import OPERATIONS as RECORDS_OPERATIONS
from lambdas.records.described import WHERE
from lambdas.records.described import description as records_description
from lambdas.records.service import RecordsService
from lambdas.records.subjects import SubjectsService
from local.serving.routes import ROUTES
from tests.fakes.contracts import ROW, tiny_contract
from tests.fakes.events import event
from tests.fakes.predicting import World
from tests.fakes.stores import MemoryStore
from tests.unit.test_records_routing import World as RoutingWorld

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "openapi.json"
NOT_DESCRIBED = {"GET /docs/{asset}"}
"""What only the page itself asks for."""


def _golden() -> str:
    return json.dumps(description(), indent=1, ensure_ascii=False) + "\n"


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def _checker(schema: dict[str, Any]) -> Any:
    """Return a validator of one schema of the document, which knows no other keys than are described."""
    schemas = {name: _closed(each) for name, each in description()["components"]["schemas"].items()}
    return jsonschema_rs.validator_for({**schema, "components": {"schemas": schemas}})


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    return {"additionalProperties": False, **schema} if "properties" in schema else schema


def test_openapi_is_what_was_promised() -> None:
    assert GOLDEN.read_text() == _golden(), "if it is meant, write it anew: python -m tests.unit.test_openapi"


def test_the_records_functions_part_is_fresh() -> None:
    assert WHERE.read_bytes() == records_description(), "write it anew: python -m lambdas.records.described"


def test_it_is_openapi_3_1() -> None:
    errors = list(jsonschema_rs.validator_for(OPENAPI_31).iter_errors(description()))
    assert [error.message for error in errors] == []
    assert description()["openapi"].startswith("3.1.")


def test_every_reference_leads_somewhere() -> None:
    text = _golden()
    for reference in {part.split('"', 1)[0] for part in text.split('"$ref": "#/')[1:]}:
        found: Any = description()
        for step in reference.split("/"):
            found = found[step]
        assert found


def test_every_route_of_the_gateway_is_described_and_no_other() -> None:
    described = dict(_operations(description()))
    assert {route.key for route in ROUTES} - NOT_DESCRIBED == described.keys()
    for route in ROUTES:
        if route.key in described:
            assert bool(described[route.key]["security"]) == route.authorized, route.key


def test_every_operation_says_who_may_call_and_how_it_fails() -> None:
    names = set()
    for key, operation in _operations(description()):
        names.add(operation["operationId"])
        statuses = set(operation["responses"])
        assert {"200", "500"} <= statuses, key
        for requirement in operation["security"]:
            assert set(requirement["token"]) <= set(SCOPES)
            assert {"401", "403", "429", "503"} <= statuses, key
        if "requestBody" in operation:
            assert {"400", "413", "415", "422"} <= statuses, key
            assert operation["requestBody"]["content"]["application/json"]["examples"], key
        if "429" in statuses:
            assert {"retry-after", "ratelimit-policy", "ratelimit"} <= operation["responses"]["429"]["headers"].keys()
        for status, response in operation["responses"].items():
            for kind, content in response["content"].items():
                assert content.get("examples") or key in {"GET /openapi.json", "GET /docs"}, (key, status, kind)
    assert len(names) == len(OPERATIONS) + len(RECORDS_OPERATIONS)


def test_every_problem_has_an_example_and_is_told_of_somewhere() -> None:
    assert {row[2] for row in TABLE} | {"unexpected"} == TITLES.keys() == description()["components"]["examples"].keys()
    told = {
        name
        for _, operation in _operations(description())
        for response in operation["responses"].values()
        for name in response["content"].get("application/problem+json", {}).get("examples", {})
    }
    assert TITLES.keys() - told == {"unknown-route"}, "which no route answers"
    for _, status, name, title in TABLE:
        example = problem_example(name)
        assert (example["status"], example["title"]) == (status, title)


def test_writes_take_an_idempotency_key() -> None:
    for key, operation in _operations(description()):
        parameters = [each.get("$ref", "") for each in operation.get("parameters", [])]
        takes = any(each.endswith("/idempotency-key") for each in parameters)
        writes = key.startswith(("PUT", "POST")) and "predictions" not in key
        assert takes == writes, key
        if takes:
            assert {"under-way"} <= operation["responses"]["409"]["content"]["application/problem+json"][
                "examples"
            ].keys()
            assert "idempotency-replayed" in operation["responses"]["200"]["headers"]


def test_examples_are_what_the_schemas_say() -> None:
    checked = 0
    for key, operation in _operations(description()):
        contents = [response["content"] for response in operation["responses"].values()]
        contents += [operation["requestBody"]["content"]] if "requestBody" in operation else []
        for content in (each for kinds in contents for each in kinds.values()):
            checker = _checker(content["schema"])
            for example in content.get("examples", {}).values():
                value = (
                    description()["components"]["examples"][example["$ref"].rpartition("/")[2]]
                    if "$ref" in example
                    else example
                )
                assert [error.message for error in checker.iter_errors(value["value"])] == [], key
                checked += 1
    assert checked > 100


def test_parameters_and_headers_have_examples_that_fit() -> None:
    for parameter in description()["components"]["parameters"].values():
        _checker(parameter["schema"]).validate(parameter["example"])
    assert set(HEADERS) == description()["components"]["headers"].keys()
    assert OUTCOMES in SCOPES


def _fits(key: str, status: int, body: bytes) -> None:
    operation = dict(_operations(description()))[key]
    content = next(iter(operation["responses"][str(status)]["content"].values()))
    errors = [error.message for error in _checker(content["schema"]).iter_errors(orjson.loads(body))]
    assert errors == [], (key, status)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("openapi"))
    made.hold()
    return made


@pytest.mark.parametrize(
    "body",
    [
        {"entity_id": "e-1", "features": {"tenure": 40, "plan": "plus"}, "explain": True},
        {"entity_id": "e-1"},
        {"entity_id": "e-1", "features": {"tenure": "x"}},
        {"entity_id": "nobody"},
        {"entity_id": "nobody", "features": {"plan": "plus"}},
        [],
    ],
)
def test_answers_of_predictions_fit(world: World, body: Any) -> None:
    answered = world.call(body)
    assert answered.status != 200 or "explain" not in body or orjson.loads(answered.body)["reasons"]
    _fits("POST /v1/predictions", answered.status, answered.body)


@pytest.mark.parametrize("explain", [True, False])
def test_answers_of_batches_fit(world: World, explain: bool) -> None:
    whole = {"entity_id": "e", "features": {**ROW, "tenure": 40}}
    entities = [{"entity_id": "e-1"}, {"entity_id": "nobody"}, {"entity_id": 3}, 4, whole]
    answered = world.call({"entities": entities, "explain": explain}, batch=True)
    assert answered.status == 200
    _fits("POST /v1/predictions/batch", 200, answered.body)


def test_answers_of_the_other_routes_fit(world: World) -> None:
    for key, route in (("GET /v1/releases", world.service.releases), ("GET /v1/health", world.service.health)):
        answered = answer(event(key), route, world.service.report)
        _fits(key, answered.status, answered.body)


def test_answers_of_the_records_function_fit() -> None:
    tiers = MemoryStore()
    features = RecordsService(tiny_contract, tiers.store, tiers.clock, lambda *_: None)
    subjects = SubjectsService(Subjects(tiers.durable, tiers.fast), tiers.clock)
    path = {"entity_id": "e-1"}
    put, batch, subject = "PUT /v1/features/{entity_id}", "POST /v1/features/batch", "/v1/subjects/{entity_id}"
    one = {"features": ROW}
    moment = {"event_time": str(tiers.clock())}
    late = {"entities": [{"entity_id": "e-1", **one, "event_time": 5.0}]}
    calls: list[tuple[str, Any, bytes, str, Any]] = [
        (put, features.put_features, orjson.dumps(one), FEATURES, None),
        (put, features.put_features, b"{}", FEATURES, None),
        (batch, features.put_batch, orjson.dumps({"entities": [{"entity_id": "e-2", **one}]}), FEATURES, None),
        (f"GET {subject}", subjects.export, b"", SUBJECTS, None),
        (f"GET {subject}", subjects.export, b"", SUBJECTS, moment),
        (f"DELETE {subject}", subjects.erase, b"", SUBJECTS, None),
        (f"GET {subject}", subjects.export, b"", SUBJECTS, None),
        (batch, features.put_batch, orjson.dumps(late), FEATURES, None),
    ]
    for key, route, body, scope, query in calls:
        made = event(key, body, scope=scope, path=path if "{" in key else None, query=query)
        answered = answer(made, route, lambda *_: None)
        _fits(key, answered.status, answered.body)


def test_answers_of_the_routing_calls_fit() -> None:
    routing = RoutingWorld()
    _, two, three, four = routing.versions
    roles = {
        "challengers": [{"release": two, "weight": 0.05}],
        "cheap": {"release": three, "margin": 0.1},
        "shadow": {"release": four},
    }
    calls: list[tuple[str, Any]] = [
        ("PUT /v1/routing", roles),
        ("GET /v1/routing", None),
        ("POST /v1/routing/promote", {"release": two}),
        ("POST /v1/routing/rollback", None),
        ("PUT /v1/routing", {"challengers": [{"release": two, "weight": 2}]}),
        ("POST /v1/routing/promote", {"release": two, "based_on": 1}),
    ]
    statuses = []
    for key, body in calls:
        answered = routing.ask(key, body)
        statuses.append(answered.status)
        _fits(key, answered.status, answered.body)
    assert statuses == [200, 200, 200, 200, 422, 409]


def test_it_names_the_features_of_the_contract_that_is_served(world: World, tmp_path: Path) -> None:
    served = answer(event("GET /openapi.json"), routes_of(world.service)["GET /openapi.json"], world.service.report)
    document = orjson.loads(served.body)
    assert list(jsonschema_rs.validator_for(OPENAPI_31).iter_errors(document)) == []
    assert document["components"]["schemas"]["Features"]["properties"].keys() == ROW.keys()
    without = World(tmp_path, release=False)
    plain = answer(event("GET /openapi.json"), routes_of(without.service)["GET /openapi.json"], world.service.report)
    assert orjson.loads(plain.body) == description()


@pytest.mark.parametrize("feature", tiny_contract().features, ids=lambda feature: feature.name)
def test_what_fits_a_features_schema_is_accepted(feature: Feature) -> None:
    checker = jsonschema_rs.validator_for(feature_schema(feature))
    fitting = 0
    values = [None, True, False, 0, 1, 2, -1, 1.5, 7, 1e4, 1e9, "", "x", "basic", "plus", "Ghent", "y" * 256, "y" * 257]
    for value in values:
        if checker.is_valid(value):
            fitting += 1
            accept(feature, value)
        elif value == "" and feature.missing:
            continue  # missing too, but null says so more plainly
        else:
            with pytest.raises(Refused):
                accept(feature, value)
    assert fitting > 1


if __name__ == "__main__":
    GOLDEN.write_text(_golden())
