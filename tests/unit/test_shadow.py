"""The shadow's budget is of each entity, and its trouble is nobody else's, whatever breaks and whoever asks."""

from pathlib import Path
from typing import Any

import pytest

from ebb.routing.table import RoutingTable, Shadow
from tests.fakes.contracts import ROW
from tests.fakes.predicting import World

SALT = "0" * 32
BUDGET_MS = 5.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    shadow = made.publish(2.0, champion=False)
    made.route(RoutingTable(1, SALT, made.releases.champion("tiny") or "", shadow=Shadow(shadow, BUDGET_MS)))
    for number in range(100):
        made.hold(entity_id=f"e-{number}")
    return made


def _slow(world: World, seconds_a_row: float, monkeypatch: pytest.MonkeyPatch) -> None:
    shadow = world.serving.now().shadow
    assert shadow is not None
    assert shadow.release is not None
    score = shadow.release.scorer.score

    def slowly(inputs: Any) -> Any:
        world.monotonic += seconds_a_row * len(inputs)
        return score(inputs)

    monkeypatch.setattr(shadow.release.scorer, "score", slowly)


def _batch(world: World, entities: int) -> list[dict[str, Any]]:
    body = {"entities": [{"entity_id": f"e-{number}"} for number in range(entities)]}
    predictions: list[dict[str, Any]] = world.ok(body, batch=True)["predictions"]
    return predictions


def _scored(world: World) -> list[bool]:
    shadows = [event.shadow for event in world.recorder.events]
    world.recorder.events.clear()
    return [shadow is not None and shadow.probability is not None for shadow in shadows]


@pytest.mark.parametrize(("milliseconds", "again"), [(4.9, True), (5.1, False)])
def test_the_budget_is_what_one_entity_may_take_in_a_batch_too(
    world: World, monkeypatch: pytest.MonkeyPatch, milliseconds: float, again: bool
) -> None:
    _slow(world, milliseconds / 1000, monkeypatch)
    _batch(world, 100)
    assert [event.shadow and event.shadow.milliseconds for event in world.recorder.events] == pytest.approx(
        [milliseconds] * 100
    )
    assert _scored(world) == [True] * 100  # nothing was known of it yet
    _batch(world, 100)
    assert _scored(world) == [again] * 100
    counts = world.signals.counts
    assert (counts["shadow_scored"], counts["shadow_skipped"]) == ((200, 0) if again else (100, 100))


def test_what_is_skipped_costs_no_run_of_its_graph(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _slow(world, 0.050, monkeypatch)
    world.ok({"entity_id": "e-1"})
    before = world.monotonic
    world.ok({"entity_id": "e-1"})
    assert world.monotonic == before
    assert world.recorder.events[-1].shadow is not None
    assert world.recorder.events[-1].shadow.milliseconds == 0.0


def _graph_breaks(world: World, patch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    shadow = world.serving.now().shadow
    assert shadow is not None
    assert shadow.release is not None
    patch.setattr(shadow.release.scorer, "score", broken)


def _rows_break(world: World, patch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    shadow = world.serving.now().shadow
    assert shadow is not None
    patch.setattr(shadow.rows, "resolve", broken)


@pytest.mark.parametrize("breaks", [_graph_breaks, _rows_break])
@pytest.mark.parametrize("entities", [1, 3])
def test_a_shadow_that_breaks_anywhere_changes_no_answer_and_counts_as_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch, breaks: Any, entities: int
) -> None:
    _batch(world, entities)  # from now on the tier in front holds them
    before = _batch(world, entities)
    _scored(world)
    world.signals.counts.clear()
    breaks(world, monkeypatch)
    assert _batch(world, entities) == before
    assert _scored(world) == [False] * entities
    counts = world.signals.counts
    assert (counts["shadow_failed"], counts["shadow_scored"]) == (entities, 0)
    assert counts["model_failed"] == counts["degraded"] == counts["escalated"] == 0


def test_a_shadow_never_answers_even_where_the_champion_cannot(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    champion = world.serving.now().champion.release
    assert champion is not None

    def broken(_inputs: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(champion.scorer, "score", broken)
    document = world.ok({"entity_id": "e-1"})
    assert (document["variant"], document["degraded"]) == ("rules", True)
    [event] = world.recorder.events
    assert event.shadow is not None
    assert event.shadow.probability is not None
    assert event.shadow.probability != event.probability


def test_values_that_the_rules_answer_are_no_case_for_the_shadow(world: World) -> None:
    world.hold({**ROW, "tenure": 4_000}, age=0, entity_id="e-1")
    assert world.ok({"entity_id": "e-1"})["variant"] == "rules"
    assert _scored(world) == [False]
