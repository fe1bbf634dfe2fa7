"""Every release of a folder with its roles and figures, read from its own files: no registry is asked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ebb.contract import parse_contract
from ebb.errors import ContractError, NoRelease, ReleaseError
from ebb.folder import FolderReleases
from ebb.release.manifest import CONTRACT, METRICS, Manifest, verify
from ebb.routing.table import CHAMPION, CHEAP
from training.registry.pending import Pending

_ROLES = (CHAMPION, "previous", "challenger", CHEAP)


@dataclass(frozen=True)
class Listed:
    """One release.

    Attributes:
        contract: its name.
        version: 12 hex digits.
        roles: `champion`, `previous`, `challenger`, `cheap`.
        created: UTC time, ISO 8601; empty where the manifest cannot be read.
        auc: out of fold; None where it was not written down.
        profit: per entity; None likewise.
        currency: of the profit.
        rows: that it was trained on; None likewise.
        data_sha256: of those rows.
        damage: what is wrong with its files; empty where every sha256 is the manifest's.
        pending: whether the registry has yet to be told.
    """

    contract: str
    version: str
    roles: tuple[str, ...]
    created: str = ""
    auc: float | None = None
    profit: float | None = None
    currency: str = ""
    rows: int | None = None
    data_sha256: str = ""
    damage: str = ""
    pending: bool = False

    @property
    def name(self) -> str:
        """`contract/version`."""
        return f"{self.contract}/{self.version}"


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
        found = [_listed(store, name, version, roles.get(version, ()), waiting) for version in store.versions(name)]
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


def _listed(
    store: FolderReleases, contract: str, version: str, roles: tuple[str, ...], waiting: Sequence[str]
) -> Listed:
    damage, manifest, files = "", None, {}
    try:
        files = store.read(contract, version)
        manifest = Manifest.from_files(files)
        if verify(files, contract).version != version:
            damage = f"it is really {manifest.version}"
    except ReleaseError as error:
        damage = str(error)
    metrics = _metrics(files)
    return Listed(
        contract,
        version,
        roles,
        created="" if manifest is None else manifest.created,
        auc=_number(metrics, "auc"),
        profit=_number(metrics, "profit"),
        currency=_currency(files),
        rows=None if (rows := _number(metrics, "rows")) is None else int(rows),
        data_sha256="" if manifest is None else manifest.data_sha256,
        damage=damage,
        pending=version in waiting,
    )


def _metrics(files: dict[str, bytes]) -> dict[str, Any]:
    try:
        told = json.loads(files[METRICS])
    except (KeyError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _number(metrics: dict[str, Any], name: str) -> float | None:
    value = metrics.get(name)
    return float(value) if isinstance(value, int | float) else None


def _currency(files: dict[str, bytes]) -> str:
    try:
        return parse_contract(files[CONTRACT].decode(), "its contract").decision.currency
    except (KeyError, UnicodeDecodeError, ContractError):
        return ""
