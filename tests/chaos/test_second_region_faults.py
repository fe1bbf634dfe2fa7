"""Two regions under load and faults: whatever happened on the way, both Valkeys end with what Postgres holds."""

import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from ebb.errors import Unavailable
from ebb.ports import Access
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.subjects import PostgresSubjects
from tests.real_stores import until, update
from tests.two_regions import World

PEOPLE = [f"e-{number}" for number in range(40)]
ROUNDS = 12


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.end()


class Load:
    """Writers whose transactions overlap and end in any order, and one who erases."""

    def __init__(self, world: World) -> None:
        self.stop, self.erased = Event(), dict[str, float]()
        self._tiers = [PostgresFeatures(world.first.connection()) for _ in range(3)]
        self._holders = [tier._connection for tier in self._tiers]
        self._subjects = PostgresSubjects(world.first.connection())
        for tier in self._tiers:
            tier.merge([update("month", 1.0, time.time())])

    def write(self, number: int) -> int:
        """Write again and again; some transactions stay open while others begin and end."""
        chosen, done = random.Random(number), 0  # noqa: S311 - no secret
        # Each writer has people of its own: who waits for a lock for long gives up.
        mine = PEOPLE[number :: len(self._tiers)]
        while not self.stop.is_set():
            with self._holders[number].transaction():
                for who in sorted(chosen.sample(mine, 3)):
                    self._tiers[number].merge([update(who, chosen.random(), time.time())])
                if not chosen.randrange(3):
                    self.stop.wait(chosen.random() / 5)
            done += 1
        return done

    def erase(self) -> int:
        """Erase one after the other."""
        done = 0
        while not self.stop.wait(0.03):
            who = PEOPLE[done % len(PEOPLE)]
            try:
                merged = self._subjects.erase(who, Access(time.time(), "acme", "erase", "c"))
            except Unavailable:  # a writer held the row for too long
                continue
            self.erased[who] = merged.records[who].erased_at or 0.0
            done += 1
        return done


def _fault(world: World, round_: int) -> None:
    """Break something of the second region."""
    if round_ % 4 == 1:
        world.restart_valkey()
    if round_ % 4 == 3:
        standby = world.streaming.standby
        os.kill(standby.pid, signal.SIGKILL)
        standby.stop()
        world.streaming.start_standby(standby.port)


def test_nothing_is_missed_whatever_breaks(world: World) -> None:
    load = Load(world)
    with ThreadPoolExecutor(4) as pool:
        busy = [*(pool.submit(load.write, number) for number in range(3)), pool.submit(load.erase)]
        try:
            followed = 0
            for round_ in range(ROUNDS):
                _fault(world, round_)
                for _ in range(5):
                    done = world.follower.run("all")
                    followed += done.get("follow", {}).get("records", 0)
                    time.sleep(0.05)  # what was left behind here is what the next run must find
        finally:
            load.stop.set()
        assert all(each.result(60) > 3 for each in busy)
    assert followed > len(PEOPLE)
    world.streaming.caught_up()

    def complete() -> bool:
        done = world.follower.run("all")
        return not done["failed"] and done["follow"]["complete"] and done["refill"]["complete"]

    until(complete, 60)
    truth, held = world.truth(*PEOPLE), world.held(*PEOPLE)
    assert held == {who: record for who, record in truth.items() if who in held}
    # Whoever is absent was erased before Valkey came back empty: nothing of it is there to be answered.
    assert all(truth[who].is_tombstone for who in truth.keys() - held.keys())
    assert all(held[who].erased_at == load.erased[who] for who in load.erased.keys() & held.keys())
