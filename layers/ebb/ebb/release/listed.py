"""One release as lists show it: its figures, and whether its files are whole."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ebb.contract import parse_contract
from ebb.errors import ContractError, ReleaseError
from ebb.ports import ReleaseStore
from ebb.release.manifest import CONTRACT, METRICS, Manifest, verify


@dataclass(frozen=True)
class Listed:
    """One release.

    Attributes:
        contract: its name.
        version: 12 hex digits.
        roles: such as `champion`, `previous`, `challenger`, `cheap`.
        created: UTC time, ISO 8601; empty where the manifest cannot be read.
        auc: out of fold; None where it was not written down.
        profit: per entity; None likewise.
        currency: of the profit.
        rows: that it was trained on; None likewise.
        data_sha256: of those rows.
        damage: what is wrong with its files; empty where every sha256 is the manifest's.
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

    @property
    def name(self) -> str:
        """`contract/version`."""
        return f"{self.contract}/{self.version}"


def listed(store: ReleaseStore, contract: str, version: str, roles: tuple[str, ...]) -> Listed:
    """Read one release whole, check every sha256, and return what a list shows of it; never raises for damage.

    Args:
        store: where it lies.
        contract: its name.
        version: the release.
        roles: that it has.
    """
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
    )


def _metrics(files: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        told = json.loads(files[METRICS])
    except (KeyError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _number(metrics: Mapping[str, Any], name: str) -> float | None:
    value = metrics.get(name)
    return float(value) if isinstance(value, int | float) else None


def _currency(files: Mapping[str, bytes]) -> str:
    try:
        return parse_contract(files[CONTRACT].decode(), "its contract").decision.currency
    except (KeyError, UnicodeDecodeError, ContractError):
        return ""
