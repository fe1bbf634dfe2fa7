"""Which slots a release owns: as few change hands as the weights demand, and always the same ones."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import shake_128
from itertools import chain
from struct import unpack

from ebb.errors import RoutingError
from ebb.routing.table import SLOTS

Ranges = tuple[tuple[int, int], ...]

_NEAR = 1e-6
"""How far a weight may be from a whole number of slots: what floats lose when people write 0.07."""


def slots_of(weight: float) -> int:
    """Return how many slots a weight is.

    Args:
        weight: share of all entities.

    Raises:
        RoutingError: it is no share from 0 to 1, or finer than a slot.
    """
    if not 0.0 <= weight <= 1.0:
        raise RoutingError(f"a weight is a share from 0 to 1, and {weight:g} is none: 0.05 is every twentieth entity")
    count = round(weight * SLOTS)
    if abs(weight * SLOTS - count) > _NEAR:
        raise RoutingError(f"the weight {weight!r} is finer than one in {SLOTS:,}: use at most four decimals")
    return count


def require_room(wanted: Mapping[str, int]) -> None:
    """Check that there are as many slots as are wanted.

    Raises:
        RoutingError: there are fewer.
    """
    share = sum(wanted.values()) / SLOTS
    if share > 1:
        raise RoutingError(f"the weights add up to {share:g}, but at most to 1: the champion answers what is left")


def moved(owned: Mapping[str, Ranges], salt: str, wanted: Mapping[str, int]) -> dict[str, Ranges]:
    """Give every release the number of slots that it is to own; no slot changes hands without need.

    Each release has its own order of all slots. It grows along that order and shrinks back along it, so what it owned
    it keeps while it grows. A slot that another one just gave back is taken before one that nobody owned: an entity
    that has to move anyway moves once.

    Args:
        owned: by release, the ranges that it owns so far.
        salt: the table's.
        wanted: by release, how many slots it is to own; a release that is not named gives all of its slots back.

    Returns:
        By release, what it owns from now on; whoever owns nothing is left out.

    Raises:
        RoutingError: more are wanted than there are.
    """
    require_room(wanted)
    held = {release: set(expanded(ranges)) for release, ranges in owned.items()}
    unowned = set(range(SLOTS)).difference(*held.values())
    kept: dict[str, set[int]] = {}
    returned: set[int] = set()
    for release, slots in held.items():
        surplus = len(slots) - wanted.get(release, 0)
        back = set(_ordered(slots, salt, release)[len(slots) - surplus :]) if surplus > 0 else set()
        kept[release] = slots - back
        returned |= back
    for release, count in wanted.items():
        slots = kept.setdefault(release, set())
        missing = count - len(slots)
        if missing > 0:
            taken = _ordered(returned, salt, release)[:missing]
            taken += _ordered(unowned, salt, release)[: missing - len(taken)]
            slots.update(taken)
            returned.difference_update(taken)
            unowned.difference_update(taken)
    return {release: ranges_of(kept[release]) for release in wanted if kept[release]}


def expanded(ranges: Ranges) -> Iterable[int]:
    """Return each slot of some ranges."""
    return chain.from_iterable(range(first, end) for first, end in ranges)


def ranges_of(slots: Iterable[int]) -> Ranges:
    """Return slots as the fewest ranges [first, end), in their order."""
    found: list[tuple[int, int]] = []
    for slot in sorted(slots):
        if found and found[-1][1] == slot:
            found[-1] = (found[-1][0], slot + 1)
        else:
            found.append((slot, slot + 1))
    return tuple(found)


def _ordered(slots: Iterable[int], salt: str, release: str) -> list[int]:
    """Return slots in the order in which this release takes them."""
    return sorted(slots, key=_places(salt, release).__getitem__)


@lru_cache(maxsize=32)
def _places(salt: str, release: str) -> tuple[tuple[int, int], ...]:
    """Return each slot's place in a release's own order: eight bytes of SHAKE-128 for each, by salt and release."""
    drawn = unpack(f">{SLOTS}Q", shake_128(f"{salt}/{release}".encode()).digest(8 * SLOTS))
    return tuple(zip(drawn, range(SLOTS), strict=True))
