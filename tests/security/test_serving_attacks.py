"""Serving under attack, in process: odd tables, odd plans, releases that differ, stored rows that are none."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from onnx import TensorProto, helper

from ebb.contract import Value, parse_contract
from ebb.errors import Misuse, RateLimited, RoutingError
from ebb.features.inputs import accept_row, encode
from ebb.http.problems import problem
from ebb.onnx import OnnxScorer
from ebb.plans import Plans
from ebb.ports import FeatureRecord
from ebb.record_json import record_from_json, record_to_json
from ebb.release import manifest as m
from ebb.release.golden import GoldenExample, golden_to_bytes
from ebb.release.reference import make_reference
from ebb.routing.document import LAST_VERSION, table_from_bytes, table_to_bytes
from ebb.routing.table import Challenger, Cheap, RoutingTable, Shadow
from lambdas.predict.service import PredictService
from lambdas.records.contract import WritableContract
from local.serving.secret import stage_secret
from tests.fakes.contracts import ROW, TEXT
from tests.fakes.predicting import World
from tests.fakes.releases import with_manifest

SALT = "0" * 32
HUGE = "1" + "0" * 400
ALL = ((0, 10_000),)
WIDE = TEXT + '\n[[features]]\nname = "age"\nkind = "number"\nmin = 0\nmissing = true\n'
NARROW = TEXT.partition('[[features]]\nname = "city"')[0]
ANSWER_LIMIT = 6 * 1024 * 1024


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def publish(world: World, text: str, usual: Mapping[str, Value] = ROW) -> str:
    """Write a release of any contract, whose graph looks at the first number alone; return its version."""
    contract = parse_contract(text, "tiny.toml")
    nodes = [
        helper.make_node("Gather", ["numbers", "first"], ["one"], axis=1),
        helper.make_node("Mul", ["one", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["sum"]),
        helper.make_node("Sigmoid", ["sum"], ["p"]),
        helper.make_node("Reshape", ["p", "flat"], ["probability"]),
    ]
    constants = [
        helper.make_tensor("first", TensorProto.INT64, [1], [0]),
        helper.make_tensor("scale", TensorProto.FLOAT, [1], [0.01]),
        helper.make_tensor("bias", TensorProto.FLOAT, [1], [0.1]),
        helper.make_tensor("flat", TensorProto.INT64, [1], [-1]),
    ]
    numbers = helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [None, len(contract.numbers)])
    told = helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None])
    graph = helper.make_graph(nodes, "plain", [numbers], [told], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()
    row: dict[str, Value] = {name: value for name, value in usual.items() if name in contract.by_name}
    inputs = encode(contract, [accept_row(contract, row)] * 2)
    scores = OnnxScorer(model).score(inputs)
    files = {
        m.MODEL: model,
        m.CONTRACT: text.encode(),
        m.REFERENCE: make_reference(contract, inputs, np.array([1, 0], np.int8), scores).to_bytes(),
        m.GOLDEN: golden_to_bytes([GoldenExample("typical", row, float(scores[0]))]),
        m.METRICS: b"{}\n",
        m.CARD: b"<!doctype html>\n",
    }
    version = m.version_of(files)
    world.releases.write("tiny", version, with_manifest(files, contract))
    return version


def table(world: World, version: int = 1, **roles: Any) -> RoutingTable:
    return RoutingTable(version, SALT, world.releases.champion("tiny") or "", **roles)


def restart(world: World) -> None:
    """Begin anew, as another environment."""
    world.serving, world.predictor = world.another()
    world.service = PredictService(world.serving, world.predictor, lambda what, _id: world.reports.append(what))


def damage(world: World, version: int, content: bytes) -> Path:
    """Leave in the store what nobody of Ebb's wrote."""
    path = world.folder / "routing" / "tiny" / f"{version:012d}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    world.fast.announce_routing(version)
    return path


# --- releases whose contracts differ


def test_a_cheap_release_that_knows_fewer_features_passes_over_those_that_a_request_brings(world: World) -> None:
    cheap = publish(world, NARROW)
    world.route(table(world, cheap=Cheap(cheap, 1.0), slots={cheap: ALL}))
    world.hold()
    for features in ({"city": "Ghent"}, ROW):
        answer = world.ok({"entity_id": "e-1", "features": features})
        assert (answer["variant"], answer["degraded"]) == ("cheap", False)
        assert "city" not in answer["features"]["request"]


