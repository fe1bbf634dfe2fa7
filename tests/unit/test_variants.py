"""Who answers whom: challengers, the cheap release and its hard cases, the shadow, and the way out of each failure."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ebb.routing.assign import Assignment
from ebb.routing.table import Challenger, Cheap, RoutingTable, Shadow
from tests.fakes.contracts import ROW
from tests.fakes.predicting import World

SALT = "0" * 32
ALL = ((0, 10_000),)
HALF = ((0, 5_000),)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def route(world: World, version: int = 1, **roles: Any) -> RoutingTable:
    table = RoutingTable(version, SALT, world.releases.champion("tiny") or "", **roles)
    world.route(table)
    if version > 1:
        world.until(lambda: world.serving.now(version).table.version == version)
    return table


def broken(*_: object) -> None:
    raise ZeroDivisionError("secret-4711")


def break_(world: World, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    release = world.serving.now().releases[version].release
    assert release is not None
    monkeypatch.setattr(release.scorer, "score", broken)


def test_eight_releases_answer_their_entities_and_the_same_ones_every_time(world: World) -> None:
    others = [world.publish(0.1 * number, champion=False) for number in range(1, 9)]
    challengers = tuple(Challenger(release, 0.1) for release in others)
    slots = {release: ((1_000 * number, 1_000 * (number + 1)),) for number, release in enumerate(others)}
    table = route(world, challengers=challengers, slots=slots)
    assignment, seen = Assignment(table), set()
    for number in range(300):
        who = f"e-{number}"
        world.hold(ROW, entity_id=who)
        first, again = world.ok({"entity_id": who}), world.ok({"entity_id": who})
        role, release = assignment.of(who)
        assert (first["variant"], first["release"]) == (role, f"tiny/{release}")
        assert (again["variant"], again["release"]) == (role, f"tiny/{release}")
        seen.add(release)
    assert seen == {*others, table.champion}
    assert {event.variant for event in world.recorder.events} == {"champion", "challenger"}
    assert {event.routing for event in world.recorder.events} == {1}
    assert len({event.release for event in world.recorder.events}) == 9


def test_the_cheap_release_answers_easy_cases_and_leaves_the_hard_ones(world: World) -> None:
    cheap = world.publish(0.5, champion=False)
    route(world, cheap=Cheap(cheap, 1.0, 0.3), slots={cheap: ALL})
    world.hold({**ROW, "tenure": 0, "plan": "basic"}, entity_id="easy")
    world.hold({**ROW, "tenure": 40, "plan": "plus", "paperless": False}, entity_id="hard")
    easy, hard = world.ok({"entity_id": "easy"}), world.ok({"entity_id": "hard"})
    assert easy["threshold"] == pytest.approx(0.2)
    assert easy["variant"] == "cheap"
    assert easy["release"].endswith(cheap)
    assert abs(easy["probability"] - 0.2) >= 0.3
    assert hard["variant"] == "champion"
    assert hard["release"].endswith(str(world.releases.champion("tiny")))
    assert [event.escalated for event in world.recorder.events] == [False, True]
    assert world.signals.counts["escalated"] == 1
    assert world.signals.counts["variant_cheap"] == world.signals.counts["variant_champion"] == 1


def test_without_a_margin_every_answer_of_the_cheap_release_stands(world: World) -> None:
    cheap = world.publish(0.5, champion=False)
    route(world, cheap=Cheap(cheap, 1.0, 0.0), slots={cheap: ALL})
    world.hold({**ROW, "tenure": 40, "plan": "plus", "paperless": False})
    assert world.ok({"entity_id": "e-1"})["variant"] == "cheap"


@pytest.mark.parametrize("role", ["cheap", "challenger"])
def test_a_release_that_fails_leaves_its_cases_to_the_champion(
    world: World, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    other = world.publish(0.5, champion=False)
    roles = {"cheap": Cheap(other, 1.0)} if role == "cheap" else {"challengers": (Challenger(other, 1.0),)}
    route(world, **roles, slots={other: ALL})
    world.hold()
    with monkeypatch.context() as patched:
        break_(world, other, patched)
        document = world.ok({"entity_id": "e-1"})
        assert (document["variant"], document["degraded"]) == ("champion", False)
        assert world.signals.counts["model_failed"] == 1
    assert world.ok({"entity_id": "e-1"})["variant"] == role


def test_when_the_champion_fails_too_the_rules_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = world.publish(0.5, champion=False)
    table = route(world, challengers=(Challenger(other, 1.0),), slots={other: ALL})
    world.hold()
    for version in table.releases:
        world.serving.now()
        break_(world, version, monkeypatch)
    document = world.ok({"entity_id": "e-1"})
    assert (document["variant"], document["degraded_because"]) == ("rules", ["the model does not answer"])


def test_values_that_cannot_be_used_stay_with_the_rules_whoever_was_to_answer(world: World) -> None:
    cheap = world.publish(0.5, champion=False)
    route(world, cheap=Cheap(cheap, 1.0, 0.3), slots={cheap: ALL})
    world.hold({name: value for name, value in ROW.items() if name != "tenure"})
    document = world.ok({"entity_id": "e-1"})
    assert (document["variant"], document["degraded_because"]) == ("rules", ["tenure is missing"])
    assert world.signals.counts["escalated"] == 0


def test_the_shadow_scores_along_and_is_recorded_and_nothing_else(world: World) -> None:
    world.hold()
    plain = world.ok({"entity_id": "e-1"})
    shadow = world.publish(2.0, champion=False)
    table = route(world, shadow=Shadow(shadow, 1e3))
    world.until(lambda: world.serving.now(1).table.version == 1)
    shadowed = world.ok({"entity_id": "e-1"})
    assert {**shadowed, "features": None} == {**plain, "features": None}
    before, after = world.recorder.events
    assert before.shadow is None
    assert after.shadow is not None
    release = world.serving.now().releases[shadow].release
    assert release is not None
    assert after.shadow.release == release.sha256
    assert after.shadow.probability is not None
    assert after.shadow.probability > after.probability
    assert table.shadow is not None
    assert world.signals.counts["shadow_scored"] == 1


def test_a_shadow_that_fails_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shadow = world.publish(2.0, champion=False)
    route(world, shadow=Shadow(shadow, 1e3))
    world.hold()
    world.serving.now()
    break_(world, shadow, monkeypatch)
    assert world.ok({"entity_id": "e-1"})["degraded"] is False
    [event] = world.recorder.events
    assert event.shadow is not None
    assert event.shadow.probability is None


def test_a_shadow_over_its_budget_is_skipped_and_counted_and_tried_again_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow = world.publish(2.0, champion=False)
    route(world, shadow=Shadow(shadow, 5.0))
    world.hold()
    release = world.serving.now().releases[shadow].release
    assert release is not None
    seconds, scorer = 0.02, release.scorer.score

    def slow(inputs: Any) -> Any:
        world.monotonic += seconds
        return scorer(inputs)

    monkeypatch.setattr(release.scorer, "score", slow)
    for _ in range(64):
        world.ok({"entity_id": "e-1"})
    scored = [event.shadow.probability is not None for event in world.recorder.events if event.shadow]
    assert scored == [True] + [False] * 63
    assert world.signals.counts["shadow_skipped"] == 63
    seconds = 0.0
    for _ in range(64 * 12):
        world.ok({"entity_id": "e-1"})
    assert world.recorder.events[-1].shadow is not None
    assert world.recorder.events[-1].shadow.probability is not None  # it has become quick, and that was noticed


def test_what_an_answer_costs_is_counted_for_its_variant(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = world.publish(0.5, champion=False)
    table = route(world, challengers=(Challenger(other, 0.5),), slots={other: HALF})
    assignment = Assignment(table)
    for version, seconds in ((table.champion, 0.010), (other, 0.002)):
        release = world.serving.now().releases[version].release
        assert release is not None

        def slow(inputs: Any, scorer: Any = release.scorer.score, seconds: float = seconds) -> Any:
            world.monotonic += seconds
            return scorer(inputs)

        monkeypatch.setattr(release.scorer, "score", slow)
    who = {assignment.of(f"e-{number}")[0]: f"e-{number}" for number in range(50)}
    for entity_id in who.values():
        world.hold(ROW, entity_id=entity_id)
        world.ok({"entity_id": entity_id})
    cost = {event.variant: event.cost for event in world.recorder.events}
    assert cost == pytest.approx({"champion": 0.010 * 0.0000133334, "challenger": 0.002 * 0.0000133334})
    assert world.signals.amounts["cost_usd_champion"] == pytest.approx(cost["champion"])
    assert {event.variant: event.milliseconds for event in world.recorder.events} == pytest.approx(
        {"champion": 10.0, "challenger": 2.0}
    )


def test_scores_are_those_of_the_release_that_is_named(world: World) -> None:
    other = world.publish(1.0, champion=False)
    table = route(world, challengers=(Challenger(other, 0.5),), slots={other: HALF})
    bias = {table.champion: 0.0, other: 1.0}
    for number in range(20):
        world.hold(ROW, entity_id=f"e-{number}")
        document = world.ok({"entity_id": f"e-{number}"})
        linear = -0.25 + 0.41 + 0.4 + 1 + bias[document["release"].removeprefix("tiny/")]
        assert document["probability"] == pytest.approx(1 / (1 + np.exp(-linear)), abs=1e-6)
