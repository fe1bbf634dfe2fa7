"""Which contract is served where nobody named one."""

from ebb.errors import NoRelease
from ebb.ports import ReleaseStore


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
