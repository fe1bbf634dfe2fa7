"""What an answer costs and who pays: shared among a batch, added up by role; and whose cases the margin moves."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from ebb.http.doors import answer
from ebb.routing.table import Challenger, Cheap, RoutingTable
from lambdas.predict.bootstrap import bootstrap
from tests.fakes.contracts import ROW
from tests.fakes.events import event
from tests.fakes.predicting import World
from tests.unit.test_handlers import ENVIRONMENT

SALT = "0" * 32
ALL = ((0, 10_000),)
DOLLARS_A_SECOND = 0.0000133334
"""Of the one gigabyte that the fake function has."""
HARD = {**ROW, "tenure": 40, "plan": "plus", "paperless": False}
"""Scored near the threshold by the release with bias 0.5."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def _route(world: World, **roles: Any) -> None:
    world.route(RoutingTable(1, SALT, world.releases.champion("tiny") or "", **roles))


def _slow(world: World, version: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each run of a release's graph take so long on the world's own clock."""
    release = world.serving.now().releases[version].release
    assert release is not None
    score = release.scorer.score

    def slowly(inputs: Any) -> Any:
        world.monotonic += seconds
        return score(inputs)

    monkeypatch.setattr(release.scorer, "score", slowly)


@pytest.mark.parametrize("entities", [1, 2, 50])
def test_a_batch_shares_its_time_and_its_cost_among_its_answers(
    world: World, monkeypatch: pytest.MonkeyPatch, entities: int
) -> None:
    _slow(world, world.releases.champion("tiny") or "", 0.010, monkeypatch)
    for number in range(entities):
        world.hold(entity_id=f"e-{number}")
    world.ok({"entities": [{"entity_id": f"e-{number}"} for number in range(entities)]}, batch=True)
    events = world.recorder.events
    assert [event.milliseconds for event in events] == pytest.approx([10.0 / entities] * entities)
    assert [event.cost for event in events] == pytest.approx([0.010 * DOLLARS_A_SECOND / entities] * entities)
    assert world.signals.amounts["cost_usd_champion"] == pytest.approx(0.010 * DOLLARS_A_SECOND)
    assert world.signals.measured["latency_ms"] == pytest.approx([10.0])
    assert world.signals.amounts["score_sum"] == pytest.approx(sum(event.probability for event in events))
    assert world.signals.counts["predictions"] == world.signals.counts["variant_champion"] == entities


def test_roles_of_one_batch_pay_by_their_answers_and_no_cent_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cheap = world.publish(0.5, champion=False)
    _route(world, cheap=Cheap(cheap, 0.5), slots={cheap: ((0, 5_000),)})
    _slow(world, cheap, 0.001, monkeypatch)
    _slow(world, world.releases.champion("tiny") or "", 0.009, monkeypatch)
    for number in range(40):
        world.hold(entity_id=f"e-{number}")
    world.ok({"entities": [{"entity_id": f"e-{number}"} for number in range(40)]}, batch=True)
    roles = [event.variant for event in world.recorder.events]
    assert set(roles) == {"champion", "cheap"}
    for role in ("champion", "cheap"):
        expected = 0.010 * DOLLARS_A_SECOND * roles.count(role) / 40
        assert world.signals.amounts[f"cost_usd_{role}"] == pytest.approx(expected)
    assert sum(event.cost for event in world.recorder.events) == pytest.approx(0.010 * DOLLARS_A_SECOND)


def test_a_hard_case_costs_what_both_releases_took(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = world.publish(0.5, champion=False)
    _route(world, cheap=Cheap(cheap, 1.0, 0.3), slots={cheap: ALL})
    _slow(world, cheap, 0.001, monkeypatch)
    _slow(world, world.releases.champion("tiny") or "", 0.009, monkeypatch)
    world.hold(HARD)
    world.ok({"entity_id": "e-1"})
    [recorded] = world.recorder.events
    assert (recorded.variant, recorded.escalated) == ("champion", True)
    assert recorded.milliseconds == pytest.approx(10.0)
    assert recorded.cost == pytest.approx(0.010 * DOLLARS_A_SECOND)


def test_the_margin_is_the_cheap_releases_and_no_challengers_case_goes_on(world: World) -> None:
    cheap, challenger = world.publish(0.25, champion=False), world.publish(0.5, champion=False)
    _route(world, challengers=(Challenger(challenger, 1.0),), cheap=Cheap(cheap, 0.0, 0.9), slots={challenger: ALL})
    world.hold(HARD)
    document = world.ok({"entity_id": "e-1"})
    assert abs(document["probability"] - document["threshold"]) < 0.9
    assert (document["variant"], document["release"]) == ("challenger", f"tiny/{challenger}")
    [recorded] = world.recorder.events
    assert (recorded.variant, recorded.escalated) == ("challenger", False)
    assert world.signals.counts["escalated"] == 0


def test_a_case_exactly_at_the_margin_is_easy(world: World) -> None:
    cheap = world.publish(0.5, champion=False)
    world.hold(HARD)
    champion = world.releases.champion("tiny") or ""
    world.route(RoutingTable(1, SALT, champion, cheap=Cheap(cheap, 1.0, 0.0), slots={cheap: ALL}))
    told = world.ok({"entity_id": "e-1"})
    margin = abs(told["probability"] - told["threshold"])
    for version, (wide, variant) in enumerate([(margin, "cheap"), (margin * 1.000001, "champion")], start=2):
        world.route(RoutingTable(version, SALT, champion, cheap=Cheap(cheap, 1.0, wide), slots={cheap: ALL}))
        document = world.ok({"entity_id": "e-1"})
        assert (document["variant"], world.recorder.events[-1].routing) == (variant, version)


@pytest.mark.parametrize("megabytes", ["512", "2048"])
def test_a_millisecond_costs_what_the_functions_memory_does(tmp_path: Path, megabytes: str) -> None:
    world = World(tmp_path)
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_bytes(bytes(range(32)))
    environment = {
        **ENVIRONMENT,
        "EBB_RELEASES": str(tmp_path / "releases"),
        "EBB_ROUTING": str(tmp_path / "routing"),
        "EBB_STAGE_SECRET_FILE": str(secret),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": megabytes,
    }
    service = bootstrap(environment, store=world.tiers.store, recorder=world.recorder)
    body = orjson.dumps({"entity_id": "e-1", "features": ROW})
    assert answer(event("POST /v1/predictions", body), service.predict, service.report).status == 200
    [recorded] = world.recorder.events
    assert recorded.milliseconds > 0
    per_millisecond = int(megabytes) / 1024 * DOLLARS_A_SECOND / 1000
    assert recorded.cost / recorded.milliseconds == pytest.approx(per_millisecond)
