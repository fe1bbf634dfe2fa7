"""The trial of this code: it loads the releases of the newest routing table, one at a time, as a hook asks it to.

Each is read, verified and loaded afresh, by the same loader that serves, and answers its golden examples; what serves
here is not touched. The hook asks for one release at a time: each has the whole time of an invocation.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ebb.errors import BadShape, ReleaseError
from ebb.http import scopes
from ebb.http.calls import Call, only
from ebb.http.doors import Route
from ebb.ports import ReleaseStore, RoutingStore
from ebb.serving.contracts import only_contract
from ebb.shift.questions import NAMED, ONE

_LIMIT = 1_000
"""Bytes of a body that names a release."""


class Trial:
    """Answers what no gateway can ask.

    Args:
        releases: where they lie.
        routing: where tables lie.
        contract: its name; empty means the store's only one.
        load: from (contract, version) to a release that has answered its golden examples; raises ReleaseError.
        tidy: called after each load, when what was loaded can be forgotten.
    """

    def __init__(
        self,
        releases: ReleaseStore,
        routing: RoutingStore,
        contract: str,
        *,
        load: Callable[[str, str], object],
        tidy: Callable[[], None],
    ) -> None:
        self._releases, self._routing, self._contract = releases, routing, contract
        self._load, self._tidy = load, tidy

    def routes(self) -> Mapping[str, Route]:
        """Return what is answered, by the key of its route."""
        return {NAMED: self.named, ONE: self.one}

    def named(self, call: Call) -> dict[str, Any]:
        """Answer which releases the newest table names; the champion alone where there is no table, or none at all.

        Raises:
            RoutingError, Unavailable: the newest table cannot be read.
        """
        call.require(scopes.ADMIN)
        if not self._contract and not self._releases.contracts():
            return {"contract": None, "routing": 0, "releases": []}
        name = self._name()
        table = self._routing.latest(name)
        if table is not None:
            return {"contract": name, "routing": table.version, "releases": list(table.releases)}
        champion = self._releases.champion(name)
        return {"contract": name, "routing": 0, "releases": [champion] if champion else []}

    def one(self, call: Call) -> dict[str, Any]:
        """Load one release and let it answer its golden examples; the reason is told where it is refused.

        Raises:
            BadShape: the body names none.
            Unavailable: it cannot be read.
        """
        call.require(scopes.ADMIN)
        document = call.document(_LIMIT)
        only(document, frozenset({"release"}))
        release = document.get("release")
        if not isinstance(release, str):
            raise BadShape("`release` must be the version of a release")
        try:
            self._load(self._name(), release)
        except ReleaseError as error:
            return {"release": release, "refused": str(error)}
        finally:
            self._tidy()
        return {"release": release, "refused": None}

    def _name(self) -> str:
        return self._contract or only_contract(self._releases)
