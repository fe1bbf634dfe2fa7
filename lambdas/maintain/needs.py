"""What the maintenance needs of the tiers, beyond what every function does."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from ebb.ports import DurablePages, FastReader, FastWriter, RepairTier


class Durable(RepairTier, DurablePages, Protocol):
    """The durable tier as the maintenance needs it."""


class Fast(FastWriter, FastReader, Protocol):
    """The fast tier as the maintenance needs it; every method raises Unavailable where it does not answer."""

    def scan(self) -> Iterator[list[str]]:
        """Yield the entities that are held, some at a time, in no order."""

    def hot(self, limit: int) -> Sequence[str]:
        """Return the entities that are asked for most."""


class Refilling(Protocol):
    """How far the fast tier was refilled: kept there, so that one that came back empty knows of nothing."""

    def position(self) -> str | None:
        """Return the entity to go on after; empty where nothing was told yet, None where all was."""

    def again(self) -> bool:
        """Say whether the fast tier holds records that may be older, as after a failover."""

    def keep(self, position: str | None) -> None:
        """Remember a position."""

    def size(self) -> int:
        """Return about how many entities the fast tier holds."""

    def has_room(self) -> bool:
        """Say whether more can be told without pushing out what is asked for."""

    def is_known(self) -> bool:
        """Say whether the fast tier has been looked at before: one that came back empty has not."""

    def restart(self) -> None:
        """Have all told anew, tombstones too."""
