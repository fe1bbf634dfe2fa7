"""Making up for what the registry missed, contract by contract."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ebb.folder import FolderReleases
from training.crown import one_at_a_time
from training.registry.ledger import Ledger


@dataclass(frozen=True)
class Synced:
    """What was made up for.

    Attributes:
        registered: releases that are registered now, as `contract/version`.
        away: why the registry could not be had; empty where it could.
        notes: what could not be done, for people.
    """

    registered: tuple[str, ...]
    away: str
    notes: tuple[str, ...]


def sync_registry(releases: Path, contracts: Sequence[str], registry_uri: str = "") -> Synced:
    """Register every release that the registry lacks, and let its aliases follow the store's roles.

    Args:
        releases: the folder of releases.
        contracts: whose.
        registry_uri: address of an MLflow server or database; empty for the sqlite file beside the releases.

    Raises:
        ReleaseError: the folder cannot be locked.
    """
    registered: list[str] = []
    notes: list[str] = []
    with one_at_a_time(releases):
        for contract in contracts:
            ledger = Ledger(releases, contract, registry_uri)
            ledger.sync(FolderReleases(releases).versions(contract))
            if not ledger.away:
                ledger.follow()
            registered += [f"{contract}/{version}" for version in ledger.synced]
            notes += ledger.notes
            if ledger.away:  # the next contract's would be as far away, and cost as long
                return Synced(tuple(registered), ledger.away, tuple(notes))
    return Synced(tuple(registered), "", tuple(notes))
