"""Every way into the contract's rules, and the way out of it again: what was lost comes back, and the model answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ebb.ports import FeatureUpdate
from ebb.routing.table import Challenger, RoutingTable
from ebb.rules import rules_version
from tests.fakes.contracts import ROW, TEXT, tiny_contract
from tests.fakes.predicting import World
from tests.fakes.releases import tiny_release, version_in

DAY = 86_400.0
SHORT_LIVED = TEXT.replace('when_stale = "degrade"\n', 'when_stale = "degrade"\nttl = "1h"\n')
Way = Callable[[World], Callable[[], None]]
"""Breaks something, and returns what mends it."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def _write(world: World, values: dict[str, Any], age: float = 0.0) -> None:
    world.tiers.store.write([FeatureUpdate("e-1", values, world.clock() - age)])


def _missing(world: World) -> Callable[[], None]:
    _write(world, {name: value for name, value in ROW.items() if name != "tenure"})
    return lambda: _write(world, {"tenure": 5})


def _stale(world: World) -> Callable[[], None]:
    _write(world, {"tenure": 5}, age=31 * DAY)
    _write(world, {name: value for name, value in ROW.items() if name != "tenure"})
    return lambda: _write(world, {"tenure": 5})


def _refused(world: World) -> Callable[[], None]:
    _write(world, {**ROW, "tenure": 4_000}, age=10)
    return lambda: _write(world, {"tenure": 5})


def _both_tiers_lost(world: World) -> Callable[[], None]:
    world.hold()
    world.fast.away = world.durable.away = True

    def mend() -> None:
        world.durable.away = False
        world.clock.now += 60  # the breaker lets somebody try again

    return mend


def _no_more_reads(world: World) -> Callable[[], None]:
    world.restarted(reads_per_second=1)
    world.hold()
    world.hold(entity_id="e-2")
    world.fast.away = True
    world.ok({"entity_id": "e-2"})

    def mend() -> None:
        world.clock.now += 2

    return mend


def _graph(world: World, score: Callable[[Any], Any]) -> Callable[[], None]:
    _write(world, ROW)
    release = world.serving.now().champion.release
    assert release is not None
    patch = pytest.MonkeyPatch()
    patch.setattr(release.scorer, "score", score)
    return patch.undo


def _failing(_inputs: Any) -> Any:
    raise ZeroDivisionError


def _graph_fails(world: World) -> Callable[[], None]:
    return _graph(world, _failing)


def _graph_answers_nonsense(world: World) -> Callable[[], None]:
    return _graph(world, lambda inputs: np.full(len(inputs), np.nan, np.float32))


def _champion_is_lost(world: World) -> Callable[[], None]:
    _write(world, ROW)
    model = world.file("model.onnx")
    content = model.read_bytes()
    model.unlink()

    def mend() -> None:
        model.write_bytes(content)
        world.until(lambda: not world.ok({"entity_id": "e-1"})["degraded"])

    return mend


@pytest.mark.parametrize(
    ("way", "because"),
    [
        (_missing, "tenure is missing"),
        (_stale, "tenure is stale"),
        (_refused, "the stored tenure is above the contract's maximum of 120"),
        (_both_tiers_lost, "the feature store does not answer"),
        (_no_more_reads, "the feature store is busy"),
        (_graph_fails, "the model does not answer"),
        (_graph_answers_nonsense, "the model does not answer"),
        (_champion_is_lost, "the model cannot be loaded"),
    ],
)
def test_each_way_into_the_rules_has_a_way_out(world: World, way: Way, because: str) -> None:
    mend = way(world)
    version = rules_version(tiny_contract().rules)
    inside = world.ok({"entity_id": "e-1"})
    assert (inside["degraded"], inside["degraded_because"]) == (True, [because])
    assert (inside["variant"], inside["release"], inside["rules_version"]) == ("rules", None, version)
    event = world.recorder.events[-1]
    assert (event.variant, event.release, event.rules, list(event.degraded)) == ("rules", None, version, [because])
    assert world.signals.counts["degraded"] == 1

    mend()
    counted = world.signals.counts["degraded"]
    outside = world.ok({"entity_id": "e-1"})
    assert (outside["degraded"], outside["degraded_because"], outside["rules_version"]) == (False, [], None)
    assert (outside["variant"], outside["release"]) == ("champion", f"tiny/{world.releases.champion('tiny')}")
    event = world.recorder.events[-1]
    champion = world.serving.now().champion
    assert (event.variant, event.release, event.rules, list(event.degraded)) == ("champion", champion.sha256, None, [])
    assert world.signals.counts["degraded"] == counted


def test_in_a_batch_one_entitys_way_is_no_others(world: World) -> None:
    for entity_id in ("e-1", "e-2", "e-3"):
        world.hold(entity_id=entity_id)
    world.hold({"tenure": 4_000}, age=0, entity_id="e-2")
    document = world.ok({"entities": [{"entity_id": f"e-{number}"} for number in (1, 2, 3)]}, batch=True)
    assert [one["degraded"] for one in document["predictions"]] == [False, True, False]
    assert [one["variant"] for one in document["predictions"]] == ["champion", "rules", "champion"]
    assert [event.variant for event in world.recorder.events] == ["champion", "rules", "champion"]


@pytest.mark.parametrize("role", ["champion", "challenger"])
def test_a_feature_whose_ttl_is_over_is_no_value_while_the_durable_tier_is_away(tmp_path: Path, role: str) -> None:
    world = World(tmp_path, release=role == "challenger")
    files = tiny_release(0.5, SHORT_LIVED)
    short = version_in(files)
    world.releases.write("tiny", short, files)
    if role == "champion":
        world.releases.set_champion("tiny", short)
    else:
        champion = world.releases.champion("tiny") or ""
        everybody = {short: ((0, 10_000),)}
        world.route(RoutingTable(1, "0" * 32, champion, challengers=(Challenger(short, 1.0),), slots=everybody))
    _write(world, ROW)
    assert world.ok({"entity_id": "e-1"})["variant"] == role
    world.clock.now += 3_601
    world.durable.away = True
    inside = world.ok({"entity_id": "e-1"})
    assert inside["degraded_because"] == ["tenure has left the fast tier, and the durable one does not answer"]
    world.durable.away = False
    world.clock.now += 60
    outside = world.ok({"entity_id": "e-1"})
    assert (outside["variant"], outside["features"]["tier"]) == (role, "durable")