def test_a_hard_case_takes_to_the_champion_what_the_cheap_release_passed_over(world: World) -> None:
    cheap = publish(world, NARROW)
    world.route(table(world, cheap=Cheap(cheap, 1.0, 0.99), slots={cheap: ALL}))
    answer = world.ok({"entity_id": "nobody", "features": ROW})
    assert answer["variant"] == "champion"
    assert set(answer["features"]["request"]) == set(ROW)
    assert world.recorder.events[-1].escalated


@pytest.mark.parametrize("batch", [False, True])
def test_what_a_challenger_adds_may_be_sent_for_everybody(world: World, batch: bool) -> None:
    wide = publish(world, WIDE)
    world.route(table(world, challengers=(Challenger(wide, 0.5),), slots={wide: ((0, 5_000),)}))
    asked = [{"entity_id": f"e-{number}", "features": {**ROW, "age": 30}} for number in range(20)]
    told = world.ok({"entities": asked}, batch=True)["predictions"] if batch else [world.ok(one) for one in asked]
    assert {one["variant"] for one in told} == {"champion", "challenger"}
    assert {("age" in one["features"]["request"], one["variant"]) for one in told} == {
        (False, "champion"),
        (True, "challenger"),
    }


def test_what_no_release_of_the_table_knows_is_refused_by_each(world: World) -> None:
    wide, narrow = publish(world, WIDE), publish(world, NARROW)
    roles: dict[str, Any] = {"challengers": (Challenger(wide, 0.5),), "cheap": Cheap(narrow, 0.5)}
    world.route(table(world, **roles, slots={wide: ((0, 5_000),), narrow: ((5_000, 10_000),)}))
    for number in range(10):
        refused = world.call({"entity_id": f"e-{number}", "features": {**ROW, "colour": "red"}})
        assert refused.status == 422
        assert [error["feature"] for error in orjson.loads(refused.body)["errors"]] == ["colour"]


def test_a_shadow_that_knows_fewer_features_scores_all_the_same(world: World) -> None:
    world.route(table(world, shadow=Shadow(publish(world, NARROW), 1e3)))
    world.ok({"entity_id": "nobody", "features": ROW})
    shadow = world.recorder.events[-1].shadow
    assert shadow is not None
    assert shadow.probability == pytest.approx(0.5374, abs=1e-3)


def test_a_shadow_that_says_nothing_is_not_counted_as_if_it_had_nor_as_a_broken_model(world: World) -> None:
    strict = TEXT.replace('categories = ["basic", "plus"]', 'categories = ["plus"]\nunseen = "refuse"')
    strict = strict.replace('equals = "basic"', 'equals = "plus"')
    world.route(table(world, shadow=Shadow(publish(world, strict, {**ROW, "plan": "plus"}), 1e3)))
    world.ok({"entity_id": "nobody", "features": ROW})
    shadow = world.recorder.events[-1].shadow
    assert shadow is not None
    assert shadow.probability is None
    counts = world.signals.counts
    assert (counts["shadow_failed"], counts["shadow_scored"], counts["model_failed"]) == (1, 0, 0)


# --- routing tables that were damaged where they lie


@pytest.mark.parametrize("content", [b"", b'{"version": 1', b"[]", b"[" * 100_000, b"\xff", HUGE.encode()])
def test_an_environment_starts_with_the_champion_where_the_newest_table_is_none(world: World, content: bytes) -> None:
    path = damage(world, 1, content)
    world.hold()
    assert world.ok({"entity_id": "e-1"})["variant"] == "champion"
    assert world.signals.counts["routing_unread"] >= 1
    path.write_bytes(table_to_bytes(table(world)))
    world.until(lambda: world.serving.now(1).table.version == 1)


def test_a_table_that_is_damaged_leaves_the_one_before_in_force(world: World) -> None:
    world.route(table(world))
    world.hold()
    assert world.ok({"entity_id": "e-1"})["variant"] == "champion"
    odd = table_to_bytes(table(world, 2, cheap=Cheap("0" * 12, 0.1)))
    damage(world, 2, odd.replace(b'"weight":0.1', b'"weight":' + HUGE.encode()))
    for _ in range(5):
        world.monotonic += 20
        assert world.ok({"entity_id": "e-1"})["variant"] == "champion"
    restart(world)
    assert world.ok({"entity_id": "e-1"})["variant"] == "champion"


