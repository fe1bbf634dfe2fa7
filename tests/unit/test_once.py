"""Writes that name an idempotency key: done once, answered alike, and nothing personal is kept of them."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import BadShape
from ebb.http.calls import Call
from ebb.http.doors import answer
from ebb.http.problems import Answer
from ebb.http.scopes import ADMIN, FEATURES
from ebb.plans import Plan
from lambdas.records.once import LEASE_SECONDS, Once
from lambdas.records.service import RecordsService
from tests.fakes.contracts import ROW, tiny_contract
from tests.fakes.events import event
from tests.fakes.idempotency import MemoryIdempotencyKeys
from tests.fakes.stores import Clock, MemoryStore
from tests.unit.test_records_routing import World as RoutingWorld

WHO = "canary.lovelace@example.org"


class World:
    """The two routes that write features, guarded, around tiers in memory."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.tiers = MemoryStore()
        self.keys = MemoryIdempotencyKeys(self.clock)
        self.once = Once(self.keys, self.tiers.store)
        self.service = RecordsService(tiny_contract, self.tiers.store, self.clock, lambda *_: None)
        self.writes = 0

    def counted(self, call: Call) -> dict[str, Any]:
        self.writes += 1
        return self.service.put_features(call)

    def put(self, body: object = None, key: str | None = "k-1", who: str = WHO, **more: Any) -> Answer:
        content = orjson.dumps({"features": ROW} if body is None else body)
        made = event(
            "PUT /v1/features/{entity_id}",
            content,
            scope=more.get("scope", FEATURES),
            path={"entity_id": who},
            client=more.get("client", "acme"),
            headers={} if key is None else {"idempotency-key": key},
        )
        made["requestContext"]["requestId"] = f"call-{self.writes}"
        route = more.get("route", self.counted)
        return answer(made, self.once.guard(FEATURES, route), self.service.report)


@pytest.fixture
def world() -> World:
    return World()


def test_sent_twice_it_is_done_once_and_answered_alike(world: World) -> None:
    first = world.put()
    world.clock.now += 3600
    again = world.put()
    assert (first.status, again.status, world.writes) == (200, 200, 1)
    assert again.body == first.body
    assert orjson.loads(first.body) == {"entity_id": WHO, "written": len(ROW)}
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["content-type"] == first.headers["content-type"]


def test_without_a_key_it_is_done_twice(world: World) -> None:
    assert (world.put(key=None).status, world.put(key=None).status, world.writes) == (200, 200, 2)
    assert world.keys.rows == {}


def test_each_client_has_keys_of_its_own(world: World) -> None:
    world.put(client="acme")
    world.put({"features": {"tenure": 3}}, client="other")
    assert world.writes == 2


@pytest.mark.parametrize("change", [{"body": {"features": {"tenure": 3}}}, {"who": "another"}])
def test_a_key_stands_for_one_request(world: World, change: dict[str, Any]) -> None:
    world.put()
    refused = world.put(**change)
    assert (refused.status, world.writes) == (422, 1)
    document = orjson.loads(refused.body)
    assert document["type"] == "urn:ebb:problem:key-reused"
    assert "its own" in document["detail"]
    assert "k-1" not in refused.body.decode()


def test_what_is_still_under_way_is_a_conflict(world: World) -> None:
    inside: list[Answer] = []

    def slow(call: Call) -> object:
        inside.append(world.put())
        return world.counted(call)

    assert world.put(route=slow).status == 200
    assert (inside[0].status, inside[0].headers["retry-after"]) == (409, "1")
    assert orjson.loads(inside[0].body)["type"] == "urn:ebb:problem:under-way"
    assert world.writes == 1


def test_a_try_that_died_is_taken_over_when_its_lease_is_over(world: World) -> None:
    class Died(BaseException):
        pass

    def dying(_call: Call) -> object:
        world.keys.away = True
        raise Died

    with pytest.raises(Died):
        world.put(route=dying)
    world.keys.away = False
    assert world.put().status == 409
    world.clock.now += LEASE_SECONDS + 1
    assert (world.put().status, world.writes) == (200, 1)
    assert world.put().headers["idempotency-replayed"] == "true"


