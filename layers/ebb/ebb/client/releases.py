"""The releases of a stage through their route: what was published, in which roles, and whether it is whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ebb.client.call import Request
from ebb.client.errors import OddAnswer


@dataclass(frozen=True)
class Registered:
    """One release of the store.

    Attributes:
        version: 12 hex digits.
        roles: `champion`, `challenger`, `cheap`, `shadow`, `previous`.
        damage: what is wrong with its files; empty where every sha256 is the manifest's.
        document: the whole item, with the figures of its training.
    """

    version: str
    roles: tuple[str, ...]
    damage: str
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Registry:
    """One page of the releases, in the order of their versions.

    Attributes:
        contract: whose.
        releases: of this page.
        next: the `after` of the next page; None after the last.
        document: the whole answer.
    """

    contract: str
    releases: tuple[Registered, ...]
    next: str | None
    document: Mapping[str, Any]


def read_registry(document: Any, _request_id: str = "") -> Registry:
    """Read the answer of `GET /v1/registry`.

    Raises:
        OddAnswer: it is none.
    """
    try:
        found = [Registered(r["version"], tuple(r["roles"]), r["damage"], r) for r in document["releases"]]
        return Registry(document["contract"], tuple(found), document["next"], document)
    except (KeyError, TypeError, AttributeError):
        raise OddAnswer("what came as the answer of the registry is none") from None


def listing(after: str, limit: int | None = None) -> Request[Registry]:
    """`GET /v1/registry`."""
    query = {"after": after} if after else {}
    asked = urlencode(query if limit is None else {**query, "limit": str(limit)})
    return Request("registry", "GET", f"/v1/registry{'?' if asked else ''}{asked}", read_registry)
