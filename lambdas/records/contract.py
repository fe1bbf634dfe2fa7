"""The features that may be written: those of every release that the routing table names."""

from collections.abc import Callable
from dataclasses import replace

from ebb.contract.model import Contract, Feature
from ebb.errors import EbbError, ReleaseError, RoutingError
from ebb.ports import ReleaseStore, RoutingStore
from ebb.release.load import load_contract
from ebb.routing.table import RoutingTable

LOOK_SECONDS = 1.0
"""Between two looks at the routing table."""


class WritableContract:
    """Holds the champion's contract with the optional features that other releases of the table add to it.

    Args:
        name: returns the name of the served contract; raises NoRelease while there is none.
        routing: where tables lie; without any, the champion of `releases` is meant.
        releases: where releases lie.
        clock: monotonic seconds.
    """

    def __init__(
        self, name: Callable[[], str], routing: RoutingStore, releases: ReleaseStore, clock: Callable[[], float]
    ) -> None:
        self._name, self._routing, self._releases, self._clock = name, routing, releases, clock
        self._held: Contract | None = None
        self._version, self._look_at = -1, 0.0

    def get(self) -> Contract:
        """Return the contract; a change of the table is seen within `LOOK_SECONDS`.

        Raises:
            NoRelease: there is none yet.
            ReleaseError: the champion cannot be trusted, and no contract is held.
            Unavailable: the table cannot be read, and no contract is held.
        """
        if self._held is None or self._clock() >= self._look_at:
            self._look_at = self._clock() + LOOK_SECONDS
            try:
                self._held = self._read()
            except EbbError:
                if self._held is None:
                    raise
        return self._held

    def _table(self, name: str) -> RoutingTable | None:
        """Return the newest table; where it was damaged, and no contract is held, the champion's must do."""
        try:
            return self._routing.latest(name)
        except RoutingError:
            if self._held is not None:
                raise
            return None

    def _read(self) -> Contract:
        name = self._name()
        table = self._table(name)
        version = table.version if table else 0
        if self._held is not None and version == self._version:
            return self._held
        champion = load_contract(self._releases, name, table.champion if table else None)
        added: dict[str, Feature] = {}
        for release in table.releases[1:] if table else ():
            try:
                added.update(load_contract(self._releases, name, release).by_name)
            except ReleaseError:
                continue  # what cannot be used needs no features
        self._version = version
        return replace(champion, features=tuple({**champion.by_name, **added, **champion.by_name}.values()))
