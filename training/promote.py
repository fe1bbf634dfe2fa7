"""Promotion and rollback: checked, then the file that serving reads and the registry's aliases move together."""

from dataclasses import dataclass
from pathlib import Path

from ebb.errors import NoRelease, ReleaseError
from ebb.folder import FolderReleases
from ebb.release.load import load_contract
from training.crown import crown, one_at_a_time
from training.promotable import check_promotable
from training.registry.ledger import Ledger


@dataclass(frozen=True)
class Promotion:
    """Who has which role now.

    Attributes:
        contract: its name.
        champion: the release that serves from the next `ebb up` on, or once a running cloud is told.
        previous: the champion before; None where there was none.
        notes: what people should know.
    """

    contract: str
    champion: str
    previous: str | None
    notes: tuple[str, ...]


def promote(
    contract: str, version: str, releases: Path, *, registry_uri: str = "", breaking: bool = False
) -> Promotion:
    """Make a release the champion; the champion so far becomes the previous one.

    Args:
        contract: its name.
        version: the release.
        releases: the folder of releases.
        registry_uri: address of an MLflow server or database; empty for the sqlite file beside the releases.
        breaking: whether its contract may remove or retype what the champion's has.

    Raises:
        NoRelease: there is no such release.
        ReleaseError: it is the champion already, is damaged, may not follow this champion, or cannot be named.
        GateRefused: a gate of its contract failed.
    """
    _require(releases)
    with one_at_a_time(releases):
        store, ledger = FolderReleases(releases), Ledger(releases, contract, registry_uri)
        notes = check_promotable(store, contract, version, breaking=breaking)
        if _is_champion(store, contract, version):
            raise ReleaseError(f"{contract}/{version} is the champion already: nothing changed")
        crown(store, ledger, contract, version)
        return Promotion(contract, version, store.previous(contract), (*notes, *ledger.notes))


def roll_back(contract: str, releases: Path, *, registry_uri: str = "") -> Promotion:
    """Let champion and previous champion change places, in one step that needs no registry.

    Gates are not asked again: what served before may serve again. Only its files must be whole.

    Raises:
        NoRelease: there is no previous champion.
        ReleaseError: the previous champion is damaged, or cannot be named.
    """
    _require(releases)
    with one_at_a_time(releases):
        store, ledger = FolderReleases(releases), Ledger(releases, contract, registry_uri)
        previous = store.previous(contract)
        if previous is None:
            raise NoRelease(f"{contract} has no previous champion to go back to: name a release with `ebb promote`")
        load_contract(store, contract, previous)
        crown(store, ledger, contract, previous)
        return Promotion(contract, previous, store.previous(contract), tuple(ledger.notes))


def _require(releases: Path) -> None:
    """Make no folder for somebody who mistyped its name."""
    if not releases.is_dir():
        raise NoRelease(
            f"there is no folder of releases {releases}: train with `ebb train`, or name it with --releases"
        )


def _is_champion(store: FolderReleases, contract: str, version: str) -> bool:
    try:
        return store.champion(contract) == version
    except ReleaseError:
        return False
