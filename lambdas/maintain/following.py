"""The task of a region that follows: what changed in the primary region is told to the fast tier of this one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ebb.errors import Unavailable
from ebb.ports import ChangeFeed, FastWriter, Position, Signals
from ebb.store.follow import follow

SLICE_SECONDS = 15.0
"""A run gives way after so long, and the next invocation goes on."""

OVERLAP_SECONDS = 300.0
"""A first position lies so long back: further than replicas of one region are apart, and than a write may take."""

YOUNG_SECONDS = 86_400.0
"""What a fast tier was told since it came back empty is caught up with for so long; beyond that, all is told anew."""

LATE_SECONDS = 300.0
"""The primary region shows a sign of life each minute; without one for so long it is away, or its replica is."""

_END = (2**63 - 1, 0)
"""Behind every change there can be."""


class Positions(Protocol):
    """Where the fast tier keeps how far it followed; every method raises Unavailable where it does not answer."""

    def position(self) -> Position | None:
        """Return the position; None where there is none."""

    def begin(self, position: Position) -> None:
        """Remember a first position."""

    def keep(self, position: Position) -> None:
        """Remember how far it came; a tier that has forgotten where it began remembers nothing."""

    def age(self) -> float:
        """Return the seconds since the tier started."""


class Retelling(Protocol):
    """The refill of the same fast tier; every method raises Unavailable where it does not answer."""

    def is_known(self) -> bool:
        """Say whether the tier has been looked at before: one that came back empty has not."""

    def restart(self) -> None:
        """Have all told anew, tombstones too."""


@dataclass
class Following:
    """Follows one region.

    Until a run succeeds, the newest change is taken to be as old as this environment: where none ever does, the lag
    grows all the same.

    Args:
        feed: its changes, as this region's replica has them.
        fast: this region's own.
        positions, refilling: see their protocols.
        region: the name of the one that is followed.
        clock: monotonic seconds.
        signals: takes `followed` (records) and `followed_lag_seconds`.
    """

    feed: ChangeFeed
    fast: FastWriter
    positions: Positions
    refilling: Retelling
    region: str
    clock: Callable[[], float]
    signals: Signals

    def __post_init__(self) -> None:
        self._newest = self.clock()

    def run(self) -> dict[str, Any]:
        """Tell what changed since the last run.

        Returns:
            The records told, whether that was all, the seconds since the newest change, and why all is told anew.

        Raises:
            Unavailable: a tier does not answer, or nothing is recorded; the next run begins where this one did.
        """
        try:
            return self._run()
        finally:
            self.signals.gauge("followed_lag_seconds", max(self.clock() - self._newest, 0.0))

    def _run(self) -> dict[str, Any]:
        position, anew = self.positions.position(), ""
        if position is None:
            position, anew = self._begun("")
        until = self.clock() + SLICE_SECONDS
        done = follow(self.feed, self.fast, position, lambda: self.clock() < until)
        if done.position is None:
            what = "is gone, or was recorded anew since"
            _, anew = self._begun(f"the feed of {self.region} no longer has what changed since the last run ({what})")
        else:
            self.positions.keep(done.position)
        if done.records:
            self.signals.count("followed", done.records)
        if done.age is not None:
            self._newest = self.clock() - done.age
        return {"records": done.records, "complete": done.complete, "lag": done.age, "anew": anew}

    def late(self, done: dict[str, Any]) -> str:
        """Return a sentence where a run found that this region is far behind; empty where it is not."""
        lag = done["lag"]
        if lag is not None and lag < LATE_SECONDS:
            return ""
        return f"nothing new of {self.region} has come for more than {LATE_SECONDS:g} s: it is away, or its replica is"

    def _begun(self, why: str) -> tuple[Position, str]:
        """Return a first position, and why all is told anew; empty where the tier was empty, and is refilled anyway.

        What was told to an empty tier since it started may have changed before this run: that is caught up with.
        """
        generation = self.feed.look(_END).generation
        if not generation:
            raise Unavailable(f"{self.region} records no changes: set EBB_FOLLOWED=true there, and run its maintenance")
        since = self.positions.age() + OVERLAP_SECONDS
        if why or self.refilling.is_known() or since > YOUNG_SECONDS:
            why = why or f"this fast tier has not followed {self.region} so far"
            since = OVERLAP_SECONDS
            self.refilling.restart()
        position = Position(generation, self.feed.since(since))
        self.positions.begin(position)
        return position, why
