"""The table in force: what is taken up at once, what waits for a load, what is refused and leaves the old one."""

import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ebb.errors import NoRelease, ReleaseError, Unavailable
from ebb.release.load import load_contract
from ebb.routing.table import CHALLENGER, CHAMPION, Challenger, RoutingTable, Shadow
from lambdas.predict.variant import Variant
from tests.fakes.predicting import World

SALT = "0" * 32


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def table(version: int, champion: str, **roles: object) -> RoutingTable:
    return RoutingTable(version, SALT, champion, **roles)  # type: ignore[arg-type]


def in_force(world: World, version: int) -> Callable[[], bool]:
    return lambda: world.serving.now(world.fast.routing).table.version == version


def test_without_a_table_the_champion_of_the_store_serves(world: World) -> None:
    routed = world.serving.now()
    assert (routed.table.version, routed.table.champion) == (0, world.releases.champion("tiny"))
    assert routed.of("anybody")[0] == CHAMPION
    assert routed.shadow is None


def test_no_release_is_said_until_there_is_one(tmp_path: Path) -> None:
    world = World(tmp_path, release=False)
    for _ in range(2):
        with pytest.raises(NoRelease, match="ebb train"):
            world.serving.now()
    world.publish()
    assert world.serving.now().champion.release is not None


def test_nobody_need_name_the_only_contract_of_the_store(tmp_path: Path) -> None:
    world = World(tmp_path, release=False, contract="")
    with pytest.raises(NoRelease):
        world.serving.now()
    version = world.publish()
    assert world.serving.now() is world.serving.now()
    assert world.serving.versions() == [version]
    assert load_contract(world.releases, "tiny").name == "tiny"


def test_a_rollback_is_in_force_with_the_next_request(world: World) -> None:
    old, new = world.publish(0.0), world.publish(1.0, champion=False)
    world.route(table(1, old))
    world.serving.now()
    world.route(table(2, new, previous=old))
    world.until(in_force(world, 2))
    threads = threading.active_count()
    world.route(table(3, old, previous=new))
    assert world.serving.now(3).table.champion == old  # at once, in the same call
    world.route(table(4, new, previous=old))
    assert world.serving.now(4).table.champion == new
    assert threading.active_count() == threads


