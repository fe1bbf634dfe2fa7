"""One prediction: which values it uses, when it degrades, what it answers; through the service as callers meet it."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from ebb.contract import Contract
from ebb.errors import StaleFeatures
from ebb.features.inputs import accept_some
from ebb.http.doors import answer
from ebb.plans import Plan
from ebb.ports import FeatureRecord, FeatureUpdate
from ebb.release import manifest as m
from ebb.rules import rules_version
from ebb.store.reading import Reading
from lambdas.predict.request import ONE_LIMIT as BODY_LIMIT
from lambdas.predict.resolve import Resolved, resolve
from tests.fakes.contracts import ROW, tiny_contract
from tests.fakes.events import event
from tests.fakes.predicting import World

NOW = 1_800_000_000.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_stored_entity_is_scored(world: World) -> None:
    world.hold()
    document = world.ok({"entity_id": "e-1"})
    assert document["probability"] == pytest.approx(1 / (1 + math.exp(-(-0.25 + 0.41 + 0.4 + 1))), abs=1e-6)
    assert document["decision"] == "act"
    assert document["variant"] == "champion"
    assert document["release"].startswith("tiny/")
    assert document["features"] == {
        "tier": "durable",
        "hedged": False,
        "oldest_seconds": 60.0,
        "request": [],
        "defaults": [],
        "stale": [],
        "unseen": [],
        "provenance": [
            {"tier": "durable", "age_seconds": 60.0, "features": ["tenure", "spend", "paperless", "plan", "city"]}
        ],
    }
    assert document["degraded"] is False
    assert "reasons" not in document
    assert world.ok({"entity_id": "e-1"})["features"]["tier"] == "fast"


def test_overrides_take_the_stored_values_place(world: World) -> None:
    world.hold()
    stored, overridden = (
        world.ok({"entity_id": "e-1"}),
        world.ok({"entity_id": "e-1", "features": {"plan": "plus"}}),
    )
    assert overridden["probability"] < stored["probability"]
    assert overridden["features"]["request"] == ["plan"]


def test_each_feature_says_where_it_came_from_and_how_old_it_is(world: World) -> None:
    world.hold({"tenure": 5}, age=10.0)
    world.hold({"city": "Ghent"}, age=20.0)
    told = world.ok({"entity_id": "e-1", "features": {"plan": "plus"}})["features"]["provenance"]
    assert told == [
        {"tier": "durable", "age_seconds": 10.0, "features": ["tenure"]},
        {"tier": "missing", "age_seconds": None, "features": ["spend"]},
        {"tier": "default", "age_seconds": None, "features": ["paperless"]},
        {"tier": "request", "age_seconds": None, "features": ["plan"]},
        {"tier": "durable", "age_seconds": 20.0, "features": ["city"]},
    ]


def test_an_answer_of_the_replica_says_so_and_is_limited_all_the_same(tmp_path: Path) -> None:
    world = World(tmp_path, plan=Plan(0.5, 0.5))
    world.tiers.store.write([FeatureUpdate("e-1", ROW, world.clock() - 60)])
    world.fast.hedged = True
    told = world.ok({"entity_id": "e-1"})
    assert (told["features"]["hedged"], told["features"]["tier"], told["degraded"]) == (True, "fast", False)
    assert world.call({"entity_id": "e-1"}).status == 429


def test_a_client_that_asks_too_often_is_told_when_it_may_again(tmp_path: Path) -> None:
    world = World(tmp_path, plan=Plan(0.5, 0.5))
    world.hold()
    world.fast.away = True
    world.ok({"entity_id": "e-1"})
    refused = world.call({"entity_id": "e-1"})
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    assert orjson.loads(refused.body)["type"] == "urn:ebb:problem:rate-limited"
    world.clock.now += 1
    world.ok({"entity_id": "e-1"})


def test_both_tiers_lost_but_lately_known_is_no_reason_to_degrade(world: World) -> None:
    world.hold()
    before = world.ok({"entity_id": "e-1"})["probability"]
    world.fast.away = world.durable.away = True
    world.clock.now += 50
    document = world.ok({"entity_id": "e-1"})
    assert (document["degraded"], document["probability"]) == (False, before)
    assert document["features"]["provenance"][0] == {
        "tier": "cache",
        "age_seconds": 110.0,
        "features": list(ROW),
    }


def test_too_many_reads_past_the_fast_tier_degrade(world: World) -> None:
    world.restarted(reads_per_second=1)
    world.fast.away = True
    world.hold()
    world.ok({"entity_id": "e-2", "features": ROW})
    assert world.ok({"entity_id": "e-1"})["degraded_because"] == ["the feature store is busy"]


def test_an_unseen_category_is_scored_and_named(world: World) -> None:
    world.hold({**ROW, "plan": "gold", "city": "anywhere"})
    document = world.ok({"entity_id": "e-1"})
    assert (document["degraded"], document["features"]["unseen"]) == (False, ["plan"])
    world.hold({"plan": ""}, age=0)
    assert world.ok({"entity_id": "e-1", "features": {"plan": "plus"}})["features"]["unseen"] == []


def test_many_missing_features_are_counted() -> None:
    resolved = Resolved(missing=list("abcdefg"), refused=["h is stale"])
    assert resolved.problems == ["a, b, c, d, e and 2 more are missing", "h is stale"]


def test_reasons_when_asked(world: World) -> None:
    world.hold({**ROW, "tenure": 60})
    document = world.ok({"entity_id": "e-1", "explain": True})
    assert document["reasons"][0]["feature"] == "tenure"
    assert document["reasons"][0]["contribution"] < 0


def test_a_default_stands_in(world: World) -> None:
    world.hold({name: value for name, value in ROW.items() if name != "paperless"})
    assert world.ok({"entity_id": "e-1"})["features"]["defaults"] == ["paperless"]


def test_a_missing_needed_value_degrades_to_the_rules(world: World) -> None:
    world.hold({name: value for name, value in ROW.items() if name != "tenure"})
    document = world.ok({"entity_id": "e-1", "explain": True})
    assert document["degraded"] is True
    assert document["degraded_because"] == ["tenure is missing"]
    assert document["probability"] == pytest.approx(0.3)
    assert document["variant"] == "rules"
    assert (document["release"], document["rules_version"]) == (None, rules_version(tiny_contract().rules))
    assert document["reasons"] == []


def test_a_stale_value_degrades_or_is_refused_as_the_contract_says(world: World) -> None:
    world.hold(age=31 * 86400)
    refused = world.call({"entity_id": "e-1"})
    assert (refused.status, orjson.loads(refused.body)["type"]) == (409, "urn:ebb:problem:stale-features")
    document = world.ok({"entity_id": "e-1", "features": {"city": "Ghent"}})
    assert document["degraded_because"] == ["tenure is stale"]
    assert document["features"]["stale"] == ["tenure"]


def test_a_stored_value_that_no_longer_fits_degrades(world: World) -> None:
    world.hold({**ROW, "tenure": 4000})
    assert world.ok({"entity_id": "e-1"})["degraded_because"] == [
        "the stored tenure is above the contract's maximum of 120"
    ]


def test_both_tiers_lost_degrades(world: World) -> None:
    world.fast.away = world.durable.away = True
    document = world.ok({"entity_id": "e-1", "features": {"tenure": 3}})
    assert document["degraded_because"] == ["the feature store does not answer"]
    assert document["probability"] == pytest.approx(0.5)
    assert document["features"]["tier"] == "none"


def test_a_whole_row_in_the_request_needs_no_store(world: World) -> None:
    world.fast.away = world.durable.away = True
    document = world.ok({"entity_id": "new", "features": ROW})
    assert (document["degraded"], document["features"]["tier"]) == (False, "none")


def test_no_release_yet_says_what_to_do_and_ends_when_there_is_one(tmp_path: Path) -> None:
    world = World(tmp_path, release=False)
    world.service.warm()
    world.hold()
    refused = world.call({"entity_id": "e-1"})
    document = orjson.loads(refused.body)
    assert (refused.status, document["type"]) == (503, "urn:ebb:problem:no-release")
    assert "ebb train" in document["detail"]
    world.publish()
    assert world.ok({"entity_id": "e-1"})["degraded"] is False


def test_an_altered_release_answers_by_its_rules_and_the_reason_stays_in_the_log(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.hold()
    model = world.file(m.MODEL)
    content = model.read_bytes()
    model.write_bytes(content[:-1] + b"?")
    world.service.warm()
    document = world.ok({"entity_id": "e-1", "explain": True})
    assert (document["degraded"], document["degraded_because"]) == (True, ["the model cannot be loaded"])
    assert (document["variant"], document["release"], document["reasons"]) == ("rules", None, [])
    assert document["rules_version"] == rules_version(tiny_contract().rules)
    assert document["probability"] == pytest.approx(0.6)
    assert ["model.onnx" in line for line in world.reports] == [True]
    assert world.signals.counts["release_refused"] == 1
    health = answer(event("GET /v1/health", b"", scope=""), world.service.health, world.service.report)
    assert orjson.loads(health.body)["status"] == "the release was refused, its rules answer"
    model.write_bytes(content)
    world.until(lambda: not world.ok({"entity_id": "e-1"})["degraded"])


def test_an_altered_contract_leaves_nothing_that_could_answer(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.file(m.CONTRACT).write_bytes(world.file(m.CONTRACT).read_bytes() + b"\n# changed")
    world.service.warm()
    refused = world.call({"entity_id": "e-1"})
    assert refused.status == 503
    assert b"contract.toml" not in refused.body
    assert any("contract.toml" in line for line in world.reports)


def test_a_graph_that_fails_later_answers_by_the_rules_until_it_works_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.hold()
    release = world.serving.now().champion.release
    assert release is not None

    def broken(_inputs: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(release.scorer, "score", broken)
        document = world.ok({"entity_id": "e-1"})
        assert document["degraded_because"] == ["the model does not answer"]
        assert world.signals.counts["model_failed"] == 1
    assert world.ok({"entity_id": "e-1"})["degraded"] is False


@pytest.mark.parametrize("odd", [float("nan"), -0.1, 1.5])
def test_what_is_no_probability_is_no_answer(world: World, monkeypatch: pytest.MonkeyPatch, odd: float) -> None:
    world.hold()
    release = world.serving.now().champion.release
    assert release is not None
    monkeypatch.setattr(release.scorer, "score", lambda _inputs: np.array([odd], np.float32))
    assert world.ok({"entity_id": "e-1"})["degraded_because"] == ["the model does not answer"]


def test_what_could_not_be_recorded_is_not_answered(world: World) -> None:
    world.hold()
    world.recorder.away = True
    assert world.call({"entity_id": "e-1"}).status == 503
    world.recorder.away = False
    world.ok({"entity_id": "e-1"})
    assert len(world.recorder.events) == 1


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "not valid JSON"),
        (b"{", 400, "not valid JSON"),
        (b"\xff", 400, "not valid JSON"),
        (b'{"entity_id": "\xed\xa0\x80"}', 400, "not valid JSON"),
        (b"[" * 2_000 + b"]" * 2_000, 400, "not valid JSON"),
        (b'{"entity_id":"e-1","features":' + b'{"a":' * 900 + b"1" + b"}" * 901, 422, "plain value"),
        (b"[]", 422, "must be a JSON object"),
        (b"3", 422, "must be a JSON object"),
        (b'{"entity_id": NaN}', 400, "not valid JSON"),
        ({}, 422, "entity_id"),
        ({"entity_id": 3}, 422, "entity_id"),
        ({"entity_id": ""}, 422, "entity_id"),
        ({"entity_id": "x" * 257}, 422, "entity_id"),
        ({"entity_id": "a\nb"}, 422, "entity_id"),
        ({"entity_id": "e-1", "explain": "yes"}, 422, "explain"),
        ({"entity_id": "e-1", "features": []}, 422, "features"),
        ({"entity_id": "e-1", "features": {"tenure": [1]}}, 422, "plain value"),
        ({"entity_id": "e-1", "entityId": "e-1"}, 422, "unknown key 'entityId'"),
        ({"entity_id": "e-1", "features": {"tenure": "five"}}, 422, "tenure: is not a number"),
        ({"entity_id": "e-1", "features": {"tenure": 5000}}, 422, "maximum of 120"),
        ({"entity_id": "e-1", "features": {"colour": "red"}}, 422, "no feature of the contract"),
        ({"entity_id": "nobody"}, 404, "no features are held"),
        (b'{"entity_id": "' + b"x" * BODY_LIMIT + b'"}', 413, "at most 65,536"),
    ],
)
def test_bad_bodies_become_problems(world: World, body: object, status: int, says: str) -> None:
    world.hold()
    result = world.call(body)
    document = orjson.loads(result.body)
    assert result.status == status, document
    assert says in document["detail"]
    assert result.headers["content-type"] == "application/problem+json"
    assert document["status"] == status
    assert document["correlation_id"] == result.headers["x-correlation-id"] == "request-1"


@pytest.mark.parametrize(
    ("scope", "explain", "status"), [("", False, 403), ("predict", True, 403), ("predict", False, 200)]
)
def test_scopes(world: World, scope: str, explain: bool, status: int) -> None:
    world.hold()
    assert world.call({"entity_id": "e-1", "explain": explain}, scope=scope).status == status


def test_what_nobody_foresaw_is_a_problem_and_a_line_in_the_log(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret-4711")

    monkeypatch.setattr(world.durable, "read", broken)
    result = world.call({"entity_id": "e-1"})
    assert result.status == 500
    assert b"4711" not in result.body
    assert b"ZeroDivision" not in result.body
    assert world.reports[0].startswith("unexpected ZeroDivisionError in ")
    assert "4711" not in world.reports[0]


def test_health_and_releases(tmp_path: Path) -> None:
    world = World(tmp_path, release=False)
    health = answer(event("GET /v1/health", b"", scope=""), world.service.health, world.service.report)
    assert orjson.loads(health.body) == {"status": "waiting for a release", "release": None}
    world.publish()
    health = answer(event("GET /v1/health", b"", scope=""), world.service.health, world.service.report)
    assert orjson.loads(health.body)["status"] == "ok"
    listed = answer(event("GET /v1/releases", b"", scope="predict"), world.service.releases, world.service.report)
    document = orjson.loads(listed.body)
    assert document["versions"] == [document["champion"]["release"].removeprefix("tiny/")]
    assert document["champion"]["features"] == list(ROW)


def _resolve(contract: Contract, record: FeatureRecord | None, overrides: Mapping[str, Any] | None = None) -> Any:
    reading = Reading(record, "fast" if record else "none")
    return resolve(contract, accept_some(contract, overrides or {}), reading, NOW)


def test_event_times_in_the_future_count_as_now() -> None:
    resolved = _resolve(tiny_contract(), FeatureRecord(ROW, dict.fromkeys(ROW, NOW + 100), 1))
    assert set(resolved.ages.values()) == {0.0}


@pytest.mark.parametrize(("feature", "problems"), [("spend", []), ("tenure", ["tenure has left the fast tier"])])
def test_what_has_left_the_fast_tier_is_served_only_where_stale_values_are(feature: str, problems: list[str]) -> None:
    record = FeatureRecord(ROW, dict.fromkeys(ROW, NOW - 5), 1)
    resolved = resolve(tiny_contract(), {}, Reading(record, "fast", expired=frozenset({feature})), NOW)
    assert resolved.stale == [feature]
    assert [problem.partition(",")[0] for problem in resolved.problems] == problems


def test_a_refusing_feature_is_not_asked_when_the_request_brings_it() -> None:
    record = FeatureRecord(ROW, dict.fromkeys(ROW, NOW - 86401), 1)
    with pytest.raises(StaleFeatures, match="city"):
        _resolve(tiny_contract(), record)
    assert _resolve(tiny_contract(), record, {"city": "Ghent"}).problems == []


def test_nothing_held_and_nothing_brought_names_every_gap() -> None:
    resolved = _resolve(tiny_contract(), None)
    assert resolved.problems == ["tenure, plan are missing"]
    assert resolved.known() == {"spend": None, "paperless": 0.0, "city": None}
