"""The routing table through its routes: which releases serve, and since when."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict
from uuid import uuid4

from ebb.client.call import KEY, Request
from ebb.client.errors import OddAnswer
from ebb.errors import Misuse


class ChallengerRole(TypedDict):
    """A release that is tried on a share of all entities, 0 to 1."""

    release: str
    weight: float


class _Release(TypedDict):
    release: str


class CheapRole(_Release, total=False):
    """A release that costs less: its share of all entities, and how far from the threshold its answers stand."""

    weight: float
    margin: float


class ShadowRole(_Release, total=False):
    """A release that scores along, and the milliseconds that it may take."""

    budget_ms: float


@dataclass(frozen=True)
class Role:
    """A release in its role.

    Attributes:
        role: `champion`, `challenger`, `cheap`, `shadow` or `previous`.
        release: its version.
        since: epoch seconds.
        weight: share of all entities; None for roles that answer nobody.
    """

    role: str
    release: str
    since: float
    weight: float | None


@dataclass(frozen=True)
class Routing:
    """The routing table.

    Attributes:
        contract: whose.
        version: of the table in force.
        roles: in the order in which they answer.
        notes: what a change could not do yet; empty where nothing was changed.
        document: the whole answer, with the last changes.
    """

    contract: str
    version: int
    roles: tuple[Role, ...]
    notes: tuple[str, ...]
    document: Mapping[str, Any]


def read_routing(document: Any, _request_id: str = "") -> Routing:
    """Read the answer of every route of the routing table.

    Raises:
        OddAnswer: it is none.
    """
    try:
        roles = [Role(r["role"], r["release"], float(r["since"]), r.get("weight")) for r in document["roles"]]
        notes = tuple(document.get("notes", ()))
        return Routing(document["contract"], int(document["version"]), tuple(roles), notes, document)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise OddAnswer("what came as the answer of a routing call is none") from None


def show() -> Request[Routing]:
    """`GET /v1/routing`."""
    return Request("routing", "GET", "/v1/routing", read_routing)


def set_roles(
    challengers: Sequence[ChallengerRole], cheap: CheapRole | None, shadow: ShadowRole | None, based_on: int | None
) -> Request[Routing]:
    """`PUT /v1/routing`."""
    document = {"challengers": list(challengers), "cheap": cheap, "shadow": shadow}
    return _change("PUT", "", document, based_on)


def promote(release: str, based_on: int | None) -> Request[Routing]:
    """`POST /v1/routing/promote`."""
    return _change("POST", "/promote", {"release": release}, based_on)


def roll_back(based_on: int | None) -> Request[Routing]:
    """`POST /v1/routing/rollback`."""
    return _change("POST", "/rollback", {}, based_on)


def _change(method: str, what: str, document: Mapping[str, Any], based_on: int | None) -> Request[Routing]:
    whole = document if based_on is None else {**document, "based_on": based_on}
    try:
        body = json.dumps(whole, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise Misuse(f"the roles cannot be sent as JSON: pass texts and numbers ({type(error).__name__})") from None
    return Request("routing", method, f"/v1/routing{what}", read_routing, body, {KEY: uuid4().hex})
