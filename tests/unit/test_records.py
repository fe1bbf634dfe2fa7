"""Writing features: what is accepted lands in both tiers, what is refused changes nothing."""

from typing import Any

import orjson
import pytest

from ebb.contract import Contract
from ebb.errors import NoRelease
from ebb.http.doors import answer
from ebb.http.problems import Answer
from ebb.plans import Plan
from ebb.ports import Access
from lambdas.records.admission import limited
from lambdas.records.service import BATCH_ENTITIES, TOO_LATE, RecordsService
from tests.fakes.contracts import ROW, tiny_contract
from tests.fakes.events import event
from tests.fakes.stores import MemoryStore

NOW = 1_800_000_000.0


class World:
    """The records function around in-memory tiers."""

    def __init__(self) -> None:
        self.tiers = MemoryStore()
        self.tiers.clock.now = NOW
        self.fast, self.durable = self.tiers.fast, self.tiers.durable
        self.service = RecordsService(tiny_contract, self.tiers.store, lambda: NOW, lambda *_: None)

    def put(self, body: object, entity_id: str = "e-1", scope: str = "features:write") -> Answer:
        made = event("PUT /v1/features/{entity_id}", _bytes(body), scope=scope, path={"entity_id": entity_id})
        return answer(made, self.service.put_features, self.service.report)

    def batch(self, body: object) -> Answer:
        made = event("POST /v1/features/batch", _bytes(body), scope="features:write")
        return answer(made, self.service.put_batch, self.service.report)


def _bytes(body: object) -> bytes:
    return body if isinstance(body, bytes) else orjson.dumps(body)


@pytest.fixture
def world() -> World:
    return World()


def test_a_write_lands_in_both_tiers(world: World) -> None:
    assert world.put({"features": ROW}).status == 200
    assert world.durable.records["e-1"].values == ROW
    assert world.fast.held(["e-1"]) == world.durable.records
    assert world.durable.notes == {}
    assert set(world.durable.records["e-1"].event_times.values()) == {NOW}


def test_some_features_leave_the_others(world: World) -> None:
    world.put({"features": ROW, "event_time": NOW - 10})
    assert orjson.loads(world.put({"features": {"tenure": 6}}).body) == {"entity_id": "e-1", "written": 1}
    assert world.fast.held(["e-1"])["e-1"].values == {**ROW, "tenure": 6}


def test_what_lost_to_a_newer_value_is_not_counted(world: World) -> None:
    world.put({"features": {"tenure": 6}, "event_time": NOW + 200})
    assert orjson.loads(world.put({"features": {"tenure": 5, "plan": "plus"}}).body)["written"] == 1


def test_a_late_event_never_overwrites_a_newer_value(world: World) -> None:
    world.put({"features": {"tenure": 6}, "event_time": NOW - 10})
    world.put({"features": {"tenure": 5, "plan": "plus"}, "event_time": NOW - 20})
    assert world.fast.held(["e-1"])["e-1"].values == {"tenure": 6, "plan": "plus"}


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"{", 400, "JSON"),
        ({}, 422, "`features`"),
        ({"features": {}}, 422, "at least one"),
        ({"features": {"tenure": {"a": 1}}}, 422, "plain value"),
        ({"features": {"tenure": -1}}, 422, "minimum of 0"),
        ({"features": {"tenure": None}}, 422, "is missing"),
        ({"features": {"hair": "red"}}, 422, "no feature"),
        ({"features": {"tenure": 1}, "event_time": NOW + 301}, 422, "event_time"),
        ({"features": {"tenure": 1}, "event_time": "today"}, 422, "event_time"),
        ({"features": {"tenure": 1}, "event_time": True}, 422, "event_time"),
        ({"features": {"tenure": 1}, "when": 3}, 422, "unknown key"),
    ],
)
def test_what_is_refused_changes_nothing(world: World, body: object, status: int, says: str) -> None:
    result = world.put(body)
    assert result.status == status
    assert says in orjson.loads(result.body)["detail"]
    assert world.durable.records == {}


def test_the_scope_is_needed(world: World) -> None:
    assert world.put({"features": ROW}, scope="predict").status == 403
    assert world.put({"features": ROW}, entity_id="a\tb").status == 422


def _entities(count: int) -> dict[str, Any]:
    return {"entities": [{"entity_id": f"e-{i}", "features": ROW} for i in range(count)]}


def test_a_batch_is_written(world: World) -> None:
    assert BATCH_ENTITIES == 1_000
    assert orjson.loads(world.batch(_entities(BATCH_ENTITIES)).body) == {"written": BATCH_ENTITIES}
    assert len(world.fast.records) == BATCH_ENTITIES


def test_a_batch_with_one_bad_value_is_refused_whole_and_names_its_position(world: World) -> None:
    body = _entities(3)
    body["entities"][1] = {"entity_id": "e-1", "features": {**ROW, "tenure": 9999}}
    result = world.batch(body)
    assert result.status == 422
    assert orjson.loads(result.body)["errors"][0]["feature"] == "entities[1].tenure"
    assert world.durable.records == {}


