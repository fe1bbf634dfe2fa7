"""Releases in a folder: `<root>/<contract>/<version>/`, and beside them the files that give them their roles."""

import errno
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ebb.errors import NoRelease, ReleaseError
from ebb.folder_roles import VERSION, FolderRoles
from ebb.synced import sync, write_synced


class FolderReleases(FolderRoles):
    """A `ReleaseStore` on a file system; its folder is made when the first release is written."""

    def read(self, contract: str, version: str) -> dict[str, bytes]:
        """Return the release's files by name, not yet verified.

        Raises:
            NoRelease: there is no such folder.
            ReleaseError: a file cannot be read, or the name is none of a release.
        """
        folder = self._release(contract, version)
        if not folder.is_dir():
            raise NoRelease(f"there is no release {contract}/{version}: train one with `ebb train`")
        try:
            return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file()}
        except OSError as error:
            raise ReleaseError(f"release {contract}/{version} cannot be read: {error.strerror}") from None

    def write(self, contract: str, version: str, files: Mapping[str, bytes]) -> None:
        """Store a release: it appears whole, by one rename, or not at all.

        Raises:
            ReleaseError: it cannot be written (disk full, no permission); nothing of it is seen.
        """
        target = self._release(contract, version)
        if target.is_dir():
            return
        partial = None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=target.parent))
            partial.chmod(0o755)
            for name, content in files.items():
                write_synced(partial / name, content)
            sync(partial)
            partial.rename(target)
            sync(target.parent)
        except OSError as error:
            if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
                return  # another writer was first; the same version has the same content
            raise ReleaseError(
                f"release {contract}/{version} could not be written: {error.strerror}; nothing of it was kept"
            ) from None
        finally:
            if partial is not None and partial.exists():
                shutil.rmtree(partial, ignore_errors=True)

    def _release(self, contract: str, version: str) -> Path:
        """Return a release's folder; a version that is none never becomes a path."""
        if not VERSION.fullmatch(version):
            raise ReleaseError(f"{version[:64]!r} is not the version of a release (12 hex digits)")
        return self._contract(contract) / version
