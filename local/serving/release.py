"""From what `--release` names to the release that a local cloud serves."""

from dataclasses import dataclass
from pathlib import Path

from ebb.errors import NoRelease, ReleaseError
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.load import LoadedRelease, load_release

DEFAULT_RELEASES = Path("releases")


@dataclass(frozen=True)
class Served:
    """The release that a local cloud serves.

    Attributes:
        releases: folder of the release store.
        contract: the contract's name; None where there is no release yet.
        release: the loaded release; None where there is none yet.
    """

    releases: Path
    contract: str | None
    release: LoadedRelease | None


def find_release(where: Path | None) -> Served:
    """Find, verify and load what `--release` means.

    Args:
        where: a releases folder, a contract's folder in it, a release in that; None is `releases/`.

    Raises:
        NoRelease: the folder names no release, though one was asked for by name.
        ReleaseError: the release fails its checks, or several contracts could be meant.
    """
    root = where or DEFAULT_RELEASES
    named = root.resolve()  # "." and ".." carry no name
    if (root / "manifest.json").exists():
        return _load(named.parent.parent, named.parent.name, named.name)
    if (root / "champion").exists():
        return _load(named.parent, named.name, None)
    contracts = FolderReleases(root).contracts()
    if len(contracts) > 1:
        names = ", ".join(str(root / name) for name in contracts)
        raise ReleaseError(f"{root} holds releases of several contracts: choose one with --release ({names})")
    if contracts:
        return _load(root, contracts[0], None)
    if where is not None:
        raise NoRelease(f"{where} is no release and holds none: train one with `ebb train`, or name another folder")
    return Served(root.resolve(), None, None)


def _load(root: Path, contract: str, version: str | None) -> Served:
    store = FolderReleases(root)
    chosen = version or store.champion(contract)
    if chosen is None:
        raise NoRelease(f"{root / contract} has no champion: train one with `ebb train`")
    return Served(root.resolve(), contract, load_release(store, contract, chosen, OnnxScorer))
