"""A routing table as JSON: what is not exactly one of Ebb's is refused, naming the key."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ebb.errors import RoutingError
from ebb.routing.change import Roles, check_roles
from ebb.routing.slots import Ranges, expanded
from ebb.routing.table import SLOTS, Challenger, Change, Cheap, RoutingTable, Shadow

LAST_VERSION = 999_999_999_999
"""Versions have twelve digits where they are kept."""

ACTIONS = ("start", "set", "promote", "rollback")
_SALT = re.compile(r"[0-9a-f]{32}")
_RELEASE = re.compile(r"[0-9a-f]{12}")
_KEYS = ("version", "salt", "champion", "previous", "challengers", "cheap", "shadow", "slots", "change")
_ROLES = ("challengers", "cheap", "shadow")
_CHEAP, _SHADOW = ("release", "weight", "margin"), ("release", "budget_ms")


def table_to_bytes(table: RoutingTable) -> bytes:
    """Return the table as one line of JSON."""
    return json.dumps(asdict(table), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def table_from_bytes(content: bytes) -> RoutingTable:
    """Read what `table_to_bytes` wrote.

    Raises:
        RoutingError: it is not what Ebb writes; names the key.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise RoutingError("the routing table is not JSON: it is not what Ebb writes") from None
    return table_from_document(document)


def table_from_document(document: Any) -> RoutingTable:
    """Read a table from its JSON document, and check that it can be one.

    Raises:
        RoutingError: a key is unknown, missing or of another type, or the roles and slots do not fit; names the key.
    """
    held = _object(document, "the routing table", _KEYS)
    roles = roles_from_document({key: held[key] for key in _ROLES})
    champion = _release(held["champion"], "champion")
    slots = _slots(held["slots"])
    _check_slots(slots, check_roles(champion, roles))
    previous = None if held["previous"] is None else _release(held["previous"], "previous")
    if previous == champion:
        raise RoutingError("`previous` is the champion itself, which is nothing to go back to")
    version = held["version"]
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= LAST_VERSION:
        raise RoutingError(f"`version` of a routing table must be a whole number from 1 to {LAST_VERSION:,}")
    return RoutingTable(
        version,
        _matching(held["salt"], "salt", _SALT, "32 hex digits"),
        champion,
        previous,
        roles.challengers,
        roles.cheap,
        roles.shadow,
        slots,
        _change(held["change"]),
    )


def roles_from_document(document: Mapping[str, Any]) -> Roles:
    """Read `challengers`, `cheap` and `shadow`; what is left out, or null, is none.

    Raises:
        RoutingError: a key is unknown, missing or of another type; names it.
    """
    given = document.get("challengers") or ()
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise RoutingError("`challengers` must be a list")
    challengers = []
    for position, item in enumerate(given):
        where = f"challengers[{position}]"
        held = _object(item, f"`{where}`", ("release", "weight"))
        challengers.append(Challenger(_release(held["release"], f"{where}.release"), _number(held, where, "weight")))
    return Roles(
        tuple(challengers),
        _cheap(document.get("cheap")),
        _shadow(document.get("shadow")),
    )


def _cheap(value: Any) -> Cheap | None:
    if value is None:
        return None
    held = _object(_filled(value, {"weight": Cheap.weight, "margin": Cheap.margin}), "`cheap`", _CHEAP)
    return Cheap(_release(held["release"], "cheap.release"), *(_number(held, "cheap", key) for key in _CHEAP[1:]))


def _shadow(value: Any) -> Shadow | None:
    if value is None:
        return None
    held = _object(_filled(value, {"budget_ms": Shadow.budget_ms}), "`shadow`", _SHADOW)
    return Shadow(_release(held["release"], "shadow.release"), _number(held, "shadow", "budget_ms"))


def _filled(value: Any, usual: Mapping[str, float]) -> Any:
    return {**usual, **value} if isinstance(value, dict) else value


def _change(value: Any) -> Change:
    held = _object(value, "`change`", ("at", "client", "action"))
    if not isinstance(held["client"], str):
        raise RoutingError("`change.client` must be a text")
    if held["action"] not in ACTIONS:
        raise RoutingError(f"`change.action` must be one of {', '.join(ACTIONS)}")
    return Change(_number(held, "change", "at"), held["client"], held["action"])


def _slots(value: Any) -> dict[str, Ranges]:
    if not isinstance(value, dict):
        raise RoutingError("`slots` must be an object of releases and their ranges")
    found = {}
    for release, ranges in value.items():
        name = f"slots.{str(release)[:64]}"
        _release(release, name)
        if not isinstance(ranges, list) or not all(_is_range(each) for each in ranges):
            raise RoutingError(f"`{name}` must be a list of ranges [first, end) within 0 and {SLOTS:,}")
        found[release] = tuple((first, end) for first, end in ranges)
    return found


def _is_range(value: Any) -> bool:
    if not isinstance(value, list) or [type(each) for each in value] != [int, int]:
        return False
    return bool(0 <= value[0] < value[1] <= SLOTS)


def _check_slots(slots: Mapping[str, Ranges], counts: Mapping[str, int]) -> None:
    """Check that every release owns as many slots as its weight says, and no slot has two owners."""
    taken: set[int] = set()
    for release, ranges in slots.items():
        if release not in counts:
            raise RoutingError(f"`slots` names {release}, which has no weight")
        own = list(expanded(ranges))
        if not taken.isdisjoint(own) or len(set(own)) != len(own):
            raise RoutingError(f"`slots.{release}` names a slot that is taken already")
        taken.update(own)
    for release, count in counts.items():
        owned = len(list(expanded(slots.get(release, ()))))
        if owned != count:
            raise RoutingError(f"`slots.{release}` are {owned:,}, but its weight is {count:,} of {SLOTS:,}")


def _object(value: Any, name: str, keys: Sequence[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RoutingError(f"{name} must be an object")
    for key in value:
        if key not in keys:
            raise RoutingError(f"{name} has an unknown key {str(key)[:64]!r}: it knows {', '.join(keys)}")
    for key in keys:
        if key not in value:
            raise RoutingError(f"{name} lacks the key {key!r}")
    return value


def _number(held: Mapping[str, Any], where: str, key: str) -> float:
    value = held[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise RoutingError(f"`{where}.{key}` must be a number")
    return float(value)


def _release(value: Any, name: str) -> str:
    return _matching(value, name, _RELEASE, "the version of a release (12 hex digits)")


def _matching(value: Any, name: str, pattern: re.Pattern[str], what: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise RoutingError(f"`{name}` must be {what}")
    return value
