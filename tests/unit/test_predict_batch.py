"""A batch: every entity as it would be answered alone, errors in their places, one read and one run."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.plans import Plan
from ebb.routing.table import Challenger, Cheap, RoutingTable, Shadow
from tests.fakes.contracts import ROW
from tests.fakes.predicting import World

SALT = "0" * 32


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def batch(world: World, entities: list[Any], **more: Any) -> list[dict[str, Any]]:
    document = world.ok({"entities": entities, **more}, batch=True)
    answers: list[dict[str, Any]] = document["predictions"]
    assert document["failed"] == sum("error" in answer for answer in answers)
    return answers


def alone(world: World, entity: Any, **more: Any) -> dict[str, Any]:
    result = world.call({**entity, **more} if isinstance(entity, dict) else entity)
    document: dict[str, Any] = orjson.loads(result.body)
    if result.status != 200:
        return {"error": document}
    document["features"].pop("provenance")
    return document


def comparable(answer: dict[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        return {"error": answer["error"]}
    return answer


def fill(world: World) -> None:
    """Hold entities of every kind, in a table with every role."""
    cheap, challenger, shadow = (world.publish(bias, champion=False) for bias in (0.5, 1.0, 2.0))
    world.route(
        RoutingTable(
            1,
            SALT,
            world.releases.champion("tiny") or "",
            challengers=(Challenger(challenger, 0.3),),
            cheap=Cheap(cheap, 0.3, 0.3),
            shadow=Shadow(shadow, 1e3),
            slots={challenger: ((0, 3_000),), cheap: ((3_000, 6_000),)},
        )
    )
    for number in range(40):
        world.hold({**ROW, "tenure": number}, entity_id=f"e-{number}")
    world.hold({**ROW, "plan": "gold"}, entity_id="unseen")
    world.hold({"plan": "basic"}, entity_id="poor")
    world.hold(age=31 * 86_400, entity_id="old")
    world.hold({**ROW, "tenure": 4_000}, entity_id="odd")


ENTITIES = st.one_of(
    st.integers(0, 39).map(lambda number: {"entity_id": f"e-{number}"}),
    st.sampled_from(["unseen", "poor", "old", "odd", "nobody"]).map(lambda name: {"entity_id": name}),
    st.sampled_from([{"tenure": 5}, {"tenure": "x"}, {"colour": 1}, ROW, {"city": None}, {"plan": [1]}]).map(
        lambda values: {"entity_id": "e-3", "features": values}
    ),
    st.sampled_from([{}, {"entity_id": 3}, {"entity_id": ""}]),
)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> list[World]:
    """Two worlds that hold the same, so that one can be asked together and the other one by one."""
    made = []
    for _ in range(2):
        world = World(tmp_path_factory.mktemp("world"))
        fill(world)
        assert world.serving.now(1).table.version == 1
        made.append(world)
    return made


@settings(max_examples=60, deadline=None)
@given(entities=st.lists(ENTITIES, min_size=1, max_size=12), explain=st.booleans())
def test_a_batch_is_what_each_is_alone(worlds: list[World], entities: list[Any], explain: bool) -> None:
    for world in worlds:
        world.recorder.events.clear()
    together = [comparable(answer) for answer in batch(worlds[0], entities, explain=explain)]
    one_by_one = [comparable(alone(worlds[1], entity, explain=explain)) for entity in entities]
    for answer in (*together, *one_by_one):  # read a second time, a record comes from the tier in front
        if "features" in answer:
            answer["features"].pop("tier")
    assert together == one_by_one
    told = [
        [
            (
                e.entity_id,
                e.probability,
                e.variant,
                e.release,
                e.escalated,
                bool(e.salt),
                e.shadow and e.shadow.probability,
            )
            for e in world.recorder.events
        ]
        for world in worlds
    ]
    assert told[0] == told[1]


def test_one_read_and_one_run_of_each_graph(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(200):
        world.hold({**ROW, "tenure": number % 100}, entity_id=f"e-{number}")
    batch(world, [{"entity_id": f"e-{number}"} for number in range(200)])  # now the tier in front holds them
    release = world.serving.now().champion.release
    assert release is not None
    runs, score = list[int](), release.scorer.score

    def counted(inputs: Any) -> Any:
        runs.append(len(inputs))
        return score(inputs)

    monkeypatch.setattr(release.scorer, "score", counted)
    asked = world.fast.asked
    answers = batch(world, [{"entity_id": f"e-{number}"} for number in range(200)])
    assert (runs, world.fast.asked - asked) == ([200], 1)
    assert {answer["features"]["tier"] for answer in answers} == {"fast"}
    assert len({answer["entity_id"] for answer in answers}) == 200


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({}, 422, "1 to 1,000"),
        ({"entities": []}, 422, "1 to 1,000"),
        ({"entities": {}}, 422, "1 to 1,000"),
        ({"entities": [{"entity_id": "e"}] * 1_001}, 422, "1 to 1,000"),
        ({"entities": [{"entity_id": "e"}] * 101, "explain": True}, 422, "1 to 100"),
        ({"entities": [{"entity_id": "e"}], "x": 1}, 422, "unknown key 'x'"),
        (b"[", 400, "not valid JSON"),
        (b'{"entities": "' + b"x" * 5_000_000 + b'"}', 413, "at most 5,000,000"),
    ],
)
def test_a_bad_batch_is_refused_as_a_whole(world: World, body: object, status: int, says: str) -> None:
    result = world.call(body, batch=True)
    assert (result.status, says in orjson.loads(result.body)["detail"]) == (status, True)


def test_a_batch_of_nothing_but_bad_items_is_answered(world: World) -> None:
    answers = batch(world, [3, {}, {"entity_id": 1}, {"entity_id": "e-1", "explain": True}])
    assert [answer["error"]["status"] for answer in answers] == [422] * 4
    assert [answer["entity_id"] for answer in answers] == [None] * 4
    assert "unknown key 'explain'; this call knows entity_id, features" in answers[3]["error"]["detail"]


def test_scopes(world: World) -> None:
    body = {"entities": [{"entity_id": "e-1", "features": ROW}]}
    assert world.call(body, scope="", batch=True).status == 403
    assert world.call({**body, "explain": True}, scope="predict", batch=True).status == 403
    assert world.call(body, scope="predict", batch=True).status == 200


def test_a_batch_counts_as_many_requests(tmp_path: Path) -> None:
    world = World(tmp_path, plan=Plan(1.0, 10.0))
    world.fast.away = True
    world.ok({"entities": [{"entity_id": "e", "features": ROW}] * 20}, batch=True)  # on credit
    refused = world.call({"entity_id": "e", "features": ROW})
    assert refused.status == 429
    assert int(refused.headers["retry-after"]) >= 9


def test_nobody_is_answered_when_the_events_cannot_be_written(world: World) -> None:
    world.recorder.away = True
    assert world.call({"entities": [{"entity_id": "e", "features": ROW}] * 3}, batch=True).status == 503
