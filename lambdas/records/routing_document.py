"""A routing table as its route tells it: who has which role since when, and what changed lately."""

from collections.abc import Iterator, Sequence
from typing import Any

from ebb.routing.slots import expanded
from ebb.routing.table import CHALLENGER, CHAMPION, CHEAP, SHADOW, SLOTS, RoutingTable

PREVIOUS = "previous"
"""The champion before, which waits for a rollback; no answer carries this role."""

HISTORY = 20
"""Versions that are looked at."""


def told(contract: str, history: Sequence[RoutingTable]) -> dict[str, Any]:
    """Return the newest table and the changes that led to it.

    Args:
        contract: its name.
        history: tables, the newest first; at least one.

    Returns:
        `roles` in the order in which they answer; `slots` of each are those that it owns, of `SLOTS` in all; `since`
        is when it took this role (epoch seconds), no earlier than the oldest table of `history`.
    """
    newest = history[0]
    return {
        "contract": contract,
        "version": newest.version,
        "salt": newest.salt,
        "roles": [{**role, "since": _since(role, history)} for role in roles_of(newest)],
        "changes": [{"version": table.version, **vars(table.change)} for table in history],
    }


def roles_of(table: RoutingTable) -> Iterator[dict[str, Any]]:
    """Yield each role of a table with its release, in the order in which they answer."""
    owned = {release: sum(1 for _ in expanded(ranges)) for release, ranges in table.slots.items()}
    left = SLOTS - sum(owned.values())
    yield {"role": CHAMPION, "release": table.champion, "weight": left / SLOTS, "slots": left}
    for challenger in table.challengers:
        yield {"role": CHALLENGER, **vars(challenger), "slots": owned.get(challenger.release, 0)}
    if table.cheap is not None:
        yield {"role": CHEAP, **vars(table.cheap), "slots": owned.get(table.cheap.release, 0)}
    if table.shadow is not None:
        yield {"role": SHADOW, **vars(table.shadow)}
    if table.previous is not None:
        yield {"role": PREVIOUS, "release": table.previous}


def _since(role: dict[str, Any], history: Sequence[RoutingTable]) -> float:
    since = history[0].change.at
    for table in history:
        if (role["role"], role["release"]) not in {(each["role"], each["release"]) for each in roles_of(table)}:
            break
        since = table.change.at
    return since