@pytest.mark.parametrize("body", [{}, {"entities": []}, {"entities": [3]}, {"entities": "all"}, _entities(1_001)])
def test_a_batch_of_the_wrong_shape(world: World, body: object) -> None:
    assert world.batch(body).status == 422
    assert world.durable.records == {}


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ({"entity_id": "e", "features": {}}, "entities[1]: `features` must name at least one"),
        ({"entity_id": "", "features": ROW}, "entities[1]: `entity_id`"),
        ({"entity_id": "e", "features": ROW, "when": 3}, "entities[1]: unknown key 'when'"),
        ({"entity_id": "e", "features": ROW, "event_time": NOW + 301}, "entities[1]: `event_time`"),
        ([], "entities[1] must be an object"),
    ],
)
def test_whatever_is_wrong_with_an_item_its_position_is_named(world: World, item: object, says: str) -> None:
    body = _entities(3)
    body["entities"][1] = item
    result = world.batch(body)
    assert result.status == 422
    assert says in orjson.loads(result.body)["detail"]
    assert world.durable.records == {}


def test_a_lost_durable_tier_is_a_503_and_nothing_is_written(world: World) -> None:
    world.durable.away = True
    result = world.put({"features": ROW})
    assert (result.status, result.headers["retry-after"]) == (503, "1")
    assert world.fast.records == {}


def test_a_lost_fast_tier_costs_no_write_and_leaves_a_note(world: World) -> None:
    world.fast.away = True
    assert world.put({"features": ROW}).status == 200
    assert world.durable.records["e-1"].values == ROW
    assert len(world.durable.notes) == 1


def _erase(world: World, entity_id: str) -> None:
    world.fast.put(world.durable.erase(entity_id, Access(NOW, "acme", "erase", "c")).records)


def test_what_is_older_than_an_erasure_is_not_written_and_the_answer_says_so(world: World) -> None:
    world.put({"features": ROW, "event_time": NOW - 20})
    _erase(world, "e-1")
    late = orjson.loads(world.put({"features": ROW, "event_time": NOW - 1}).body)
    assert late == {"entity_id": "e-1", "written": 0, "note": TOO_LATE}
    assert world.fast.held(["e-1"])["e-1"].is_tombstone
    assert orjson.loads(world.put({"features": {"tenure": 6}, "event_time": NOW + 1}).body)["written"] == 1
    assert world.fast.held(["e-1"])["e-1"].values == {"tenure": 6}
    again = orjson.loads(world.put({"features": {"plan": "plus"}, "event_time": NOW - 1}).body)
    assert again["written"] == 0, "the erasure is a floor for good"


def test_a_batch_says_how_many_came_after_their_erasure(world: World) -> None:
    _erase(world, "e-1")
    body = {"entities": [{"entity_id": f"e-{i}", "features": ROW, "event_time": NOW - 1} for i in range(3)]}
    assert orjson.loads(world.batch(body).body) == {"written": 2, "not_written": 1, "note": TOO_LATE}


def test_no_release_yet() -> None:
    def none_yet() -> Contract:
        raise NoRelease("there is no release yet: train one with `ebb train`")

    service = RecordsService(none_yet, MemoryStore().store, lambda: NOW, lambda *_: None)
    made = event(
        "PUT /v1/features/{entity_id}", _bytes({"features": ROW}), scope="features:write", path={"entity_id": "e"}
    )
    assert answer(made, service.put_features, service.report).status == 503


class Limited(World):
    """The same with a plan of three requests at once, the next in a hundred seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.tiers = MemoryStore(plan=Plan(0.01, 2))
        self.tiers.fast.away = True  # now the limiter in the process decides
        self.tiers.clock.now = NOW
        self.service = RecordsService(tiny_contract, self.tiers.store, lambda: NOW, lambda *_: None)


def test_a_write_counts_as_one_request_and_a_batch_as_many_as_it_has_entities() -> None:
    world = Limited()
    assert world.batch(_entities(2)).status == 200
    assert world.put({"features": ROW}).status == 200
    refused = world.put({"features": ROW})
    assert refused.status == 429
    assert int(refused.headers["retry-after"]) > 1
    assert "ratelimit-policy" in refused.headers
    assert world.batch(_entities(1)).status == 429


def test_a_batch_that_is_too_much_writes_nothing() -> None:
    world = Limited()
    assert world.batch(_entities(4)).status == 200, "a batch may owe"
    held = set(world.tiers.durable.records)
    assert world.batch(_entities(9)).status == 429
    assert set(world.tiers.durable.records) == held


def test_routes_that_count_nothing_themselves_are_counted() -> None:
    world = Limited()
    route = limited(world.tiers.store, lambda call: {"client": call.client})
    statuses = [answer(event("GET /x"), route, lambda *_: None).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert answer(event("GET /x", client="another"), route, lambda *_: None).status == 200
