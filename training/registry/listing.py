"""Every release of a folder with its roles and figures, read from its own files: no registry is asked."""

from dataclasses import dataclass
from pathlib import Path

from ebb.errors import NoRelease, ReleaseError
from ebb.folder import FolderReleases
from ebb.release.listed import Listed, listed
from ebb.routing.table import CHAMPION, CHEAP
from training.registry.pending import Pending

_ROLES = (CHAMPION, "previous", "challenger", CHEAP)


@dataclass(frozen=True)
class Listing:
    """What a folder of releases holds.

    Attributes:
        releases: the newest first, contract by contract.
        pending: what the registry has yet to be told: releases as `contract/version`; aliases, and runs that a killed
            training has left, as `contract`.
        notes: roles that cannot be read, or name what is not there.
    """

    releases: tuple[Listed, ...]
    pending: tuple[str, ...]
    notes: tuple[str, ...]


def list_releases(folder: Path, contract: str | None = None) -> Listing:
    """Return the releases of one contract, or of all.

    Args:
        folder: of releases.
        contract: a name; None for all.

    Raises:
        NoRelease: there is none.
    """
    store = FolderReleases(folder)
    contracts = store.contracts() if contract is None else [contract] if store.versions(contract) else []
    if not contracts:
        whose = "" if contract is None else f" of {contract!r}"
        raise NoRelease(f"there is no release{whose} in {folder}: train one with `ebb train`")
    releases: list[Listed] = []
    pending: list[str] = []
    notes: list[str] = []
    for name in contracts:
        list_ = Pending(folder, name)
        roles = _roles(store, name, notes)
        waiting = list_.versions()
        found = [listed(store, name, version, roles.get(version, ())) for version in store.versions(name)]
        releases += sorted(found, key=lambda each: (each.created, each.version), reverse=True)
        pending += [f"{name}/{version}" for version in waiting] + (
            [name] if list_.aliases or list_.begun.marks() else []
        )
    return Listing(tuple(releases), tuple(pending), tuple(notes))


def _roles(store: FolderReleases, contract: str, notes: list[str]) -> dict[str, tuple[str, ...]]:
    """Return the roles by release; one that cannot be read is noted once."""
    found: dict[str, tuple[str, ...]] = {}
    versions = store.versions(contract)
    for role in _ROLES:
        try:
            version = getattr(store, role)(contract)
        except ReleaseError as error:
            if str(error) not in notes:
                notes.append(str(error))
            continue
        if version is not None and version not in versions:
            notes.append(f"the role {role} of {contract} names {version}, and there is no such release")
        elif version is not None and (role != CHEAP or found.get(version) != (CHAMPION,)):
            found[version] = (*found.get(version, ()), role)
    return found
