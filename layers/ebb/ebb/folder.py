"""Releases in a folder: `<root>/<contract>/<version>/`, with the champion's version in `<contract>/champion`."""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ebb.errors import NoRelease, ReleaseError

_VERSION = re.compile(r"[0-9a-f]{12}")


class FolderReleases:
    """A `ReleaseStore` on a file system.

    Args:
        root: the folder; made when the first release is written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def contracts(self) -> list[str]:
        """Return the contracts that have releases, sorted."""
        if not self._root.is_dir():
            return []
        return sorted(p.name for p in self._root.iterdir() if p.is_dir() and self.versions(p.name))

    def champion(self, contract: str) -> str | None:
        """Return the version that serves, or None."""
        try:
            return (self._root / contract / "champion").read_text().strip() or None
        except (FileNotFoundError, NotADirectoryError):
            return None

    def versions(self, contract: str) -> list[str]:
        """Return all complete versions, sorted."""
        folder = self._root / contract
        if not folder.is_dir():
            return []
        return sorted(p.name for p in folder.iterdir() if p.is_dir() and _VERSION.fullmatch(p.name))

    def read(self, contract: str, version: str) -> dict[str, bytes]:
        """Return the release's files by name, not yet verified.

        Raises:
            NoRelease: there is no such folder.
            ReleaseError: a file cannot be read.
        """
        folder = self._root / contract / version
        if not folder.is_dir():
            raise NoRelease(f"there is no release {contract}/{version} in {self._root}")
        try:
            return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file()}
        except OSError as error:
            raise ReleaseError(f"release {contract}/{version} cannot be read: {error.strerror}") from None

    def write(self, contract: str, version: str, files: Mapping[str, bytes]) -> None:
        """Store a release: it appears whole, by one rename, or not at all.

        Raises:
            ReleaseError: it cannot be written (disk full, no permission); nothing of it is seen.
        """
        target = self._root / contract / version
        if target.is_dir():
            return
        partial = None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=target.parent))
            partial.chmod(0o755)
            for name, content in files.items():
                _write_synced(partial / name, content)
            partial.rename(target)
            _sync_folder(target.parent)
        except OSError as error:
            raise ReleaseError(
                f"release {contract}/{version} could not be written: {error.strerror}; nothing of it was kept"
            ) from None
        finally:
            if partial is not None and partial.exists():
                shutil.rmtree(partial, ignore_errors=True)

    def set_champion(self, contract: str, version: str) -> None:
        """Name the version that serves from now on, by one rename.

        Raises:
            NoRelease: there is no such release.
            ReleaseError: the name cannot be written; the old one stands.
        """
        if version not in self.versions(contract):
            raise NoRelease(f"there is no release {contract}/{version} in {self._root}")
        folder = self._root / contract
        partial = folder / f".champion-{os.getpid()}"
        try:
            _write_synced(partial, f"{version}\n".encode())
            partial.replace(folder / "champion")
            _sync_folder(folder)
        except OSError as error:
            raise ReleaseError(f"the champion of {contract} could not be named: {error.strerror}") from None
        finally:
            partial.unlink(missing_ok=True)


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