@pytest.mark.parametrize(
    ("key", "value"),
    [("weight", HUGE), ("weight", "1e400"), ("margin", "-" + HUGE), ("version", HUGE), ("at", HUGE), ("weight", "NaN")],
)
def test_a_number_that_no_float_holds_is_refused_by_its_key(world: World, key: str, value: str) -> None:
    cheap = Cheap("0" * 12, 0.1, 0.5)
    text = table_to_bytes(table(world, cheap=cheap, slots={cheap.release: ((0, 1_000),)})).decode()
    odd, replaced = re.subn(rf'"{key}":[0-9.]+', f'"{key}":{value}', text)
    assert replaced == 1
    with pytest.raises(RoutingError, match=key):
        table_from_bytes(odd.encode())


def test_versions_end_where_their_names_do(world: World) -> None:
    last = replace(table(world), version=LAST_VERSION)
    assert table_from_bytes(table_to_bytes(last)) == last
    with pytest.raises(RoutingError, match="version"):
        table_from_bytes(table_to_bytes(replace(last, version=LAST_VERSION + 1)))


def test_an_old_table_that_is_damaged_ends_the_history_and_nothing_else(world: World) -> None:
    for version in (1, 2, 3):
        world.route(table(world, version))
    damage(world, 1, b"{")
    assert [one.version for one in world.routing.history("tiny", 20)] == [3, 2]
    damage(world, 3, b"{")
    with pytest.raises(RoutingError, match="000000000003"):
        world.routing.history("tiny", 20)


# --- plans


@pytest.mark.parametrize(
    "text",
    [
        f'{{"default": {{"rate": {HUGE}}}}}',
        f'{{"default": {{"rate": -{HUGE}}}}}',
        f'{{"default": {{"rate": 1, "burst": {HUGE}}}}}',
        f'{{"default": {{"rate": 1, "daily": {HUGE}}}}}',
        '{"default": {"rate": 1e-300}}',
        '{"default": {"rate": 5e-324, "burst": 1}}',
        '{"default": {"rate": 1, "burst": 1e300}}',
        '{"default": {"rate": 1, "burst": Infinity}}',
        '{"default": {"rate": 1, "daily": true}}',
        '{"default": {"rate": true}}',
        "[" * 100_000,
    ],
)
def test_a_plan_that_no_limiter_could_count_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(Misuse, match="EBB_PLANS"):
        Plans.parse(text)


# --- stored rows that are none


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("value", [["x"], {"a": 1}, [[]], True, 1e300])
@pytest.mark.parametrize("name", ["plan", "city", "tenure", "spend", "paperless"])
def test_a_stored_value_of_any_kind_costs_nobody_else_an_answer(
    world: World, name: str, value: Any, batch: bool
) -> None:
    world.hold({**ROW, name: value}, entity_id="odd")
    world.hold(entity_id="good")
    if batch:
        told = world.ok({"entities": [{"entity_id": "odd"}, {"entity_id": "good"}]}, batch=True)["predictions"]
        assert told[1]["degraded"] is False
        odd = told[0]
    else:
        odd = world.ok({"entity_id": "odd"})
    assert odd["degraded"] or (name, value) == ("paperless", True) or (name, value) in {("spend", 1), ("tenure", 1)}
    assert "1e300" not in str(odd["degraded_because"])


@pytest.mark.parametrize("salt", ["zz", "Canary-City", "0" * 31, "0" * 64, 5, ["a"], None, "é" * 32])
def test_a_salt_that_is_none_makes_no_record(salt: object) -> None:
    held = FeatureRecord(ROW, dict.fromkeys(ROW, 1.0), 1, "ab" * 16)
    content = orjson.loads(record_to_json(held))
    assert record_from_json(orjson.dumps(content), 1).salt == "ab" * 16
    with pytest.raises(ValueError, match=r".") as refused:
        record_from_json(orjson.dumps({**content, "s": salt}), 1)
    assert "Canary" not in str(refused.value)


