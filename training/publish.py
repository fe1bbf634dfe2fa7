"""A draft's way into the store and the registry: whole or not at all."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from ebb.errors import EbbError, NoRelease, ReleaseError
from ebb.folder import FolderReleases
from ebb.release.golden import instruction_set
from ebb.release.manifest import CONTRACT, MANIFEST, Manifest, digest, verify
from ebb.routing.table import CHEAP
from training.crown import crown, one_at_a_time
from training.draft import Draft
from training.promotable import check_promotable
from training.provenance import git_commit, library_versions
from training.registry.ledger import Ledger
from training.registry.registration import RELEASE, Registration

_NOTHING: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True)
class Published:
    """Where a draft went.

    Attributes:
        run_id: MLflow run; empty where the registry was away.
        model_version: its number in the registry; empty likewise.
        role: `champion`, `challenger` where it was not promoted, or `cheap`.
        notes: what people should know.
    """

    run_id: str
    model_version: str
    role: str
    notes: tuple[str, ...]


def publish(
    draft: Draft,
    releases: Path,
    *,
    promote: bool = True,
    artifacts: Mapping[str, bytes] = _NOTHING,
    registry_uri: str = "",
) -> Published:
    """Write the release, register it as the challenger, and promote it: file first, then alias.

    What the registry missed before is made up for on the way. A registry that is away costs a note and no release.

    Args:
        draft: all files but the manifest.
        releases: the folder of releases.
        promote: whether it becomes the champion; else it waits as the challenger for `ebb promote`.
        artifacts: content by name that the registry keeps with the run, such as validation documents.
        registry_uri: address of an MLflow server or database; empty for the sqlite file beside the releases.

    Raises:
        ReleaseError: the release cannot be written; nothing of it is kept and the champion stays.
    """
    contract, version = draft.contract, draft.version
    with one_at_a_time(releases):
        _clear_partial(releases)
        store, ledger = FolderReleases(releases), Ledger(releases, contract, registry_uri)
        run_id, number = _keep(store, ledger, draft, store.set_challenger, artifacts)
        ledger.sync()
        if ledger.synced:
            ledger.notes.append(f"registered now, after the registry was away: {', '.join(ledger.synced)}")
        _crown(store, ledger, draft, promote=promote)
        role = "champion" if store.champion(contract) == version else "challenger"
    return Published(run_id if number else "", number, role, tuple(ledger.notes))


def publish_cheap(draft: Draft, releases: Path, *, beside: str | None = None, registry_uri: str = "") -> Published:
    """Write the cheap release, register it, and name it beside its champion, which stays: file first, then alias.

    Args:
        draft: all files but the manifest, of another release than the champion.
        releases: the folder of releases.
        beside: the release that it belongs to, champion or not: where that becomes champion later, the cheap one
            stands beside it, and it never stands beside another. None takes the present champion.
        registry_uri: as for `publish`.

    Raises:
        NoRelease: there is no such champion.
        ReleaseError: the release cannot be written or not be named; the one that was named stays.
    """
    with one_at_a_time(releases):
        _clear_partial(releases)
        store, ledger = FolderReleases(releases), Ledger(releases, draft.contract, registry_uri)
        champion = _beside(store, draft.contract, beside)
        run_id, number = _keep(store, ledger, draft, lambda name, version: store.set_cheap(name, version, champion))
        ledger.follow()
    return Published(run_id if number else "", number, CHEAP, tuple(ledger.notes))


def _beside(store: FolderReleases, contract: str, named: str | None) -> str:
    """Return whom a cheap release is to belong to, before anything is written for it."""
    champion = store.champion(contract) if named is None else named
    if champion is None or champion not in store.versions(contract):
        raise NoRelease(f"{contract} has no champion that a cheap release could stand beside")
    return champion


def _clear_partial(releases: Path) -> None:
    """Remove what a killed command has left half-written; whoever calls holds the lock, so nobody writes now."""
    for pattern in (".partial-*", "*/.partial-*"):
        for left in releases.glob(pattern):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def _keep(
    store: FolderReleases,
    ledger: Ledger,
    draft: Draft,
    name: Callable[[str, str], None],
    artifacts: Mapping[str, bytes] = _NOTHING,
) -> tuple[str, str]:
    """Write a release, give it its role by `name`, and register it; return the run's id and the version's number."""
    contract, version = draft.contract, draft.version
    if version in store.versions(contract):
        _verify_existing(store, draft)
        ledger.notes.append("this very release existed already (same data, contract and model), so its files stand")
    run_id = ledger.start(_first_tags(draft))
    try:
        store.write(contract, version, {**draft.files, MANIFEST: _manifest(draft, run_id).to_bytes()})
        name(contract, version)
        return ledger.register(Registration(contract, version, run_id, draft.parameters, artifacts))
    except BaseException:
        ledger.fail(run_id)
        raise


def _crown(store: FolderReleases, ledger: Ledger, draft: Draft, *, promote: bool) -> None:
    """Promote the release where that is wanted and allowed; else let it wait."""
    contract, version = draft.contract, draft.version
    if not promote:
        ledger.follow()
        return
    try:
        # A contract may change from one training to the next; whoever promotes by hand is asked first.
        ledger.notes.extend(check_promotable(store, contract, version, breaking=True))
    except EbbError as refused:
        ledger.notes.append(f"warning: the release waits as the challenger, since it was not promoted: {refused}")
        ledger.follow()
        return
    crown(store, ledger, contract, version)


def _verify_existing(store: FolderReleases, draft: Draft) -> None:
    try:
        verify(store.read(draft.contract, draft.version), draft.contract)
    except ReleaseError as error:
        raise ReleaseError(f"{error}; remove its folder, then train again") from None


def _first_tags(draft: Draft) -> dict[str, str]:
    """Return what is known of a release before it is written: a run that fails says at least this."""
    tags = {
        RELEASE: draft.version,
        "ebb.contract": draft.contract,
        "ebb.contract_sha256": digest(draft.files[CONTRACT]),
        "ebb.data_sha256": draft.data_sha256,
        "mlflow.source.git.commit": git_commit(),
    }
    return {name: value for name, value in tags.items() if value}


def _manifest(draft: Draft, run_id: str) -> Manifest:
    return Manifest(
        contract=draft.contract,
        version=draft.version,
        files={name: digest(content) for name, content in draft.files.items()},
        data_sha256=draft.data_sha256,
        git_commit=git_commit(),
        libraries=library_versions(),
        instruction_set=instruction_set(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        run_id=run_id,
    )
