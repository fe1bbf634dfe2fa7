"""From one version of the routing table to the next: pure, and with as few entities moved as the change demands."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ebb.errors import RoutingError
from ebb.routing.slots import Ranges, moved, require_room, slots_of
from ebb.routing.table import Challenger, Change, Cheap, RoutingTable, Shadow

MOST_CHALLENGERS = 20
LONGEST_BUDGET_MS = 1_000.0
_VERSION = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class Roles:
    """Who stands beside the champion; see `RoutingTable`."""

    challengers: tuple[Challenger, ...] = ()
    cheap: Cheap | None = None
    shadow: Shadow | None = None


def started(champion: str, salt: str, change: Change) -> RoutingTable:
    """Return the first table: the champion answers everybody.

    Args:
        champion: version of the release.
        salt: random, kept as long as the contract is served.
        change: who starts it.

    Raises:
        RoutingError: the champion is no version of a release.
    """
    _require_version(champion)
    return RoutingTable(1, salt, champion, change=change)


def with_roles(old: RoutingTable, wanted: Roles, change: Change) -> RoutingTable:
    """Return the next table with these roles and no others; champion and previous stay.

    Raises:
        RoutingError: see `check_roles`.
    """
    counts = check_roles(old.champion, wanted)
    return _next(old, wanted, moved(old.slots, old.salt, counts), change)


def promoted(old: RoutingTable, release: str, change: Change) -> RoutingTable:
    """Return the next table with another champion.

    The release leaves its other roles and gives its slots back: whom it answered so far, it answers as the champion.
    The old champion becomes the previous one.

    Raises:
        RoutingError: the release is the champion already, or no version of a release.
    """
    _require_version(release)
    if release == old.champion:
        raise RoutingError(f"{release} is the champion already: nothing changed")
    return _crowned(old, release, change)


def rolled_back(old: RoutingTable, change: Change) -> RoutingTable:
    """Return the next table in which champion and previous have changed places.

    Raises:
        RoutingError: there is no previous champion.
    """
    if old.previous is None:
        raise RoutingError("there is no previous champion to go back to: name a release, and promote it")
    return _crowned(old, old.previous, change)


def check_roles(champion: str, wanted: Roles) -> dict[str, int]:
    """Check roles and return how many slots each release is to own.

    A shadow may be anything but the champion; challengers, the cheap release and the champion are all different ones.

    Raises:
        RoutingError: a name is no version, a release stands in two places, a weight, margin or budget is none, there
            are too many, or the weights add up to more than 1.
    """
    if len(wanted.challengers) > MOST_CHALLENGERS:
        raise RoutingError(f"{len(wanted.challengers)} challengers are too many: at most {MOST_CHALLENGERS} at once")
    owners: list[Challenger | Cheap] = [*wanted.challengers, *([wanted.cheap] if wanted.cheap else [])]
    named = {champion}
    for owner in owners:
        _require_version(owner.release)
        if owner.release in named:
            raise RoutingError(f"{owner.release} stands in two roles at once: give it one")
        named.add(owner.release)
    _check_cheap(wanted.cheap)
    _check_shadow(wanted.shadow, champion)
    counts = {owner.release: slots_of(owner.weight) for owner in owners}
    require_room(counts)
    return counts


def _check_cheap(cheap: Cheap | None) -> None:
    if cheap is not None and not 0.0 <= cheap.margin < 1.0:
        raise RoutingError(f"the margin of the cheap release must be from 0 to below 1, and {cheap.margin:g} is not")


def _check_shadow(shadow: Shadow | None, champion: str) -> None:
    if shadow is None:
        return
    _require_version(shadow.release)
    if shadow.release == champion:
        raise RoutingError(f"{champion} is the champion: a shadow must be another release")
    if not 0.0 < shadow.budget_ms <= LONGEST_BUDGET_MS:
        raise RoutingError(f"the shadow's budget must be above 0 and at most {LONGEST_BUDGET_MS:g} milliseconds")


def _crowned(old: RoutingTable, release: str, change: Change) -> RoutingTable:
    remaining = Roles(
        tuple(c for c in old.challengers if c.release != release),
        old.cheap if old.cheap and old.cheap.release != release else None,
        old.shadow if old.shadow and old.shadow.release != release else None,
    )
    slots = {owner: ranges for owner, ranges in old.slots.items() if owner != release}
    return replace(_next(old, remaining, slots, change), champion=release, previous=old.champion)


def _next(old: RoutingTable, roles: Roles, slots: Mapping[str, Ranges], change: Change) -> RoutingTable:
    return replace(
        old,
        version=old.version + 1,
        challengers=roles.challengers,
        cheap=roles.cheap,
        shadow=roles.shadow,
        slots=slots,
        change=change,
    )


def _require_version(release: str) -> None:
    if not _VERSION.fullmatch(release):
        raise RoutingError(f"{release[:64]!r} is no version of a release (12 hex digits)")
