"""A subject's rights through the function: everything in one document, erased in every tier, both recorded."""

from typing import Any

import orjson
import pytest

from ebb.http.doors import answer
from ebb.http.problems import Answer
from ebb.ports import Access, FeatureUpdate
from ebb.store.repair import drain
from ebb.store.subject_document import AWAY, COLD
from ebb.store.subjects import CACHE_SECONDS, Subjects
from lambdas.records.subjects import SubjectsService
from tests.fakes.durable import MemoryDurable
from tests.fakes.events import event
from tests.fakes.fast import MemoryFast

NOW = 1_800_000_000.0
PATH = "/v1/subjects/{entity_id}"


class World:
    """The subject routes around in-memory tiers, which hold one subject."""

    def __init__(self) -> None:
        self.now = NOW
        self.durable, self.fast = MemoryDurable(lambda: self.now), MemoryFast()
        self.service = SubjectsService(Subjects(self.durable, self.fast), lambda: self.now)
        self.write({"city": "Ghent", "tenure": 3}, NOW - 20)
        self.write({"tenure": 4}, NOW - 10)

    def write(self, values: dict[str, Any], at: float) -> None:
        merged = self.durable.merge([FeatureUpdate("e-1", values, at)])
        self.fast.put(merged.records)
        self.durable.settle(merged.repair)

    def show(self, entity_id: str = "e-1", scope: str = "subjects", **query: str) -> Answer:
        made = event(f"GET {PATH}", scope=scope, path={"entity_id": entity_id}, query=query)
        return answer(made, self.service.export, lambda *_: None)

    def erase(self, entity_id: str = "e-1", scope: str = "subjects") -> Answer:
        made = event(f"DELETE {PATH}", scope=scope, path={"entity_id": entity_id})
        return answer(made, self.service.erase, lambda *_: None)


@pytest.fixture
def world() -> World:
    return World()


def _document(result: Answer) -> dict[str, Any]:
    assert result.status == 200, result.body
    document: dict[str, Any] = orjson.loads(result.body)
    return document


def test_what_was_true_at_a_moment_as_it_was_known_at_another(world: World) -> None:
    world.now += 100
    world.write({"tenure": 9}, NOW - 15)  # comes late
    shown = _document(world.show(event_time=str(NOW - 12), ingested_at=str(NOW)))["known_at"]
    assert {name: each["value"] for name, each in shown["features"].items()} == {"city": "Ghent", "tenure": 3}
    shown = _document(world.show(event_time=str(NOW - 12)))["known_at"]
    assert shown["ingested_at"] == world.now
    assert shown["features"]["tenure"] == {"value": 9, "event_time": NOW - 15}
    assert _document(world.show(event_time="1"))["known_at"]["features"] == {}
    assert "known_at" not in _document(world.show())


@pytest.mark.parametrize("moment", ["yesterday", "", "nan", "-1", "inf", "1e300", "1,2"])
def test_a_moment_that_is_none_is_refused_and_shows_nothing(world: World, moment: str) -> None:
    refused = world.show(event_time=moment)
    assert (refused.status, orjson.loads(refused.body)["type"]) == (422, "urn:ebb:problem:bad-shape")
    assert b"Ghent" not in refused.body


def test_everything_held_stands_in_one_document(world: World) -> None:
    document = _document(world.show())
    assert document["entity_id"] == "e-1"
    assert document["current"]["version"] == 2
    assert document["current"]["features"] == {
        "city": {"value": "Ghent", "event_time": NOW - 20},
        "tenure": {"value": 4, "event_time": NOW - 10},
    }
    assert document["fast_tier"] == {"state": "agrees", "record": document["current"]}
    assert [row["values"] for row in document["history"]] == [{"tenure": 4}, {"city": "Ghent", "tenure": 3}]
    assert document["accesses"] == [{"at": NOW, "client": "acme", "action": "export", "correlation_id": "request-1"}]


def test_a_long_history_comes_in_parts_that_a_function_may_answer(world: World) -> None:
    text = "x" * 250
    for number in range(30_000):
        world.durable.merge([FeatureUpdate("long", {"city": text, "tenure": number}, NOW - number)])
    seen: list[int] = []
    following: int | None = 0
    while following is not None:
        result = world.show("long", history_from=str(following))
        assert len(result.payload()["body"]) < 6_000_000
        part = _document(result)
        seen += [row["values"]["tenure"] for row in part["history"]]
        following = part["history_next"]
    assert seen == list(range(30_000))


@pytest.mark.parametrize("start", ["-1", "x", "1.5", "", "\u0661", "9" * 16])
def test_a_part_that_is_none_is_refused_and_shows_nothing(world: World, start: str) -> None:
    assert world.show(history_from=start).status == 422
    assert world.durable.looks == {}


def test_the_salt_is_not_told(world: World) -> None:
    salt = world.durable.records["e-1"].salt
    assert salt
    assert salt.encode() not in world.show().body


