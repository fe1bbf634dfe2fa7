"""What lies in a job's inputs: the one contract, the one table, the one release."""

import tarfile
import zlib
from pathlib import Path

from ebb.errors import DataError, NoRelease, ReleaseError
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.load import LoadedRelease, load_release

ARCHIVE = "model.tar.gz"
"""What SageMaker makes of a training's model folder."""
_TABLES = (".csv", ".parquet")


def contract_of(channel: Path) -> Path:
    """Return the contract of an input.

    Raises:
        DataError: there is none, or more than one.
    """
    return _only(channel, sorted(channel.glob("*.toml")), "contract (a .toml file)")


def table_of(channel: Path) -> Path:
    """Return the table of an input: its one file, or the folder itself where it holds parquet files only.

    Raises:
        DataError: there is none, or several that are no table together.
    """
    files = [path for path in sorted(channel.rglob("*")) if path.is_file() and path.suffix in _TABLES]
    if len(files) > 1 and all(path.suffix == ".parquet" for path in files):
        return channel
    return _only(channel, files, "csv or parquet table")


def releases_of(channel: Path, work: Path) -> tuple[Path, str]:
    """Return the folder of releases of an input, and the contract they are of.

    Args:
        channel: a folder of releases, or one with a training job's archive of it.
        work: where an archive is unpacked.

    Raises:
        ReleaseError: the archive is damaged, or there are releases of several contracts.
        NoRelease: there is no release in it.
    """
    archive = channel / ARCHIVE
    root = _unpacked(archive, work / "releases") if archive.is_file() else channel
    contracts = FolderReleases(root).contracts()
    if not contracts:
        raise NoRelease(f"the input {channel.name!r} holds no release: give it a folder of releases, or a {ARCHIVE}")
    if len(contracts) > 1:
        raise ReleaseError(f"the input {channel.name!r} holds releases of {', '.join(contracts)}: give it those of one")
    return root, contracts[0]


def release_of(channel: Path, work: Path) -> LoadedRelease:
    """Verify and load the champion of an input, or the release that waits to become the first one.

    Raises:
        ReleaseError: there is none, or it fails its checks.
    """
    root, contract = releases_of(channel, work)
    store = FolderReleases(root)
    version = store.champion(contract) or store.challenger(contract) or store.versions(contract)[-1]
    return load_release(store, contract, version, OnnxScorer)


def _only(channel: Path, found: list[Path], what: str) -> Path:
    if len(found) != 1:
        there = ", ".join(path.name for path in found[:5]) or "none"
        raise DataError(f"the input {channel.name!r} must hold exactly one {what}, but there is {there}")
    return found[0]


def _unpacked(archive: Path, folder: Path) -> Path:
    try:
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise ReleaseError(f"{archive.name} cannot be unpacked ({type(error).__name__}): train again") from None
    return folder
