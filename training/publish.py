"""A draft's way into the store and the registry: whole or not at all."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ebb.errors import ReleaseError, Unavailable
from ebb.folder import FolderReleases
from ebb.release.golden import instruction_set
from ebb.release.manifest import CARD, CONTRACT, MANIFEST, METRICS, Manifest, digest, verify
from training.crown import one_at_a_time, uninterrupted
from training.draft import Draft
from training.provenance import git_commit, library_versions
from training.register import Registry


@dataclass(frozen=True)
class Published:
    """Where a draft went.

    Attributes:
        run_id: MLflow run; empty where the registry was away.
        model_version: its number in the registry; empty likewise.
        notes: what people should know.
    """

    run_id: str
    model_version: str
    notes: tuple[str, ...]


def publish(draft: Draft, releases: Path) -> Published:
    """Write the release, register it and name it champion: file first, then alias.

    Args:
        draft: all files but the manifest.
        releases: the folder of releases.

    Raises:
        ReleaseError: the release cannot be written; nothing of it is kept and the champion stays.
    """
    with one_at_a_time(releases):
        store = FolderReleases(releases)
        notes: list[str] = []
        if draft.version in store.versions(draft.contract):
            _verify_existing(store, draft)
            notes.append("this very release existed already (same data, contract and model), so its files stand")
        registry, run_id = _open_run(draft, releases, notes)
        try:
            store.write(draft.contract, draft.version, {**draft.files, MANIFEST: _manifest(draft, run_id).to_bytes()})
            number = _register(registry, draft, releases, run_id, notes)
        except BaseException:
            if registry is not None:
                registry.fail(run_id)
            raise
        with uninterrupted():
            store.set_champion(draft.contract, draft.version)
            if registry is not None and number:
                _crown(registry, number, notes)
    return Published(run_id, number, tuple(notes))


def _verify_existing(store: FolderReleases, draft: Draft) -> None:
    try:
        verify(store.read(draft.contract, draft.version), draft.contract)
    except ReleaseError as error:
        raise ReleaseError(f"{error}; remove its folder, then train again") from None


def _open_run(draft: Draft, releases: Path, notes: list[str]) -> tuple[Registry | None, str]:
    tags = {
        "ebb.data_sha256": draft.data_sha256,
        "ebb.contract_sha256": digest(draft.files[CONTRACT]),
        "ebb.release": draft.version,
        "mlflow.source.git.commit": git_commit(),
    }
    try:
        registry = Registry(releases, draft.contract)
        return registry, registry.start(draft.parameters, {name: value for name, value in tags.items() if value})
    except Unavailable as error:
        notes.append(f"the release is not registered: {error}")
        return None, ""


def _register(registry: Registry | None, draft: Draft, releases: Path, run_id: str, notes: list[str]) -> str:
    if registry is None:
        return ""
    texts = {name: draft.files[name].decode() for name in (CARD, METRICS)}
    try:
        number = registry.publish(run_id, draft.version, releases / draft.contract / draft.version)
        registry.finish(run_id, _numbers(draft), texts)
    except Unavailable as error:
        registry.fail(run_id)
        notes.append(f"the release is kept, but not registered: {error}")
        return ""
    return number


def _numbers(draft: Draft) -> dict[str, float]:
    told = {name: float(value) for name, value in draft.metrics.items() if isinstance(value, int | float)}
    return {**told, "parity": draft.metrics["parity"]["largest"]}


def _crown(registry: Registry, number: str, notes: list[str]) -> None:
    try:
        registry.crown(number)
    except Unavailable as error:
        notes.append(
            f"the release serves as champion, but the registry's alias `champion` did not follow: {error}; "
            "it follows with the next training"
        )


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