# --- answers that no gateway could hand on


def _escaped(body: bytes) -> int:
    return len(orjson.dumps(body.decode()))


def test_answers_larger_than_a_function_may_give_are_a_problem_of_ours(world: World) -> None:
    wrong = {f"{number:x}": 1 for number in range(100)}
    entities = [{"entity_id": "e-1", "features": wrong}] * 1_000
    refused = world.call({"entities": entities}, batch=True)
    assert (refused.status, orjson.loads(refused.body)["type"]) == (413, "urn:ebb:problem:too-large")
    fewer = world.call({"entities": entities[:400]}, batch=True)
    assert fewer.status == 200
    assert _escaped(fewer.body) < ANSWER_LIMIT
    assert orjson.loads(fewer.body)["failed"] == 400


def test_a_thousand_entities_with_the_longest_names_fit(world: World) -> None:
    name = "𝄞" * 256
    world.hold(entity_id=name)
    answer = world.call({"entities": [{"entity_id": name}] * 1_000}, batch=True)
    assert answer.status == 200
    assert _escaped(answer.body) < ANSWER_LIMIT


# --- what callers are told


def test_who_writes_features_is_not_told_of_a_damaged_table(world: World) -> None:
    damage(world, 1, b"{")
    contract = WritableContract(lambda: "tiny", world.routing, world.releases, lambda: world.monotonic)
    assert set(contract.get().by_name) == set(ROW)
    wide = publish(world, WIDE)
    (world.folder / "routing" / "tiny" / f"{1:012d}.json").unlink()
    world.route(table(world, challengers=(Challenger(wide, 0.0),)))
    world.monotonic += 2
    assert "age" in contract.get().by_name
    damage(world, 2, b"{")
    world.monotonic += 2
    assert "age" in contract.get().by_name


def test_a_damaged_table_is_named_without_its_folder(world: World) -> None:
    damage(world, 7, b"{")
    with pytest.raises(RoutingError, match=r"^tiny/000000000007\.json is no routing table") as refused:
        world.routing.latest("tiny")
    assert str(world.folder) not in str(refused.value)


@pytest.mark.parametrize(("rate", "burst"), [(0.5, 0.0), (1e-6, 0.0), (0.3, 1.0), (5_000.0, 10_000.0), (3.0, 0.5)])
def test_a_policy_that_is_told_admits_somebody(rate: float, burst: float) -> None:
    limited = RateLimited(
        1.0, limit="rate", rate=rate, burst=burst, daily=None, remaining=0, reset=1.0, quota_left=None
    )
    told = re.fullmatch(r'"rate";q=(\d+);w=(\d+)', problem(limited, "request-1").headers["ratelimit-policy"])
    assert told is not None
    quota, window = map(int, told.groups())
    assert quota >= 1
    assert quota / window == pytest.approx(rate, rel=0.7)


# --- the stage's secret, locally


def test_a_stage_secret_that_is_no_file_is_told_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "stage_secret"
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(Misuse, match="does not hold 32 bytes"):
        stage_secret(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(Misuse, match="does not hold 32 bytes"):
        stage_secret(tmp_path)
    path.rmdir()
    path.write_bytes(b"short")
    with pytest.raises(Misuse, match="does not hold 32 bytes"):
        stage_secret(tmp_path)
    assert path.read_bytes() == b"short"


# --- everything lost at once


def test_a_thousand_entities_are_answered_by_the_rules_while_no_tier_answers(world: World) -> None:
    world.hold()
    world.fast.away = world.durable.away = True
    entities: list[dict[str, Any]] = [{"entity_id": f"e-{number % 500}"} for number in range(998)]
    entities += [{"entity_id": "whole", "features": ROW}, {"entity_id": "odd", "features": {"colour": 1}}]
    told = world.ok({"entities": entities}, batch=True)["predictions"]
    assert [one["entity_id"] for one in told] == [one["entity_id"] for one in entities]
    assert all(one["degraded"] and one["variant"] == "rules" for one in told[:998])
    assert not told[998]["degraded"]
    assert told[999]["error"]["status"] == 422
    assert len(world.recorder.events) == 999
    assert {event.salt for event in world.recorder.events} == {""}
