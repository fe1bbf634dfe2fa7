"""The maintenance: what is due is done, what fails stops nothing else, and nothing is told twice."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from ebb.errors import BadShape, Unavailable
from ebb.ports import Access, FeatureUpdate, Left
from ebb.store.runs import RUN
from lambdas.maintain.intervals import Intervals
from lambdas.maintain.logic import MONTHS, SLICE_SECONDS, TASKS, Maintenance
from lambdas.maintain.recording import Recording
from tests.fakes.durable import MemoryDurable
from tests.fakes.fast import MemoryFast
from tests.fakes.feed import MemoryFeed
from tests.fakes.idempotency import MemoryIdempotencyKeys
from tests.fakes.stores import Clock, Counted


@dataclass
class MemoryRefilling:
    """Remembers a position as long as the fast tier is not replaced."""

    fast: MemoryFast
    kept: str | None = ""
    most: int = 1_000_000
    promoted: bool = False

    def again(self) -> bool:
        return self.promoted

    def position(self) -> str | None:
        return self.kept

    def keep(self, position: str | None) -> None:
        self.kept = position
        self.promoted = self.promoted and position is not None

    def is_known(self) -> bool:
        return self.kept != ""

    def restart(self) -> None:
        self.kept, self.promoted = "", True

    def size(self) -> int:
        return len(self.fast.records)

    def has_room(self) -> bool:
        return len(self.fast.records) < self.most


@dataclass
class MemoryMonths:
    """Keeps the months that were asked for, and lets go of those that a test calls old."""

    trouble: str = ""
    read: str = ""
    ensured: list[float] = field(default_factory=list)
    old: list[str] = field(default_factory=list)

    def ensure(self, event_times: Iterable[float]) -> None:
        if self.trouble:
            raise Unavailable(self.trouble)
        self.ensured += event_times

    def drop_expired(self) -> Left:
        if self.old and self.old[0] == self.read:
            return Left(waiting=self.read)
        return Left(dropped=self.old.pop(0) if self.old else "")


@dataclass
class World:
    """A maintenance around in-memory tiers, whose time the test sets."""

    clock: Clock = field(default_factory=Clock)
    shortest_ttl: float | None = None
    reports: list[str] = field(default_factory=list)
    signals: Counted = field(default_factory=Counted)

    def __post_init__(self) -> None:
        self.durable, self.fast = MemoryDurable(self.clock), MemoryFast(clock=self.clock)
        self.refilling, self.months = MemoryRefilling(self.fast), MemoryMonths()
        self.feed = MemoryFeed(self.clock)
        self.keys = MemoryIdempotencyKeys(self.clock)
        self.maintenance = self.another()

    def another(self) -> Maintenance:
        return Maintenance(
            self.durable,
            self.fast,
            self.refilling,
            self.months,
            self.durable.count,
            self.keys.prune,
            lambda: 7,
            Recording(self.feed, followed=False).run,
            Intervals(self.shortest_ttl, self.clock),
            self.clock,
            self.clock,
            self.reports.append,
            self.signals,
            lambda: self.signals.count("ticks"),
        )

    def write(self, count: int, at: float = 10.0) -> None:
        updates = [FeatureUpdate(f"e-{number:05d}", {"x": at}, at) for number in range(count)]
        self.durable.merge(updates)


@pytest.fixture
def world() -> World:
    return World()


def test_one_invocation_does_all_that_is_due(world: World) -> None:
    world.write(3)
    world.clock.now += 3
    done = world.maintenance.run("all")
    assert set(done) == {*TASKS, "failed"}
    assert done["routing"] == {"version": 7}
    assert done["repair"] == {"notes": 1, "records": 3, "away": ""}
    assert done["refill"]["complete"]
    assert done["months"] == {"dropped": [], "waiting": ""}
    assert done["check"]["agrees"]
    assert done["keys"] == {"forgotten": 0}
    assert done["changes"] == {"recorded": False, "switched": False, "forgotten": 0}
    assert done["failed"] == {}
    assert world.reports == []
    assert world.signals.counts == {"repaired": 1, "ticks": 1}
    assert world.signals.gauges == {"tiers_disagree": 0}


def test_the_next_invocation_does_only_what_is_due_again(world: World) -> None:
    world.maintenance.run("all")
    world.clock.now += 5
    assert set(world.maintenance.run("all")) == {"routing", "repair", "refill", "changes", "failed"}
    world.clock.now += 60
    assert set(world.maintenance.run("all")) == {"routing", "repair", "refill", "refresh", "check", "changes", "failed"}
    world.clock.now += 3600
    assert set(world.maintenance.run("all")) == {*TASKS, "failed"}
    assert len(world.months.ensured) == 6


@pytest.mark.parametrize(("ttl", "due"), [(None, 60.0), (100.0, 10.0), (1e6, 60.0), (1.0, 1.0)])
def test_hot_entities_are_renewed_well_before_the_shortest_life_ends(ttl: float | None, due: float) -> None:
    clock = Clock()
    intervals = Intervals(ttl, clock)
    assert intervals.is_due("refresh")
    clock.now += due - 0.5
    assert not intervals.is_due("refresh")
    clock.now += 0.6
    assert intervals.is_due("refresh")


@pytest.mark.parametrize("task", TASKS)
def test_a_task_that_is_asked_for_is_done_at_once(world: World, task: str) -> None:
    world.maintenance.run("all")
    assert set(world.maintenance.run(task)) == {task, "failed"}


@pytest.mark.parametrize("task", ["", "everything", "__init__"])
def test_a_task_that_is_none_is_refused(world: World, task: str) -> None:
    with pytest.raises(BadShape, match="choose one of all, routing"):
        world.maintenance.run(task)


def test_a_lost_fast_tier_stops_no_months_and_is_told_once(world: World) -> None:
    world.fast.away = True
    for _ in range(3):
        done = world.maintenance.run("all")
        assert set(done["failed"]) >= {"refresh"}
        world.clock.now += 60
    assert len(world.months.ensured) == 3
    assert len([line for line in world.reports if "refresh" in line]) == 1
    world.fast.away = False
    assert world.maintenance.run("all")["failed"] == {}
    world.fast.away = True
    world.maintenance.run("refresh")
    assert len([line for line in world.reports if "refresh" in line]) == 2, "it had worked in between"


def test_months_that_cannot_be_had_are_told_and_the_rest_goes_on(world: World) -> None:
    world.months.trouble = "Postgres refused: no"
    done = world.maintenance.run("all")
    assert done["failed"] == {"months": "Postgres refused: no"}
    assert "repair" in done
    assert world.reports == ["maintenance, months: Postgres refused: no"]


def test_months_arrive_ahead_and_leave_until_one_is_still_read(world: World) -> None:
    world.months.old, world.months.read = [f"history_2023_{month:02d}" for month in (1, 2, 3)], "history_2023_03"
    assert world.maintenance.run("months")["months"] == {
        "dropped": ["history_2023_01", "history_2023_02"],
        "waiting": "history_2023_03",
    }
    months = {datetime.fromtimestamp(at, UTC).month for at in world.months.ensured}
    assert len(months) == 3
    world.months.read, world.months.old = "", [f"history_{year}_01" for year in range(1900, 1950)]
    assert len(world.maintenance.run("months")["months"]["dropped"]) == MONTHS


def test_a_fast_tier_that_came_back_empty_is_refilled_in_slices(world: World) -> None:
    world.write(2 * RUN + 1)

    class Slow(Clock):
        def __call__(self) -> float:
            self.now += SLICE_SECONDS
            return self.now

    world.maintenance.clock = Slow()
    assert world.maintenance.run("refill")["refill"] == {"records": RUN, "complete": False, "stopped": ""}
    assert world.another().run("refill")["refill"] == {"records": RUN + 1, "complete": True, "stopped": ""}
    assert world.refilling.size() == 2 * RUN + 1
    assert world.maintenance.run("refill")["refill"] == {"records": 0, "complete": True}


def test_a_refill_pushes_nothing_out(world: World) -> None:
    world.write(3 * RUN)
    world.refilling.most = 2 * RUN
    assert world.maintenance.run("refill")["refill"]["records"] == 2 * RUN
    assert world.maintenance.run("refill")["refill"] == {"records": 0, "complete": True}
    assert world.refilling.kept is None, "it is not tried for ever"


def test_one_that_took_its_primarys_place_is_told_all_anew(world: World) -> None:
    world.write(3)
    world.fast.put(world.durable.records)  # as many as there are, and yet perhaps older ones
    world.durable.erase(next(iter(world.durable.records)), Access(1.0, "me", "erase", "c-1"))
    world.refilling.promoted, world.refilling.most = True, 0
    assert world.maintenance.run("refill")["refill"] == {"records": 3, "complete": True, "stopped": ""}
    assert world.fast.records == world.durable.records
    assert world.refilling.kept is None


def test_one_that_was_loaded_beforehand_is_not_told_again(world: World) -> None:
    world.write(3)
    world.fast.put(world.durable.records)
    assert world.maintenance.run("refill")["refill"] == {"records": 0, "complete": True}
    for entity_id in world.fast.records:
        world.fast.expire(entity_id)
    assert world.maintenance.run("refill")["refill"]["records"] == 0, "cold entities are no loss"
    world.refilling.kept = ""
    assert world.maintenance.run("refill")["refill"]["records"] == 3


def test_the_check_walks_on_finds_who_is_behind_and_tells_them_anew(world: World) -> None:
    world.write(RUN + 1)
    world.fast.put(world.durable.records)
    world.write(RUN + 1, at=20.0)
    world.durable.notes.clear()
    first, second = (world.maintenance.run("check")["check"] for _ in range(2))
    assert (first["checked"], second["checked"]) == (RUN, 1)
    assert (first["repaired"], second["repaired"]) == (RUN, 1)
    assert not first["agrees"]
    assert len(world.reports) == 2
    third = world.maintenance.run("check")["check"]
    assert (third["agrees"], third["checked"]) == (True, RUN)


def test_idempotency_keys_are_forgotten_after_a_day(world: World) -> None:
    for number in range(3):
        world.keys.claim(bytes([number]) * 32, b"r", 60)
        world.clock.now += 40_000
    assert world.maintenance.run("keys")["keys"] == {"forgotten": 1}
    assert len(world.keys.rows) == 2
    world.keys.away = True
    assert "does not answer" in world.maintenance.run("keys")["failed"]["keys"]
