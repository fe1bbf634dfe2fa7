"""The routes of the records function that decide which releases serve, from a call to a document."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ebb.errors import BadShape, Conflict, EbbError, NoRelease
from ebb.http.calls import Call, only
from ebb.http.doors import Report
from ebb.http.scopes import ADMIN
from ebb.ports import ReleaseStore, RoutingNews, RoutingStore
from ebb.release.load import LoadedRelease
from ebb.routing.admit import admit
from ebb.routing.change import promoted, rolled_back, started, with_roles
from ebb.routing.document import roles_from_document
from ebb.routing.table import Change, RoutingTable
from lambdas.records.routing_document import HISTORY, told

LIMIT = 16_384
"""Bytes of a body."""

NO_TABLE = "there is no routing table yet: promote a release (`ebb route promote VERSION`), which writes the first one"

_SALT_BYTES = 16
_TRIES = 3
"""Of a change that was asked for without the version that it is based on."""

_ROLES = frozenset({"challengers", "cheap", "shadow", "based_on"})
_PROMOTE = frozenset({"release", "based_on"})
_ROLLBACK = frozenset({"based_on"})

Make = Callable[[RoutingTable | None, Change], RoutingTable]
"""From the newest table to the next one; the first one is made from None."""


@dataclass(frozen=True)
class RoutingService:
    """Shows and changes the routing table.

    Args:
        contract: returns the name of the served contract; raises NoRelease while there is none.
        routing: where tables lie.
        releases: where releases lie, and which of them is called the champion.
        news: tells every environment of a new version.
        load: from (contract, version) to a release that was checked; raises ReleaseError.
        clock: epoch seconds.
        report: takes what could not be done after a change, for the log.
        champion_follows: whether the release store names the new champion too: a local cloud comes up by that name.
            On a stage the table alone says who serves, and nobody but its publisher writes to the store.
    """

    contract: Callable[[], str]
    routing: RoutingStore
    releases: ReleaseStore
    news: RoutingNews
    load: Callable[[str, str], LoadedRelease]
    clock: Callable[[], float]
    report: Report
    champion_follows: bool = True

    def show(self, call: Call) -> dict[str, Any]:
        """`GET /v1/routing`: the table, since when each release has its role, and the last changes."""
        call.require(ADMIN)
        return self._told(self.contract())

    def set_roles(self, call: Call) -> dict[str, Any]:
        """`PUT /v1/routing`: state challengers, cheap and shadow; what is left out is taken away."""
        document = _document(call, _ROLES)
        roles = roles_from_document(document)
        return self._change(call, "set", document, lambda old, change: with_roles(_stood(old), roles, change))

    def promote(self, call: Call) -> dict[str, Any]:
        """`POST /v1/routing/promote`: make a release the champion; where there is no table yet, of the first one."""
        document = _document(call, _PROMOTE)
        release = document.get("release")
        if not isinstance(release, str):
            raise BadShape("`release` must be the version of a release (12 hex digits)")
        return self._change(call, "promote", document, lambda old, change: _crowned(old, release, change))

    def roll_back(self, call: Call) -> dict[str, Any]:
        """`POST /v1/routing/rollback`: champion and previous champion change places; the body may be empty."""
        document = _document(call, _ROLLBACK)
        return self._change(call, "rollback", document, lambda old, change: rolled_back(_stood(old), change))

    def _change(self, call: Call, action: str, document: Mapping[str, Any], make: Make) -> dict[str, Any]:
        based_on = document.get("based_on")
        if based_on is not None and (isinstance(based_on, bool) or not isinstance(based_on, int)):
            raise BadShape("`based_on` must be the version of the routing table that was looked at")
        contract = self.contract()
        table = self._appended(contract, Change(self.clock(), call.client, action), make, based_on)
        notes = self._make_known(contract, table)
        for note in notes:
            self.report(note, call.correlation_id)
        return {**self._told(contract), "written": table.version, "notes": notes}

    def _appended(self, contract: str, change: Change, make: Make, based_on: int | None) -> RoutingTable:
        """Keep the next version; without `based_on` again on the version of whoever was first."""
        tries = _TRIES if based_on is None else 1
        while True:
            old = self.routing.latest(contract)
            version = 0 if old is None else old.version
            if based_on is not None and version != based_on:
                raise Conflict(
                    f"the routing table is at version {version} and not {based_on} any more: look, and ask again"
                )
            new = make(old, change)
            admit(new, lambda version: self.load(contract, version))
            tries -= 1
            try:
                self.routing.append(contract, new)
            except Conflict:
                # Who was to begin must not undo another's beginning unseen.
                if not tries or old is None:
                    raise
            else:
                return new

    def _make_known(self, contract: str, table: RoutingTable) -> list[str]:
        """Tell whoever has to know; the change stands, whatever cannot be done here."""
        notes = []
        try:
            # The newest table's, not this one's: of two changes at once, the last one names the champion.
            if self.champion_follows and table.change.action != "set":
                newest = self.routing.latest(contract) or table
                if self.releases.champion(contract) != newest.champion:
                    self.releases.set_champion(contract, newest.champion)
        except EbbError:
            notes.append("the release store does not name this champion yet: a later `ebb up` would bring the old one")
        try:
            self.news.announce_routing(table.version)
        except EbbError:
            notes.append("the environments could not be told yet: the maintenance tells them in a moment")
        return notes

    def _told(self, contract: str) -> dict[str, Any]:
        history = self.routing.history(contract, HISTORY)
        if not history:
            raise NoRelease(NO_TABLE)
        return told(contract, history)


def _crowned(old: RoutingTable | None, release: str, change: Change) -> RoutingTable:
    return started(release, secrets.token_hex(_SALT_BYTES), change) if old is None else promoted(old, release, change)


def _stood(old: RoutingTable | None) -> RoutingTable:
    """Return the table that a change needs to stand on.

    Raises:
        NoRelease: there is none yet.
    """
    if old is None:
        raise NoRelease(NO_TABLE)
    return old


def _document(call: Call, known: frozenset[str]) -> dict[str, Any]:
    """Read a body that may be empty."""
    call.require(ADMIN)
    document = call.document(LIMIT) if call.body else {}
    only(document, known)
    return document
