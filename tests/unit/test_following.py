"""The maintenance of a second region: it follows, writes nothing to the replica, and notices what it has missed."""

from dataclasses import dataclass, field

import pytest

from ebb.errors import BadShape, Misuse, Unavailable
from ebb.ports import Access, FeatureUpdate, Position, Repair
from ebb.settings import Settings
from ebb.store.subjects import CACHE_SECONDS, FOLLOW_SECONDS, Subjects
from lambdas.maintain.following import LATE_SECONDS, OVERLAP_SECONDS, YOUNG_SECONDS, Following
from lambdas.maintain.intervals import Intervals
from lambdas.maintain.logic import FOLLOWER_TASKS, Maintenance
from lambdas.maintain.recording import KEPT_SECONDS, Recording
from tests.fakes.durable import MemoryDurable
from tests.fakes.fast import MemoryFast
from tests.fakes.feed import MemoryFeed
from tests.fakes.stores import Clock, Counted
from tests.unit.test_maintain import MemoryMonths, MemoryRefilling

ACCESS = Access(1.0, "me", "erase", "c-1")
ENVIRONMENT = {
    "EBB_RELEASES": "releases",
    "EBB_VALKEY_HOST": "127.0.0.1",
    "EBB_VALKEY_PORT": "1",
    "EBB_POSTGRES_HOST": "127.0.0.1",
    "EBB_POSTGRES_PORT": "1",
    "EBB_POSTGRES_USER": "u",
    "EBB_POSTGRES_PASSWORD": "p",
    "EBB_POSTGRES_DATABASE": "d",
}


@dataclass
class MemoryPositions:
    """Remembers a position as long as the fast tier is not replaced."""

    clock: Clock
    started: float
    kept: Position | None = None

    def position(self) -> Position | None:
        return self.kept

    def begin(self, position: Position) -> None:
        self.kept = position

    def keep(self, position: Position) -> None:
        self.kept = position if self.kept else None

    def age(self) -> float:
        return self.clock.now - self.started


class ReadOnly(MemoryDurable):
    """A replica: it has what the primary has, and refuses to be written to."""

    def settle(self, repair: int) -> None:
        raise AssertionError(f"note {repair} is not this region's to settle")

    def unsettled(self, older_than: float, limit: int) -> list[Repair]:
        raise AssertionError(f"nobody repairs here ({older_than}, {limit})")


