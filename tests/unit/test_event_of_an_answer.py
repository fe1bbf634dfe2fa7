"""The event says what the answer says, and all that was known when it was made: held field by field against both."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson
import pytest

from ebb.events.event import PredictionEvent
from ebb.http.doors import answer
from ebb.ports import FeatureUpdate
from ebb.routing.table import Challenger, RoutingTable
from ebb.rules import rules_version
from tests.fakes.contracts import ROW, TEXT, tiny_contract
from tests.fakes.events import event
from tests.fakes.predicting import World
from tests.fakes.releases import tiny_release, version_in

STALE = TEXT.replace('kind = "number"\n', 'kind = "number"\nmax_age = "1h"\nwhen_stale = "serve"\n')
HEADERS = {"ebb-purpose": "spring-letter", "ebb-request-id": "try-1"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def _asked(
    world: World, body: dict[str, Any], headers: dict[str, str] | None = None
) -> tuple[dict[str, Any], PredictionEvent]:
    made = event(
        "POST /v1/predictions", orjson.dumps(body), scope="predict explain", client="acme", headers=headers or {}
    )
    answered = answer(made, world.service.predict, world.service.report)
    assert answered.status == 200, answered.body
    return orjson.loads(answered.body), world.recorder.events[-1]


def _ages(recorded: PredictionEvent) -> dict[str, float]:
    """Return the age of each stored value; where all share one, the event holds it once."""
    ages = recorded.ages
    return dict(ages) if isinstance(ages, Mapping) else dict.fromkeys(recorded.inputs, ages)


def _write(world: World, values: dict[str, Any], age: float) -> None:
    world.tiers.store.write([FeatureUpdate("e-1", values, world.clock() - age)])


def test_every_field_of_a_usual_answer(world: World) -> None:
    world.route(RoutingTable(7, "0" * 32, world.releases.champion("tiny") or ""))
    _write(world, {"tenure": 5, "city": "Ghent"}, 300.0)
    _write(world, {"spend": None}, 20.0)
    told, recorded = _asked(world, {"entity_id": "e-1", "features": {"plan": "basic"}, "explain": True}, HEADERS)
    salt = world.durable.records["e-1"].salt
    assert len(salt) == 32
    release = world.serving.now().champion.release
    assert release is not None
    expected = {
        "id": told["prediction_id"],
        "request": "try-1",
        "time": world.clock(),
        "client": "acme",
        "purpose": "spring-letter",
        "entity_id": "e-1",
        "salt": salt,
        "release": release.sha256,
        "rules": None,
        "variant": "champion",
        "routing": 7,
        "escalated": False,
        "tier": "fast",
        "hedged": False,
        "degraded": [],
        "milliseconds": 0.0,
        "cost": 0.0,
        "ages": {"tenure": 300.0, "city": 300.0},
        "requested": ["plan"],
        "defaults": ["paperless"],
        "stale": [],
        "probability": told["probability"],
        "decision": told["decision"],
        "reasons": [(reason["feature"], reason["contribution"]) for reason in told["reasons"]],
        "shadow": None,
        "layout": world.serving.now().champion.layout,
    }
    found = {field.name: getattr(recorded, field.name) for field in fields(PredictionEvent)}
    inputs = found.pop("inputs")
    assert found.pop("ages") is recorded.ages
    ages = {name: age for name, age in _ages(recorded).items() if name != "spend"}
    assert ages == expected.pop("ages")
    assert {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()} == expected
    assert inputs.keys() == ROW.keys()
    assert inputs["spend"] is None or inputs["spend"] != inputs["spend"]
    known = {name: value for name, value in inputs.items() if name != "spend"}
    assert known == {"tenure": 5, "paperless": 0.0, "plan": "basic", "city": "Ghent"}
    assert told["reasons"]


def test_without_headers_the_correlation_id_names_the_request(world: World) -> None:
    world.hold()
    told, recorded = _asked(world, {"entity_id": "e-1"})
    assert (recorded.request, recorded.purpose, recorded.reasons) == ("request-1", "prediction", None)
    assert recorded.id == told["prediction_id"]


def test_what_was_asked_for_and_has_no_reasons_is_told_apart_from_what_was_not(world: World) -> None:
    world.hold({**ROW, "tenure": 4_000})
    _, asked = _asked(world, {"entity_id": "e-1", "explain": True})
    _, not_asked = _asked(world, {"entity_id": "e-1"})
    assert (asked.reasons, not_asked.reasons) == ([], None)


def test_every_field_that_tells_of_the_rules(world: World) -> None:
    world.hold({name: value for name, value in ROW.items() if name != "tenure"})
    told, recorded = _asked(world, {"entity_id": "e-1"})
    version = rules_version(tiny_contract().rules)
    assert (recorded.variant, recorded.release, recorded.rules) == ("rules", None, version)
    assert recorded.layout is None
    assert (told["variant"], told["release"], told["rules_version"]) == ("rules", None, version)
    assert list(recorded.degraded) == told["degraded_because"] == ["tenure is missing"]
    assert recorded.inputs == {"spend": 20.5, "paperless": True, "plan": "basic", "city": "Ghent"}
    assert (recorded.probability, recorded.decision) == (told["probability"], told["decision"])


def test_values_that_are_stale_and_used_are_recorded_as_such(tmp_path: Path) -> None:
    world = World(tmp_path, release=False)
    files = tiny_release(0.0, STALE)
    world.releases.write("tiny", version_in(files), files)
    world.releases.set_champion("tiny", version_in(files))
    world.hold(age=7_200)
    told, recorded = _asked(world, {"entity_id": "e-1"})
    assert list(recorded.stale) == told["features"]["stale"] == ["spend"]
    assert _ages(recorded)["spend"] == 7_200
    assert (recorded.variant, list(recorded.degraded)) == ("champion", [])
    assert world.signals.counts["stale"] == 1


def test_who_was_never_written_has_no_salt_and_no_ages(world: World) -> None:
    _, recorded = _asked(world, {"entity_id": "new", "features": ROW})
    assert (recorded.salt, _ages(recorded), recorded.tier) == ("", {}, "none")
    assert list(recorded.requested) == list(ROW)


@pytest.mark.parametrize("batch", [False, True])
def test_reasons_are_drawn_by_the_name_of_the_release_that_answered(
    world: World, monkeypatch: pytest.MonkeyPatch, batch: bool
) -> None:
    other = world.publish(0.5, champion=False)
    everybody = {other: ((0, 10_000),)}
    champion = world.releases.champion("tiny") or ""
    world.route(RoutingTable(1, "0" * 32, champion, challengers=(Challenger(other, 1.0),), slots=everybody))
    world.hold()
    explainer = world.serving.now().releases[other].explainer
    assert explainer is not None
    explain, seeds = explainer.explain, list[str]()

    def seen(row: Any, seed: str) -> Any:
        seeds.append(seed)
        return explain(row, seed)

    monkeypatch.setattr(explainer, "explain", seen)
    body = {"entities": [{"entity_id": "e-1"}] * 2} if batch else {"entity_id": "e-1"}
    world.ok({**body, "explain": True}, batch=batch)
    assert seeds == [f"tiny/{other}"] * (2 if batch else 1)