def test_a_new_release_serves_once_it_is_loaded_and_the_old_one_until_then(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = world.publish(0.0), world.publish(1.0, champion=False)
    world.route(table(1, old))
    world.serving.now()
    may_go, began = threading.Event(), threading.Event()
    prepare = world.serving._prepare

    def slowly(contract: str, version: str) -> Variant:
        began.set()
        assert may_go.wait(10)
        return prepare(contract, version)

    monkeypatch.setattr(world.serving, "_prepare", slowly)
    world.route(table(2, new, previous=old))
    assert world.serving.now(2).table.version == 1
    assert began.wait(10)
    before = world.serving.now(2)
    assert before.table.version == 1
    may_go.set()
    world.until(in_force(world, 2))
    assert before.champion.name.endswith(old)  # who began with the old table still has it
    assert world.signals.counts["routing_taken"] == 2
    assert world.signals.gauges["routing_version"] == 2
    world.until(lambda: sys.getswitchinterval() == pytest.approx(0.005))


@pytest.mark.parametrize("broken", ["gone", "altered"])
def test_a_release_that_cannot_be_loaded_leaves_the_old_table_and_is_tried_again(world: World, broken: str) -> None:
    old, new = world.publish(0.0), world.publish(1.0)
    model = world.file("model.onnx")
    content = model.read_bytes()
    if broken == "gone":
        model.unlink()
    else:
        model.write_bytes(content[:-1])
    world.route(table(1, old))
    world.serving.now()
    world.route(table(2, new, previous=old))
    world.until(lambda: in_force(world, 2)() or world.signals.counts["release_refused"] > 0)
    assert world.serving.now(2).table.version == 1
    assert "model.onnx" in world.reports[-1]
    model.write_bytes(content)
    world.until(in_force(world, 2))


def test_a_newer_order_overtakes_one_that_is_still_loading(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (world.publish(bias, champion=False) for bias in (0.0, 1.0, 2.0))
    world.route(table(1, first))
    world.serving.now()
    may_go = threading.Event()
    prepare = world.serving._prepare

    def slowly(contract: str, version: str) -> Variant:
        if version == second:
            assert may_go.wait(10)
        return prepare(contract, version)

    monkeypatch.setattr(world.serving, "_prepare", slowly)
    world.route(table(2, second, previous=first))
    world.serving.now(2)
    world.route(table(3, third, previous=first))
    world.serving.now(3)
    may_go.set()
    world.until(in_force(world, 3))
    assert set(world.serving.now().releases) == {third, first}


def test_a_rollback_overtakes_a_load_and_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = world.publish(0.0), world.publish(1.0, champion=False)
    world.route(table(1, old))
    world.serving.now()
    may_go, done = threading.Event(), threading.Event()
    load = world.serving._load

    def slowly(wanted: RoutingTable) -> None:
        assert may_go.wait(10)
        load(wanted)
        done.set()

    monkeypatch.setattr(world.serving, "_load", slowly)
    world.route(table(2, new, previous=old))
    world.serving.now(2)
    world.route(table(3, old))
    assert world.serving.now(3).table.version == 3
    may_go.set()
    assert done.wait(10)
    assert world.serving.now(3).table.version == 3


def test_a_rollback_that_comes_while_the_new_release_is_loading_is_in_force_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = world.publish(0.0), world.publish(1.0, champion=False)
    world.route(table(1, old))
    world.serving.now()
    may_go = threading.Event()
    prepare = world.serving._prepare

    def slowly(contract: str, version: str) -> Variant:
        assert may_go.wait(10)
        return prepare(contract, version)

    monkeypatch.setattr(world.serving, "_prepare", slowly)
    world.route(table(2, new, previous=old))
    assert world.serving.now(2).table.version == 1
    world.route(table(3, old, previous=new))
    routed = world.serving.now(3)
    assert (routed.table.version, set(routed.releases)) == (3, {old})
    assert routed.of("anybody")[1].name.endswith(old)
    may_go.set()
    seen = set()

    def both_loaded() -> bool:
        seen.add(world.serving.now(3).champion.name)
        return set(world.serving.now(3).releases) == {old, new}

    world.until(both_loaded)  # so that going forward again needs no load either
    assert seen == {f"tiny/{old}"}
    assert world.signals.counts["routing_taken"] == 2


def test_a_table_that_is_overtaken_in_its_last_moment_never_comes_into_force(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new, third = (world.publish(bias, champion=False) for bias in (0.0, 1.0, 2.0))
    world.route(table(1, old))
    world.serving.now()
    take, taken, heard = world.serving._take, [], []

    def late(wanted: RoutingTable, *given: Any, **more: Any) -> Any:
        if wanted.version == 2:
            # Its releases are loaded; just now a request hears of the next version, and orders that one.
            world.route(table(3, third, previous=old))
            heard.append(world.serving.now(3).table.version)
        taken.append(take(wanted, *given, **more).table.version)

    monkeypatch.setattr(world.serving, "_take", late)
    world.route(table(2, new, previous=old))
    world.serving.now(2)
    world.until(lambda: world.serving._state is not None and world.serving._state.table.version == 3)
    assert (heard, taken) == ([1], [1, 3])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_loader_that_died_is_replaced(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new, third = (world.publish(bias, champion=False) for bias in (0.0, 1.0, 2.0))
    world.route(table(1, old))
    world.serving.now()

    def full() -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(world.serving, "_tidy", full)
        world.route(table(2, new, previous=old))
        world.serving.now(2)
        world.until(lambda: world.serving._thread is not None and not world.serving._thread.is_alive())
    world.route(table(3, third, previous=new))
    world.until(in_force(world, 3))


def test_memory_is_tidied_once_nobody_holds_what_left(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (world.publish(bias, champion=False) for bias in (0.0, 1.0, 2.0))
    world.route(table(1, second, previous=first))
    left = weakref.ref(world.serving.now().releases[first])
    found: list[bool] = []
    monkeypatch.setattr(world.serving, "_tidy", lambda: found.append(left() is None))
    world.route(table(2, third, previous=second))
    world.until(lambda: in_force(world, 2)() and bool(found))
    assert found == [True]
    # What leaves without a load is tidied too, and not while a request waits for it.
    left = weakref.ref(world.serving.now().releases[second])
    world.route(table(3, third))
    assert world.serving.now(3).table.version == 3
    world.until(lambda: len(found) == 2)
    assert left() is None


def test_what_leaves_the_table_leaves_the_memory(world: World) -> None:
    versions = [world.publish(float(bias), champion=False) for bias in range(4)]
    slots = {versions[1]: ((0, 1_000),)}
    challengers = (Challenger(versions[1], 0.1),)
    world.route(table(1, versions[0], challengers=challengers, shadow=Shadow(versions[2]), slots=slots))
    assert set(world.serving.now().releases) == set(versions[:3])
    world.route(table(2, versions[3], previous=versions[0]))
    world.until(in_force(world, 2))
    assert set(world.serving.now().releases) == {versions[3], versions[0]}


def test_at_the_start_what_cannot_be_loaded_is_left_out_and_comes_later(world: World) -> None:
    champion, other = world.publish(0.0, champion=False), world.publish(1.0)
    model = world.file("model.onnx")
    content = model.read_bytes()
    model.unlink()
    everybody = {other: ((0, 10_000),)}
    world.route(table(1, champion, challengers=(Challenger(other, 1.0),), slots=everybody))
    routed = world.serving.now()
    assert routed.missing == {other}
    assert routed.of("anybody") == (CHAMPION, routed.champion)
    model.write_bytes(content)
    world.until(lambda: not world.serving.now().missing)
    assert world.serving.now().of("anybody")[0] == CHALLENGER


def test_a_previous_release_that_is_gone_hinders_nobody(world: World) -> None:
    champion = world.publish(0.0)
    world.route(table(1, champion, previous="0" * 12))
    assert world.serving.now().missing == frozenset()


@pytest.mark.parametrize("previous", ["gone", "altered"])
def test_a_previous_release_that_cannot_be_loaded_holds_up_no_promotion(world: World, previous: str) -> None:
    old, broken = world.publish(0.0), world.publish(1.0)
    world.route(table(1, old))
    world.serving.now()
    model = world.file("model.onnx")
    if previous == "gone":
        model.unlink()
    else:
        model.write_bytes(model.read_bytes()[:-1])
    new = world.publish(2.0, champion=False)
    world.route(table(2, new, previous=broken))
    world.until(in_force(world, 2))
    routed = world.serving.now(2)
    assert (set(routed.releases), routed.missing) == ({new}, frozenset())
    assert routed.of("anybody")[1].name == f"tiny/{new}"


def test_a_store_of_tables_that_is_away_leaves_the_old_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = world.publish(0.0), world.publish(1.0, champion=False)
    world.route(table(1, old))
    world.serving.now()
    world.route(table(2, new))

    def away(_contract: str) -> None:
        raise Unavailable("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(world.routing, "latest", away)
        for _ in range(3):
            assert world.serving.now(2).table.version == 1
        assert world.signals.counts["routing_unread"] == 1  # not with every request
    world.until(in_force(world, 2))


def test_news_of_a_table_that_the_store_does_not_show_yet_are_followed_up(world: World) -> None:
    old, new = world.publish(0.0), world.publish(1.0, champion=False)
    world.route(table(1, old))
    world.serving.now()
    world.fast.announce_routing(2)
    assert world.serving.now(2).table.version == 1
    world.route(table(2, new, previous=old))
    world.until(in_force(world, 2))


def test_a_store_that_shows_an_older_table_than_is_in_force_has_nothing_loaded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (world.publish(bias, champion=False) for bias in (0.0, 1.0, 2.0))
    world.route(table(1, third))
    old = world.routing.latest("tiny")
    world.route(table(2, first, previous=second))
    assert world.serving.now(2).table.version == 2

    def never(_contract: str, version: str) -> Variant:
        pytest.fail(f"{version} of an older table is loaded")

    monkeypatch.setattr(world.serving, "_prepare", never)
    monkeypatch.setattr(world.serving, "_order", lambda: pytest.fail("releases of an older table are ordered"))
    monkeypatch.setattr(world.routing, "latest", lambda _contract: old)
    for _ in range(3):
        world.monotonic += 60
        assert world.serving.now(3).table.version == 2
    assert world.serving.now(3).champion.name == f"tiny/{first}"


def test_a_champion_without_its_graph_answers_by_its_rules_without_its_contract_not_at_all(world: World) -> None:
    world.file("model.onnx").unlink()
    champion = world.serving.now().champion
    assert (champion.release, champion.sha256) == (None, None)
    other, _ = world.another()
    world.file("contract.toml").unlink()
    with pytest.raises(ReleaseError, match="neither the graph nor the contract"):
        other.now()


def test_every_environment_takes_the_change_up_by_itself(world: World) -> None:
    old, new = world.publish(0.0), world.publish(1.0, champion=False)
    world.route(table(1, old))
    others = [world.another()[0] for _ in range(3)]
    for serving in others:
        serving.now()
    world.route(table(2, new, previous=old))
    for serving in others:
        world.until(lambda serving=serving: serving.now(2).table.version == 2)  # type: ignore[misc]
