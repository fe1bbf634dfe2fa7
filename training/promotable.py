"""Whether a release may become the champion: unaltered, through its gates, fit to follow, and good enough."""

import json
from collections.abc import Mapping
from typing import Any

from ebb.contract import Contract
from ebb.errors import GateRefused, ReleaseError, RoutingError
from ebb.onnx import OnnxScorer
from ebb.ports import ReleaseStore
from ebb.release.load import LoadedRelease, load_release
from ebb.release.manifest import METRICS
from ebb.routing.admit import check_contracts

_ALWAYS = ("min_auc", "max_calibration_error", "max_parity")
"""Gates that every contract has, so that metrics without them are nobody's."""
_OVER_CHAMPION = "min_profit_over_champion"


def check_promotable(store: ReleaseStore, contract: str, version: str, *, breaking: bool) -> tuple[str, ...]:
    """Check everything that stands between a release and the champion's place.

    Args:
        store: where releases lie.
        contract: its name.
        version: the release.
        breaking: whether its contract may remove or retype what the champion's has.

    Returns:
        What people should know all the same.

    Raises:
        NoRelease: there is no such release.
        ReleaseError: it is altered, answers its golden examples differently, or may not follow this champion.
        GateRefused: a gate failed, or is missing.
    """
    candidate = load_release(store, contract, version, OnnxScorer)
    metrics = _metrics(store, contract, version)
    check_gates(candidate.contract, metrics, candidate.name)
    champion = _champion(store, contract)
    if champion in {None, version}:
        return ()
    try:
        former = load_release(store, contract, champion or "", OnnxScorer)
    except ReleaseError as error:
        return (f"the champion so far, {champion}, could not be compared with: {error}",)
    notes = _check_contracts(former, candidate, breaking=breaking)
    if not notes and set(former.contract.by_name) <= set(candidate.contract.by_name):
        _check_profit(former, candidate, metrics, _metrics(store, contract, champion or ""))
    return notes


def check_gates(contract: Contract, metrics: Mapping[str, Any], name: str) -> None:
    """Check that the metrics of a release hold its contract's gates, every one passed.

    Args:
        contract: of the release.
        metrics: as in its `metrics.json`.
        name: of the release, for people.

    Raises:
        GateRefused: names what failed or is missing.
    """
    told = metrics.get("gates")
    found = [gate for gate in told if isinstance(gate, dict)] if isinstance(told, list) else []
    named = {gate.get("name"): gate for gate in found}
    asked = {gate: getattr(contract.gates, gate) for gate in (*_ALWAYS, _OVER_CHAMPION)}
    reasons = [f"{gate} was not judged" for gate in _ALWAYS if named.get(gate, {}).get("value") is None]
    reasons += [
        f"{gate} asks another limit in the contract" for gate in asked if not _same(named.get(gate), asked[gate])
    ]
    reasons += [f"{gate.get('name')} failed" for gate in found if not _passed(gate)]
    if reasons:
        raise GateRefused(f"{name} is not promoted, since its gates did not let it pass: {'; '.join(reasons)}", ())


def _same(gate: Mapping[str, Any] | None, limit: float | None) -> bool:
    return gate is None or gate.get("limit") == limit


def _passed(gate: Mapping[str, Any]) -> bool:
    value, limit = gate.get("value"), gate.get("limit")
    if value is None or limit is None:
        return True
    if not isinstance(value, int | float) or not isinstance(limit, int | float):
        return False
    return value >= limit if gate.get("at_least") else value <= limit


def _check_contracts(former: LoadedRelease, candidate: LoadedRelease, *, breaking: bool) -> tuple[str, ...]:
    if not (misfit := _misfit(former, candidate)):
        return ()
    if breaking:
        return (f"warning: the former champion cannot serve beside this release: {misfit}",)
    raise ReleaseError(f"{candidate.name} is not promoted: {misfit}; --breaking promotes it all the same")


def _misfit(former: LoadedRelease, candidate: LoadedRelease) -> str:
    """Return why callers of one release may be refused by the other; empty where they get along."""
    one, two = former.contract, candidate.contract
    if (one.label.column, one.label.positive) != (two.label.column, two.label.positive):
        return f"release {candidate.manifest.version} answers another label than the champion"
    try:
        check_contracts({former.manifest.version: one, candidate.manifest.version: two})
    except RoutingError as error:
        return str(error)
    return ""


def _check_profit(
    former: LoadedRelease, candidate: LoadedRelease, metrics: Mapping[str, Any], theirs: Mapping[str, Any]
) -> None:
    """Check the profit over the champion where the contract asks for one: judged in training, or on the same data."""
    asked = candidate.contract.gates.min_profit_over_champion
    compared = metrics.get("champion")
    if asked is None or (isinstance(compared, dict) and compared.get("version") == former.manifest.version):
        return
    ours, its = metrics.get("profit"), theirs.get("profit")
    same = candidate.manifest.data_sha256 == former.manifest.data_sha256
    if not (same and candidate.contract.decision == former.contract.decision and ours is not None and its is not None):
        raise ReleaseError(
            f"{candidate.name} is not promoted: {_OVER_CHAMPION} asks at least {asked:g}, and it was not compared with "
            f"the champion {former.manifest.version}; train again, so that it is"
        )
    if not ours - its >= asked:
        raise GateRefused(
            f"{candidate.name} is not promoted: {_OVER_CHAMPION} asks at least {asked:g}, and it earns "
            f"{ours - its:.6g} more than the champion {former.manifest.version} on the same data",
            (),
        )


def _champion(store: ReleaseStore, contract: str) -> str | None:
    """Return the champion; a file that names none is replaced by a promotion."""
    try:
        return store.champion(contract)
    except ReleaseError:
        return None


def _metrics(store: ReleaseStore, contract: str, version: str) -> dict[str, Any]:
    try:
        told = json.loads(store.read(contract, version)[METRICS])
    except (ValueError, RecursionError):
        told = None
    return told if isinstance(told, dict) else {}
