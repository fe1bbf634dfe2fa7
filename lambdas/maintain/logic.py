"""The tasks of the maintenance: each stands for itself, and one that fails stops no other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from ebb.errors import BadShape, EbbError
from ebb.ports import HistoryMonths, Signals
from ebb.store.compare import compare
from ebb.store.refill import refill
from ebb.store.repair import drain, refresh
from lambdas.maintain.following import Following
from lambdas.maintain.intervals import Intervals
from lambdas.maintain.needs import Durable, Fast, Refilling

OLDER_SECONDS = 2.0
"""A younger note is left to the write that made it."""

NOTES = 1_000
"""Notes worked off by one invocation."""

HOT = 1_000
"""Hot entities that are kept from expiring."""

SAMPLE = 500
"""Entities compared by one invocation; the next goes on where this one stopped."""

SLICE_SECONDS = 5.0
"""A refill gives way after so long, and the next invocation goes on."""

MONTHS = 12
"""Months dropped by one invocation."""

KEYS_KEPT_SECONDS = 86_400.0
"""So long a write that is sent again under its idempotency key is answered as before."""

PRUNINGS = 10
"""Times that old idempotency keys are forgotten by one invocation, some thousand each."""

TASKS = ("routing", "repair", "refresh", "refill", "months", "check", "keys", "changes")
FOLLOWER_TASKS = ("routing", "follow", "refresh", "refill", "check")
"""Where the durable tier is a replica of another region's: nothing is written to it."""


@dataclass
class Maintenance:
    """Runs tasks.

    Args:
        durable, fast, refilling, months: see their protocols.
        subjects: counts those whom the durable tier holds.
        prune_keys: forgets idempotency keys that are older than so many seconds, and says how many; 0 where none is.
        announce: tells of the newest routing table, and returns its version; 0 where there is none.
        changes: sees to what is recorded for another region.
        following: follows another region; None in the one that writes.
        intervals: how often each task is due.
        clock, now: monotonic and epoch seconds.
        report: takes what went wrong, for the log; told once until it changes.
        signals: takes `repaired` (notes), `refilled` (records) and `tiers_disagree` (entities of the last sample).
        tick: called after each run, for the metrics.
    """

    durable: Durable
    fast: Fast
    refilling: Refilling
    months: HistoryMonths
    subjects: Callable[[], int]
    prune_keys: Callable[[float], int]
    announce: Callable[[], int]
    changes: Callable[[], dict[str, Any]]
    intervals: Intervals
    clock: Callable[[], float]
    now: Callable[[], float]
    report: Callable[[str], None]
    signals: Signals
    tick: Callable[[], None]
    following: Following | None = None

    def __post_init__(self) -> None:
        self._scan: Iterator[str] = iter(())
        self._told: dict[str, str] = {}

    def run(self, task: str) -> dict[str, Any]:
        """Run one task, or `all` that are due.

        Returns:
            What each did, by its name; `failed` says what could not be done, and why.

        Raises:
            BadShape: there is no such task.
        """
        tasks = TASKS if self.following is None else FOLLOWER_TASKS
        if task != "all" and task not in tasks:
            raise BadShape(f"there is no such task: choose one of all, {', '.join(tasks)}")
        done: dict[str, Any] = {}
        failed: dict[str, str] = {}
        for name in tasks if task == "all" else (task,):
            if task == "all" and not self.intervals.is_due(name):
                continue
            try:
                done[name] = getattr(self, f"_{name}")()
            except EbbError as error:
                failed[name] = str(error)
            self._tell(name, failed.get(name, ""))
        self.tick()
        return {**done, "failed": failed}

    def _routing(self) -> dict[str, Any]:
        return {"version": self.announce()}

    def _repair(self) -> dict[str, Any]:
        done = drain(self.durable, self.fast, OLDER_SECONDS, NOTES)
        if done.notes:
            self.signals.count("repaired", done.notes)
        return vars(done)

    def _follow(self) -> dict[str, Any]:
        if self.following is None:
            return {}
        done = self.following.run()
        if done["anew"]:
            self.report(f"maintenance, follow: {done['anew']}; all is told anew")
        self._tell("lag", self.following.late(done))
        return done

    def _refresh(self) -> dict[str, Any]:
        return {"records": refresh(self.durable, self.fast, self.fast.hot(HOT))}

    def _refill(self) -> dict[str, Any]:
        position = self.refilling.position()
        if position is None:
            return {"records": 0, "complete": True}
        again = self.refilling.again()
        complete = not position and self.refilling.size() >= self.subjects()
        if not again and (complete or not self.refilling.has_room()):
            self.refilling.keep(None)  # it was loaded, or never lost; or the rest comes as it is asked for
            return {"records": 0, "complete": True}
        until = self.clock() + SLICE_SECONDS

        def may_go_on() -> bool:
            return self.clock() < until and (again or self.refilling.has_room())

        told = refill(self.durable, self.fast, position, may_go_on, tombstones=again)
        self.refilling.keep(told.after or None)
        self.signals.count("refilled", told.records)
        return {"records": told.records, "complete": not told.after, "stopped": told.stopped}

    def _months(self) -> dict[str, Any]:
        """Make this month and the next two, and drop at most a year of old ones."""
        self.months.ensure(self.now() + days * 86_400.0 for days in (0, 31, 62))
        dropped: list[str] = []
        waiting = ""
        while len(dropped) < MONTHS and not waiting:
            left = self.months.drop_expired()
            waiting = left.waiting
            if not left.dropped:
                break
            dropped.append(left.dropped)
        return {"dropped": dropped, "waiting": waiting}

    def _check(self) -> dict[str, Any]:
        sample = list(islice(self._scan, SAMPLE))
        if not sample:
            self._scan = chain.from_iterable(self.fast.scan())
            sample = list(islice(self._scan, SAMPLE))
        found = compare(self.durable, self.fast, sample)
        if found.behind and self._follow():  # what is on its way is no disagreement
            found = compare(self.durable, self.fast, sample)
        self.signals.gauge("tiers_disagree", sum(found.disagree.values()))
        self._tell("agreement", "" if found.agrees else f"the tiers disagree: {found.disagree}")
        return {**found.document(), "repaired": refresh(self.durable, self.fast, found.behind)}

    def _changes(self) -> dict[str, Any]:
        return self.changes()

    def _keys(self) -> dict[str, Any]:
        forgotten = 0
        for _ in range(PRUNINGS):
            some = self.prune_keys(KEYS_KEPT_SECONDS)
            forgotten += some
            if not some:
                break
        return {"forgotten": forgotten}

    def _tell(self, name: str, what: str) -> None:
        if what and self._told.get(name) != what:
            self.report(f"maintenance, {name}: {what}")
        self._told[name] = what
