"""The route of the records function that lists the releases of the store."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ebb.errors import BadShape, EbbError
from ebb.http.calls import Call
from ebb.http.scopes import ADMIN
from ebb.ports import ReleaseStore, RoutingStore
from ebb.release.listed import listed
from lambdas.records.routing_document import roles_of

USUAL, MOST = 20, 50
"""Releases of a page: each is read whole, as only so it can be verified."""

_LONGEST = 64


@dataclass(frozen=True)
class RegistryService:
    """Lists releases.

    Args:
        contract: returns the name of the served contract; raises NoRelease while there is none.
        releases: where releases lie.
        routing: where tables lie: the newest one says who has which role.
    """

    contract: Callable[[], str]
    releases: ReleaseStore
    routing: RoutingStore

    def show(self, call: Call) -> dict[str, Any]:
        """`GET /v1/registry`: one page of the releases, in the order of their versions, each verified.

        `after` is the `next` of the page before; `limit` is how many, `MOST` at most.
        """
        call.require(ADMIN)
        after, limit = call.query.get("after", "")[:_LONGEST], _limit(call.query)
        contract = self.contract()
        roles, notes = self._roles(contract)
        versions = self.releases.versions(contract)
        page = [version for version in versions if version > after][:limit]
        found = [listed(self.releases, contract, version, roles.get(version, ())) for version in page]
        return {
            "contract": contract,
            "releases": [{**asdict(each), "verified": not each.damage} for each in found],
            "next": page[-1] if page and page[-1] != versions[-1] else None,
            "notes": notes + [_gone(version) for version in sorted(roles.keys() - set(versions))],
        }

    def _roles(self, contract: str) -> tuple[dict[str, tuple[str, ...]], list[str]]:
        """Return the roles by release; a table that cannot be read hides no release."""
        try:
            table = self.routing.latest(contract)
        except EbbError:
            return {}, ["the routing table cannot be read: nobody's role is known"]
        if table is None:
            return {}, ["there is no routing table yet: no release has a role"]
        found: dict[str, tuple[str, ...]] = {}
        for role in roles_of(table):
            found[role["release"]] = (*found.get(role["release"], ()), role["role"])
        return found, []


def _gone(version: str) -> str:
    return f"the routing table names {version}, and there is no such release"


def _limit(query: Mapping[str, str]) -> int:
    """Read how many releases are wanted.

    Raises:
        BadShape: it is no number from 1 to `MOST`.
    """
    text = query.get("limit", str(USUAL))
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MOST)) and 1 <= int(text) <= MOST):
        raise BadShape(f"`limit` must be a whole number from 1 to {MOST}")
    return int(text)
