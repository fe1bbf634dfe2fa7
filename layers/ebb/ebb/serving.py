"""The release that a function serves: loaded once, and looked for again while there is none."""

from collections.abc import Callable

from ebb.errors import NoRelease
from ebb.ports import ReleaseStore, Scorer
from ebb.release.load import LoadedRelease, load_champion


class ServedRelease:
    """Holds the champion of one contract.

    Args:
        store: where releases lie.
        contract: its name; empty means the store's only one.
        make_scorer: from the graph's bytes to a scorer.
    """

    def __init__(self, store: ReleaseStore, contract: str, make_scorer: Callable[[bytes], Scorer]) -> None:
        self._store, self._contract, self._make_scorer = store, contract, make_scorer
        self._loaded: LoadedRelease | None = None

    def get(self) -> LoadedRelease:
        """Return the loaded release; as long as there is none, every call looks for one.

        Raises:
            NoRelease: there is none yet.
            ReleaseError: there is one, but it cannot be trusted.
        """
        if self._loaded is None:
            self._loaded = load_champion(self._store, self._name(), self._make_scorer)
        return self._loaded

    def versions(self) -> list[str]:
        """Return all versions of the contract in the store, sorted."""
        return self._store.versions(self._name())

    def _name(self) -> str:
        return self._contract or only_contract(self._store)


def only_contract(store: ReleaseStore) -> str:
    """Return the store's only contract.

    Raises:
        NoRelease: there is none, or more than one.
    """
    contracts = store.contracts()
    if not contracts:
        raise NoRelease("there is no release yet: train one with `ebb train`, then start again (`ebb down`, `ebb up`)")
    if len(contracts) > 1:
        raise NoRelease("several contracts have releases, and none was chosen: start with `ebb up --release`")
    return contracts[0]