def test_a_late_first_try_does_not_undo_the_second(world: World) -> None:
    def late(call: Call) -> object:
        world.clock.now += LEASE_SECONDS + 1
        assert world.put().status == 200
        return {**world.service.put_features(call), "written": 99}

    assert orjson.loads(world.put(route=late).body)["written"] == 99
    assert orjson.loads(world.put().body)["written"] == len(ROW)


def test_what_failed_may_be_sent_again(world: World) -> None:
    world.tiers.durable.away = True
    assert world.put().status == 503
    world.tiers.durable.away = False
    assert world.put({"features": {"tenure": -1}}).status == 422
    assert world.keys.rows == {}
    assert world.put().status == 200


def test_a_write_that_stands_is_answered_though_its_answer_cannot_be_kept(world: World) -> None:
    def then_away(call: Call) -> object:
        done = world.counted(call)
        world.keys.away = True
        return done

    assert world.put(route=then_away).status == 200
    assert world.put().status == 503, "what is remembered cannot be had: nothing is done on a guess"
    assert world.writes == 1


def test_the_scope_is_needed_to_be_told_again(world: World) -> None:
    world.put()
    assert world.put(scope="predict").status == 403


@pytest.mark.parametrize("key", ["", "a" * 129, "\u00e4", "a\tb", "a\n", "\x7f"])
def test_an_odd_key_is_refused_before_anything_is_done(world: World, key: str) -> None:
    refused = world.put(key=key)
    assert (refused.status, world.writes) == (422, 0)
    assert "printable ASCII" in orjson.loads(refused.body)["detail"]


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=128))
def test_every_printable_key_is_taken(key: str) -> None:
    world = World()
    assert [world.put(key=key).status, world.put(key=key).status, world.writes] == [200, 200, 1]


def test_nothing_that_is_kept_is_anybodys(world: World) -> None:
    world.put({"features": {**ROW, "city": "Canary-City"}}, key=f"{WHO}-1")
    kept = repr(world.keys.rows)
    assert "Canary" not in kept
    assert "canary" not in kept
    assert "acme" not in kept
    assert "k-1" not in kept
    (key, row), *_ = world.keys.rows.items()
    assert (len(key), len(row.request)) == (32, 32)
    assert row.answer == f'{{"entity_id":null,"written":{len(ROW)}}}'


def test_a_batch_and_a_document_without_an_entity(world: World) -> None:
    def route(call: Call) -> object:
        world.writes += 1
        return world.service.put_batch(call)

    body = orjson.dumps({"entities": [{"entity_id": WHO, "features": ROW}]})
    made = event("POST /v1/features/batch", body, scope=FEATURES, headers={"idempotency-key": "b"})
    answers = [answer(made, world.once.guard(FEATURES, route), world.service.report) for _ in range(2)]
    assert [each.body for each in answers] == [b'{"written":1}'] * 2
    assert world.writes == 1


def test_one_key_on_two_routes_is_two_requests(world: World) -> None:
    world.put()
    made = event("POST /v1/features/batch", b"{}", scope=FEATURES, headers={"idempotency-key": "k-1"})
    assert answer(made, world.once.guard(FEATURES, _never), world.service.report).status == 422


def _never(_call: Call) -> object:
    raise BadShape("nobody comes here")


def test_what_is_answered_from_memory_counts_too() -> None:
    world = World()
    world.tiers = MemoryStore(plan=Plan(0.01, 2))
    world.tiers.fast.away = True  # now the limiter in the process decides
    world.once = Once(world.keys, world.tiers.store)
    world.service = RecordsService(tiny_contract, world.tiers.store, world.clock, lambda *_: None)
    assert [world.put().status for _ in range(4)] == [200, 200, 200, 429]
    assert world.put(key="another").status == 429
    assert len(world.keys.rows) == 1, "what was refused is not remembered"


def test_a_promotion_that_is_sent_twice_is_one() -> None:
    world, routing = World(), RoutingWorld()
    body = orjson.dumps({"release": routing.versions[1]})
    made = event("POST /v1/routing/promote", body, scope=ADMIN, headers={"idempotency-key": "promote"})
    guarded = world.once.guard(ADMIN, routing.service.promote)
    first, again = (answer(made, guarded, lambda *_: None) for _ in range(2))
    assert first.status == 200
    assert again.body == first.body
    assert len(routing.routing.tables) == 2
