"""Two regions on real servers: a primary, its streaming standby, and a Valkey of its own in each."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import redis

from ebb.connect import CALM, connect_postgres
from ebb.ports import Access
from ebb.postgres.changes import PostgresChanges
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.refusal import Refused
from ebb.postgres.subjects import PostgresSubjects
from lambdas.maintain.logic import Maintenance
from tests.real_stores import until, update
from tests.two_regions import World

ACCESS = Access(1_800_000_000.5, "acme", "erase", "c-1")
READ_ONLY = "25006"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("regions"))
    yield made
    made.end()


def names(what: str, count: int = 3) -> list[str]:
    """Return entities of one test."""
    return [f"{what}-{number}" for number in range(count)]


def test_writes_and_erasures_reach_the_second_region(world: World) -> None:
    who = names("written", 700)
    world.writer.write([update(each, 1.0, time.time() - 9) for each in who])
    erased = world.subjects.erase(who[0], ACCESS)
    assert erased.document(0.0)["caches_clear_at"] == 180.0
    followed = world.come()
    assert (followed["complete"], followed["anew"]) == (True, "")
    assert world.held(*who) == world.truth(*who)
    assert world.held(who[0])[who[0]].is_tombstone
    assert world.come()["records"] == 0


def test_what_commits_late_is_not_missed(world: World) -> None:
    late, early = names("late"), names("early")
    connection = world.first.connection()
    features = PostgresFeatures(connection)
    features.merge([update("month", 1.0, time.time())])
    with connection.transaction():
        features.merge([update(each, 1.0, time.time()) for each in late])
        world.writer.write([update(each, 1.0, time.time()) for each in early])
        world.come()
        assert set(world.held(*early, *late)) == set(early), "who waits for nobody is here"
    world.come()
    assert world.held(*early, *late) == world.truth(*early, *late)


def test_a_valkey_that_came_back_empty_is_refilled_and_follows_on(world: World) -> None:
    who = names("refilled", 1_200)
    world.writer.write([update(each, 1.0, time.time() - 9) for each in who])
    world.come()
    world.restart_valkey()
    reader = world.second.store()
    assert reader.read(who[0], "me", {}).tier == "durable"  # and Valkey is told
    world.subjects.erase(who[0], ACCESS)
    assert world.come()["anew"] == ""
    until(lambda: bool(world.follower.run("refill")["refill"]["complete"]), 60)
    assert world.held(*who) == world.truth(*who)
    world.subjects.erase(who[1], ACCESS)
    world.come()
    assert world.held(who[1])[who[1]].is_tombstone


def test_a_region_that_was_away_for_too_long_is_told_all_anew_with_tombstones(world: World) -> None:
    who = names("pruned")
    world.writer.write([update(each, 1.0, time.time() - 9) for each in who])
    world.come()
    world.subjects.erase(who[0], ACCESS)
    changes = PostgresChanges(world.first.connection())
    while changes.prune(-1.0):
        pass
    followed = world.come()
    assert "no longer has what changed" in str(followed["anew"])
    until(lambda: bool(world.follower.run("refill")["refill"]["complete"]), 60)
    assert world.held(*who) == world.truth(*who)
    assert world.come()["anew"] == ""


def test_a_valkey_that_never_followed_is_told_all_anew(world: World) -> None:
    who = names("flipped")
    world.writer.write([update(each, 1.0, time.time() - 9) for each in who])
    world.come()
    with redis.Redis(port=world.second.valkey.port) as valkey:
        valkey.set("followed", "eu-west-1 what-it-followed-before 3")
    assert "has not followed us-east-1" in str(world.come()["anew"])
    until(lambda: bool(world.follower.run("refill")["refill"]["complete"]), 60)
    assert world.held(*who) == world.truth(*who)


def test_a_replica_that_lags_undoes_nothing_and_answers_what_it_knows(world: World) -> None:
    who, cold = names("lagging", 2)
    world.writer.write([update(each, 1.0, time.time() - 9) for each in (who, cold)])
    world.streaming.caught_up()
    world.streaming.pause(replay=False)
    try:
        world.writer.write([update(who, 2.0, time.time() - 5)])
        newer = world.truth(who)
        fast, reader = world.second.fast(), world.second.store()
        fast.put(newer)  # another replica of the region was ahead
        # As soon as a feature's life is over, the durable tier is asked.
        until(lambda: reader.read(who, "me", {"x": 1e-9}).tier == "durable", 60)
        assert world.held(who) == newer, "what the lagging replica said was put, and refused"
        assert reader.read(cold, "me", {}).tier == "durable"
        assert set(world.held(cold)) == {cold}
    finally:
        world.streaming.pause(replay=True)
    world.come()
    assert world.held(who, cold) == world.truth(who, cold)


@pytest.mark.parametrize("where", ["a standby", "the primary, entered to read only"])
def test_a_region_that_follows_writes_nothing(world: World, where: str) -> None:
    settings = world.second.settings
    if where != "a standby":
        settings = replace(settings, postgres=world.first.settings.postgres)
    connection = connect_postgres(settings, CALM)
    writes: list[Callable[[], object]] = [
        lambda: PostgresFeatures(connection).merge([update("nobody", 1.0, time.time())]),
        lambda: PostgresSubjects(connection).erase("nobody", ACCESS),
        lambda: PostgresSubjects(connection).record_access("nobody", ACCESS),
        lambda: PostgresFeatures(connection).settle(1),
    ]
    for write in writes:
        with pytest.raises(Refused) as refused:
            write()
        assert refused.value.code == READ_ONLY
    assert PostgresFeatures(connection).read("nobody") is None
    connection.close()


def test_the_standby_that_is_lost_loses_no_change(world: World) -> None:
    who = names("lost")
    world.come()
    standby = world.streaming.standby
    standby.stop()
    world.writer.write([update(each, 1.0, time.time() - 9) for each in who])
    world.subjects.erase(who[0], ACCESS)
    failed = world.follower.run("follow")["failed"]
    assert "Postgres does not answer" in failed["follow"] or "refused" in failed["follow"]
    world.streaming.start_standby(standby.port)
    world.come()
    assert world.held(*who) == world.truth(*who)


def test_one_maintenance_is_of_each_kind(world: World) -> None:
    assert isinstance(world.follower, Maintenance)
    primary = world.primary.run("all")
    assert primary["failed"] == {}
    assert primary["changes"]["recorded"]
    assert {"repair", "months", "keys"} <= primary.keys()
    assert not {"follow"} & primary.keys()
