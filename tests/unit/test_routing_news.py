"""A change of the routing table reaches an environment with the answer of its next feature read, and not otherwise."""

from pathlib import Path
from typing import Any

import pytest

from ebb.ports import FeatureUpdate
from ebb.routing.table import Challenger, RoutingTable, Shadow
from tests.fakes.contracts import ROW
from tests.fakes.predicting import World

SALT = "0" * 32


class Rollout(World):
    """Two releases, both loaded: the newer one is the champion, the older one the one before."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.old, self.new = self.publish(0.0), self.publish(1.0, champion=False)
        self.route(RoutingTable(1, SALT, self.new, self.old))
        self.tiers.store.write([FeatureUpdate("e-1", ROW, self.clock() - 60)])

    def ask(self, *, batch: bool) -> dict[str, Any]:
        """Ask once, without a look at the serving: what an environment hears is the answer of its read."""
        if not batch:
            return self.ok({"entity_id": "e-1"})
        [answer] = self.ok({"entities": [{"entity_id": "e-1"}]}, batch=True)["predictions"]
        return dict(answer)


@pytest.fixture
def rollout(tmp_path: Path) -> Rollout:
    return Rollout(tmp_path)


@pytest.mark.parametrize("batch", [False, True])
def test_a_rollback_is_in_force_with_the_next_prediction(rollout: Rollout, batch: bool) -> None:
    assert rollout.ask(batch=batch)["release"] == f"tiny/{rollout.new}"
    rollout.route(RoutingTable(2, SALT, rollout.old, rollout.new))
    assert rollout.ask(batch=batch)["release"] == f"tiny/{rollout.old}"
    assert [event.routing for event in rollout.recorder.events] == [1, 2]


def test_a_loaded_challenger_is_crowned_with_the_next_prediction(rollout: Rollout) -> None:
    third = rollout.publish(2.0, champion=False)
    everybody = {third: ((0, 10_000),)}
    rollout.route(RoutingTable(2, SALT, rollout.new, rollout.old, (Challenger(third, 1.0),), slots=everybody))
    rollout.until(lambda: rollout.ask(batch=False)["variant"] == "challenger")
    rollout.route(RoutingTable(3, SALT, third, rollout.new))
    told = rollout.ask(batch=False)
    assert (told["variant"], told["release"]) == ("champion", f"tiny/{third}")


def test_what_was_not_announced_is_not_looked_for(rollout: Rollout, monkeypatch: pytest.MonkeyPatch) -> None:
    rollout.ask(batch=False)
    looks: list[str] = []
    latest = rollout.routing.latest

    def looked(contract: str) -> RoutingTable | None:
        looks.append(contract)
        return latest(contract)

    monkeypatch.setattr(rollout.routing, "latest", looked)
    rollout.route(RoutingTable(2, SALT, rollout.old, rollout.new), announce=False)
    for _ in range(20):
        rollout.monotonic += 60
        assert rollout.ask(batch=False)["release"] == f"tiny/{rollout.new}"
    assert looks == []  # the hot route reads no file while nothing is new


def test_a_lost_valkey_takes_no_table_away(rollout: Rollout) -> None:
    rollout.ask(batch=False)
    rollout.route(RoutingTable(2, SALT, rollout.old, rollout.new))
    rollout.ask(batch=False)
    rollout.fast.away = True
    assert rollout.ask(batch=False)["release"] == f"tiny/{rollout.old}"
    assert rollout.recorder.events[-1].routing == 2


def test_an_answer_in_the_meantime_is_whole_and_of_the_old_table(
    rollout: Rollout, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout.ask(batch=False)
    third = rollout.publish(2.0, champion=False)

    def nothing_yet() -> None:
        """Stand for a thread that got no turn so far: frozen, say."""

    monkeypatch.setattr(rollout.serving, "_order", nothing_yet)
    rollout.route(RoutingTable(2, SALT, third, rollout.new, shadow=Shadow(rollout.old)))
    for _ in range(3):
        assert rollout.ask(batch=False)["release"] == f"tiny/{rollout.new}"
        event = rollout.recorder.events[-1]
        assert (event.routing, event.shadow, list(event.degraded)) == (1, None, [])
