"""The routing table: which release answers whom.

An entity falls, by a stable hash, into one of `SLOTS` slots. Challengers and the cheap release own slots; whoever
falls into one that nobody owns is answered by the champion. Which slots a release owns stands in the table itself, so
that a changed weight moves only as many slots as it must.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

SLOTS = 10_000
CHAMPION, CHALLENGER, CHEAP, SHADOW, RULES = "champion", "challenger", "cheap", "shadow", "rules"
"""Roles of a release in one answer; `rules` where no release answered."""


@dataclass(frozen=True)
class Challenger:
    """A release that is tried on some entities.

    Attributes:
        release: its version, 12 hex digits.
        weight: share of all entities, 0 to 1.
    """

    release: str
    weight: float


@dataclass(frozen=True)
class Cheap:
    """A release that costs less and answers some entities.

    Attributes:
        release: its version.
        weight: share of all entities, 0 to 1.
        margin: how far its probability must be from the decision threshold for its answer to stand; nearer ones are
            hard cases and go on to the champion. 0: every answer stands.
    """

    release: str
    weight: float = 0.1
    margin: float = 0.0


@dataclass(frozen=True)
class Shadow:
    """A release that scores along and never answers.

    Attributes:
        release: its version.
        budget_ms: milliseconds that its score may take of an answer's time.
    """

    release: str
    budget_ms: float = 5.0


@dataclass(frozen=True)
class Change:
    """Who made a table what it is.

    Attributes:
        at: epoch seconds.
        client: who asked for it.
        action: `start`, `set`, `promote` or `rollback`.
    """

    at: float
    client: str
    action: str


@dataclass(frozen=True)
class RoutingTable:
    """One version of the table, never altered afterwards.

    Attributes:
        version: counts from 1.
        salt: of the hash that assigns entities; another salt assigns everybody anew.
        champion: version of the release that answers whom nobody else does.
        previous: the champion before, kept loaded for a rollback; None where there was none.
        challengers: in the order they were given.
        cheap, shadow: None where there is none.
        slots: by release, the ranges [first, end) of slots that it owns.
        change: where this version came from.
    """

    version: int
    salt: str
    champion: str
    previous: str | None = None
    challengers: tuple[Challenger, ...] = ()
    cheap: Cheap | None = None
    shadow: Shadow | None = None
    slots: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    change: Change = Change(0.0, "", "start")

    @property
    def releases(self) -> tuple[str, ...]:
        """Every release that the table names, once each, the champion first."""
        named = [self.champion, *(c.release for c in self.challengers)]
        named += [role.release for role in (self.cheap, self.shadow) if role]
        return tuple(dict.fromkeys([*named, *([self.previous] if self.previous else [])]))