def test_each_look_is_recorded_and_one_that_cannot_be_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.show()
    assert len(_document(world.show())["accesses"]) == 2

    def full(_entity_id: str, _access: Access) -> None:
        world.durable.away = True
        world.durable.read("e-1")

    monkeypatch.setattr(world.durable, "record_access", full)
    refused = world.show()
    assert refused.status == 503
    assert b"Ghent" not in refused.body


def test_a_fast_tier_that_differs_is_told(world: World) -> None:
    world.durable.merge([FeatureUpdate("e-1", {"tenure": 9}, NOW)])
    assert _document(world.show())["fast_tier"]["state"] == "older"
    world.fast.expire("e-1")
    assert _document(world.show())["fast_tier"] == {"state": COLD, "record": None}
    world.fast.away = True
    assert _document(world.show())["fast_tier"] == {"state": AWAY, "record": None}


def test_a_write_that_passes_through_is_no_difference(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    record = world.durable.record_access

    def write_in_between(entity_id: str, access: Access) -> None:
        world.write({"tenure": 9}, NOW)
        record(entity_id, access)

    monkeypatch.setattr(world.durable, "record_access", write_in_between)
    document = _document(world.show())
    assert document["fast_tier"]["state"] == "agrees"
    assert document["current"]["features"]["tenure"]["value"] == 9


def test_an_unknown_subject_is_a_404_and_leaves_no_trace(world: World) -> None:
    assert world.show("nobody").status == 404
    assert "nobody" not in world.durable.looks


def test_the_scope_and_a_good_id_are_needed(world: World) -> None:
    assert world.show(scope="predict features:write").status == 403
    assert world.erase(scope="predict features:write").status == 403
    assert world.show("a\tb").status == world.erase("a\tb").status == 422
    assert world.durable.looks == {}


def test_erasure_reaches_both_tiers_and_says_when_the_caches_are_clear(world: World) -> None:
    assert _document(world.erase()) == {
        "entity_id": "e-1",
        "erased_at": NOW,
        "durable_tier": "erased",
        "fast_tier": "erased",
        "caches_clear_at": NOW + CACHE_SECONDS,
    }
    for held in (world.durable.records["e-1"], world.fast.held(["e-1"])["e-1"]):
        assert held.is_tombstone
        assert held.salt == ""
    assert world.durable.writes == {}
    assert world.durable.notes == {}


def test_an_erased_subject_sees_that_and_when(world: World) -> None:
    world.erase()
    document = _document(world.show())
    assert document["current"] == {"version": 3, "erased_at": NOW, "salt": "none", "features": {}}
    assert document["history"] == []
    assert [access["action"] for access in document["accesses"]] == ["erase", "export"]


def test_with_the_fast_tier_away_the_note_stays_and_repairs_it(world: World) -> None:
    world.fast.away = True
    told = _document(world.erase())
    assert (told["fast_tier"], told["caches_clear_at"]) == ("pending", None)
    world.fast.away = False
    assert world.fast.held(["e-1"])["e-1"].values, "it still holds what was erased"
    assert len(world.durable.notes) == 1
    world.now += 3
    assert drain(world.durable, world.fast, 2.0, 10).away == ""
    assert world.fast.held(["e-1"])["e-1"].is_tombstone


def test_a_lost_durable_tier_erases_nothing(world: World) -> None:
    world.durable.away = True
    assert world.erase().status == 503
    world.durable.away = False
    assert world.fast.held(["e-1"])["e-1"].values


def test_erasing_twice_is_fine_and_a_stranger_gets_a_tombstone_too(world: World) -> None:
    first = _document(world.erase())
    world.now += 5
    second = _document(world.erase())
    assert second["erased_at"] >= first["erased_at"]
    assert _document(world.erase("on-the-way"))["durable_tier"] == "erased"
    world.durable.merge([FeatureUpdate("on-the-way", {"tenure": 1}, NOW - 100)])
    assert world.durable.records["on-the-way"].is_tombstone


def test_a_late_event_does_not_bring_a_subject_back_and_a_newer_one_starts_anew(world: World) -> None:
    salt = world.durable.records["e-1"].salt
    world.erase()
    world.write({"city": "Ghent"}, NOW - 1)
    assert world.fast.held(["e-1"])["e-1"].is_tombstone
    world.write({"tenure": 1}, NOW + 1)
    held = world.fast.held(["e-1"])["e-1"]
    assert held.values == {"tenure": 1}
    assert held.salt not in {"", salt}
    assert [row.values for row in world.durable.history("e-1")] == [{"tenure": 1}]
    world.write({"city": "Ghent"}, NOW - 1)
    assert world.fast.held(["e-1"])["e-1"].values == {"tenure": 1}, "the floor stays"


def test_an_event_ahead_of_the_clock_does_not_come_back_when_it_is_sent_again(world: World) -> None:
    world.write({"city": "Ghent"}, NOW + 200)
    told = _document(world.erase())
    assert (told["erased_at"], told["caches_clear_at"]) == (NOW + 200, NOW + CACHE_SECONDS)
    world.now += 10
    world.write({"city": "Ghent"}, NOW + 200)
    assert world.fast.held(["e-1"])["e-1"].is_tombstone