@dataclass
class World:
    """A primary's durable tier with its feed, and the region that follows."""

    clock: Clock = field(default_factory=Clock)
    reports: list[str] = field(default_factory=list)
    signals: Counted = field(default_factory=Counted)

    def __post_init__(self) -> None:
        self.feed = MemoryFeed(self.clock)
        self.recording = Recording(self.feed, followed=True)
        self.primary = MemoryDurable(self.clock, changed=self.feed.changed)
        self.replica = ReadOnly(self.clock, records=self.primary.records)
        self.start_fast()

    def start_fast(self) -> None:
        """Let the fast tier come back empty."""
        self.fast = MemoryFast(clock=self.clock)
        self.positions = MemoryPositions(self.clock, self.clock.now)
        self.refilling = MemoryRefilling(self.fast)
        following = Following(
            self.feed, self.fast, self.positions, self.refilling, "us-east-1", self.clock, self.signals
        )
        self.maintenance = Maintenance(
            self.replica,
            self.fast,
            self.refilling,
            MemoryMonths("months are not made here"),
            self.replica.count,
            lambda _: 1 // 0,
            lambda: 7,
            lambda: {"recorded": 1 // 0},
            Intervals(None, self.clock),
            self.clock,
            self.clock,
            self.reports.append,
            self.signals,
            lambda: self.signals.count("ticks"),
            following,
        )

    def write(self, *who: str) -> None:
        self.primary.merge([FeatureUpdate(each, {"x": 1.0}, self.clock.now) for each in who])


@pytest.fixture
def world() -> World:
    made = World()
    assert made.recording.run() == {"recorded": True, "switched": True, "forgotten": 0}
    assert not made.recording.run()["switched"]
    return made


def test_writes_and_erasures_of_the_primary_arrive_and_nothing_is_written_back(world: World) -> None:
    world.write("a", "b")
    done = world.maintenance.run("all")
    assert set(done) == {*FOLLOWER_TASKS, "failed"}
    assert done["failed"] == {}
    world.clock.now += 60
    world.write("c")
    world.primary.erase("a", ACCESS)
    world.clock.now += 1
    assert world.maintenance.run("follow")["follow"] == {"records": 2, "complete": True, "lag": 1.0, "anew": ""}
    assert world.fast.records == world.primary.records
    assert world.fast.records["a"].is_tombstone
    assert world.maintenance.run("follow")["follow"]["records"] == 0
    assert world.signals.gauges["followed_lag_seconds"] == 1.0
    assert world.reports == []


@pytest.mark.parametrize("task", ["repair", "months", "keys", "changes"])
def test_a_task_that_writes_to_the_durable_tier_is_none_here(world: World, task: str) -> None:
    with pytest.raises(BadShape, match="choose one of all, routing, follow, refresh, refill, check"):
        world.maintenance.run(task)


def test_a_fast_tier_that_came_back_empty_is_refilled_and_catches_up_with_what_it_was_told_since(world: World) -> None:
    world.write("a", "b")
    world.maintenance.run("all")
    world.start_fast()
    old = world.primary.records["a"]
    world.fast.put({"a": old})  # a prediction read it, before it was erased
    world.primary.erase("a", ACCESS)
    world.clock.now += 2 * OVERLAP_SECONDS  # and nobody looked for long
    done = world.maintenance.run("all")
    assert done["follow"]["anew"] == ""
    assert world.fast.records == world.primary.records
    assert world.maintenance.run("refill")["refill"]["complete"]


@pytest.mark.parametrize("why", ["never followed", "so old"])
def test_a_fast_tier_that_may_hold_older_records_is_told_all_anew(world: World, why: str) -> None:
    world.write("a", "b")
    world.fast.put(world.primary.records)
    world.primary.erase("a", ACCESS)
    if why == "never followed":  # as that of a region that was the primary
        world.refilling.keep(None)
    world.clock.now += YOUNG_SECONDS
    done = world.maintenance.run("all")
    assert "has not followed us-east-1 so far" in done["follow"]["anew"]
    assert done["refill"] == {"records": 2, "complete": True, "stopped": ""}
    assert world.fast.records == world.primary.records
    assert any("all is told anew" in line for line in world.reports)


def test_a_region_that_was_away_for_longer_than_changes_are_kept_is_told_all_anew(world: World) -> None:
    world.write("a", "b")
    world.maintenance.run("all")
    world.primary.erase("a", ACCESS)
    world.clock.now += KEPT_SECONDS + 1
    world.write("c")
    assert world.recording.run()["forgotten"] > 0
    assert not world.fast.records["a"].is_tombstone
    done = world.maintenance.run("all")
    assert "no longer has what changed since the last run" in done["follow"]["anew"]
    assert done["refill"] == {"records": 3, "complete": True, "stopped": ""}
    assert world.fast.records == world.primary.records
    assert world.maintenance.run("follow")["follow"]["anew"] == ""


def test_nothing_new_for_long_is_told_once_and_signs_of_life_are_new(world: World) -> None:
    for _ in range(3):
        world.clock.now += LATE_SECONDS / 2
        world.recording.run()
        world.maintenance.run("follow")
    assert world.reports == []
    for _ in range(2):
        world.clock.now += LATE_SECONDS
        world.maintenance.run("follow")
    assert world.reports == [
        "maintenance, lag: nothing new of us-east-1 has come for more than 300 s: it is away, or its replica is"
    ]
    assert world.signals.gauges["followed_lag_seconds"] == 2 * LATE_SECONDS


def test_the_lag_grows_while_no_run_succeeds(world: World) -> None:
    world.clock.now += 40
    world.recording.run()
    world.maintenance.run("follow")
    assert world.signals.gauges["followed_lag_seconds"] == 0.0
    world.feed.away = True
    world.clock.now += 400
    world.maintenance.run("follow")
    assert world.signals.gauges["followed_lag_seconds"] == 400.0
    world.start_fast()  # another environment, which never saw the feed
    world.clock.now += 500
    world.maintenance.run("follow")
    assert world.signals.gauges["followed_lag_seconds"] == 500.0


def test_a_primary_that_records_nothing_is_told(world: World) -> None:
    world.feed.record(followed=False)
    done = world.maintenance.run("all")
    assert "us-east-1 records no changes: set EBB_FOLLOWED=true there" in done["failed"]["follow"]
    assert done["refill"]["complete"], "the rest goes on"


def test_a_lost_fast_tier_loses_no_change(world: World) -> None:
    world.maintenance.run("all")
    world.write("a")
    world.fast.away = True
    assert "does not answer" in world.maintenance.run("follow")["failed"]["follow"]
    world.fast.away = False
    assert world.maintenance.run("follow")["follow"]["records"] == 1
    assert set(world.fast.records) == {"a"}


def test_what_is_on_its_way_is_no_disagreement(world: World) -> None:
    world.write("a")
    world.maintenance.run("all")
    world.primary.erase("a", ACCESS)
    done = world.maintenance.run("check")["check"]
    assert (done["agrees"], done["checked"]) == (True, 1)
    assert world.fast.records["a"].is_tombstone
    assert world.signals.gauges["tiers_disagree"] == 0


def test_an_erasure_accounts_for_the_region_that_follows() -> None:
    for followed in (False, True):
        erased = Subjects(MemoryDurable(), MemoryFast(), followed=followed).erase("a", ACCESS)
        seconds = CACHE_SECONDS + (FOLLOW_SECONDS if followed else 0.0)
        assert erased.document(1_000.0)["caches_clear_at"] == 1_000.0 + seconds


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"EBB_POSTGRES_READ_ONLY": "yes"}, "EBB_POSTGRES_READ_ONLY must be true or false"),
        ({"EBB_POSTGRES_READ_ONLY": "true"}, "EBB_POSTGRES_READ_ONLY=true and EBB_FOLLOWS belong together"),
        ({"EBB_FOLLOWS": "eu-west-1"}, "EBB_POSTGRES_READ_ONLY=true and EBB_FOLLOWS belong together"),
        ({"EBB_FOLLOWS": "Europe", "EBB_POSTGRES_READ_ONLY": "true"}, "EBB_FOLLOWS must name a region"),
        (
            {"EBB_FOLLOWS": "eu-west-1", "EBB_POSTGRES_READ_ONLY": "true", "EBB_FOLLOWED": "true"},
            "EBB_FOLLOWS and EBB_FOLLOWED are both set",
        ),
    ],
)
def test_what_cannot_be_is_told(variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(Misuse, match=sentence):
        Settings.from_environment(ENVIRONMENT | variables)


def test_a_region_follows_or_is_followed() -> None:
    second = Settings.from_environment(
        ENVIRONMENT | {"EBB_FOLLOWS": "eu-west-1", "EBB_POSTGRES_READ_ONLY": "true", "EBB_FOLLOWED": "false"}
    )
    assert (second.follows, second.read_only, second.followed) == ("eu-west-1", True, False)
    with pytest.raises(Misuse, match="records writes: run it in the region eu-west-1"):
        second.require_writable("records")
    first = Settings.from_environment(ENVIRONMENT | {"EBB_FOLLOWED": "true"})
    assert (first.follows, first.read_only, first.followed) == ("", False, True)
    first.require_writable("records")


def test_a_lost_primary_says_so(world: World) -> None:
    world.feed.away = True
    with pytest.raises(Unavailable):
        world.recording.run()
