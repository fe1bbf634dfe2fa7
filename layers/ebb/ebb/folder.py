"""Releases in a folder: `<root>/<contract>/<version>/`.

The champion's version stands in `<contract>/champion`, that of the cheap release beside it in `<contract>/cheap`, that
of a challenger in `<contract>/challenger`, and who was champion before in `<contract>/previous`.
"""

import errno
import re
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ebb.errors import NoRelease, ReleaseError
from ebb.folder_roles import alone, previous_of, remember
from ebb.routing.table import CHALLENGER, CHAMPION, CHEAP
from ebb.synced import replaced, sync, write_synced

_VERSION = re.compile(r"[0-9a-f]{12}")
_SPOKEN = {CHAMPION: "champion", CHEAP: "cheap release", CHALLENGER: "challenger"}
_CONTRACT = re.compile(r"[a-z][a-z0-9_-]{0,62}")


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
        names = (p.name for p in self._root.iterdir() if _CONTRACT.fullmatch(p.name))
        return sorted(name for name in names if self.versions(name))

    def champion(self, contract: str) -> str | None:
        """Return the version that serves, or None.

        Raises:
            ReleaseError: the file that names it cannot be read, or names something else.
        """
        return self._named(contract, CHAMPION)

    def cheap(self, contract: str) -> str | None:
        """Return the version of the cheap release that stands beside the champion, or None.

        Raises:
            ReleaseError: the file that names it cannot be read, or names something else.
        """
        return self._named(contract, CHEAP)

    def versions(self, contract: str) -> list[str]:
        """Return all complete versions, sorted."""
        folder = self._contract(contract)
        if not folder.is_dir():
            return []
        return sorted(p.name for p in folder.iterdir() if p.is_dir() and _VERSION.fullmatch(p.name))

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

    def set_champion(self, contract: str, version: str) -> None:
        """Name the version that serves from now on, by one rename; the champion so far becomes the previous one.

        Raises:
            NoRelease: there is no such release.
            ReleaseError: the name cannot be written; the old one stands, and so does who was before it.
        """
        if version not in self.versions(contract):
            raise NoRelease(f"there is no release {contract}/{version}: train one with `ebb train`")
        folder = self._contract(contract)
        try:
            with alone(folder):
                remember(folder, self._former(contract), version)
                self._name(contract, CHAMPION, version)
                self._forget_challenger(contract)
        except OSError as error:
            raise ReleaseError(f"the champion of {contract} could not be named: {error.strerror}") from None

    def previous(self, contract: str) -> str | None:
        """Return the version that was champion before the present one, or None.

        Raises:
            ReleaseError: a file that names them cannot be read, or names something else.
        """
        champion = self.champion(contract)
        return previous_of(self._contract(contract), champion) if champion else None

    def challenger(self, contract: str) -> str | None:
        """Return the version that waits to be promoted, or None; who is or was champion waits no more.

        Raises:
            ReleaseError: a file that names one of them cannot be read, or names something else.
        """
        named = self._named(contract, CHALLENGER)
        return None if named in {self.champion(contract), self.previous(contract)} else named

    def set_challenger(self, contract: str, version: str) -> None:
        """Name the version that waits to be promoted, by one rename.

        Raises:
            NoRelease: there is no such release.
            ReleaseError: the name cannot be written; the old one stands.
        """
        self._name(contract, CHALLENGER, version)

    def set_cheap(self, contract: str, version: str) -> None:
        """Name the cheap release that stands beside the champion from now on, by one rename.

        Raises:
            NoRelease: there is no such release.
            ReleaseError: the name cannot be written; the old one stands.
        """
        self._name(contract, CHEAP, version)

    def _former(self, contract: str) -> str | None:
        """Return the champion so far; a file that names none stops nobody from naming another."""
        try:
            return self.champion(contract)
        except ReleaseError:
            return None

    def _forget_challenger(self, contract: str) -> None:
        """Take the challenger's file away where it names who is, or was, champion: it must not come back later."""
        with suppress(OSError, ReleaseError):  # the champion is named already
            if self.challenger(contract) is None:
                (self._contract(contract) / CHALLENGER).unlink(missing_ok=True)

    def _named(self, contract: str, role: str) -> str | None:
        """Return the version that a role's file names."""
        path = self._contract(contract) / role
        try:
            version = path.read_text().strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            what = f"the {_SPOKEN[role]} of {contract}"
            raise ReleaseError(f"{what} cannot be read ({type(error).__name__}): {path}") from None
        if version and not _VERSION.fullmatch(version):
            raise ReleaseError(f"{path} does not name a version (12 hex digits): train again, or write one into it")
        return version or None

    def _name(self, contract: str, role: str, version: str) -> None:
        """Write a version into a role's file."""
        if version not in self.versions(contract):
            raise NoRelease(f"there is no release {contract}/{version}: train one with `ebb train`")
        folder = self._contract(contract)
        try:
            with replaced(folder / role) as partial:
                partial.write_text(f"{version}\n")
        except OSError as error:
            what = f"the {_SPOKEN[role]} of {contract}"
            raise ReleaseError(f"{what} could not be named: {error.strerror}") from None

    def _contract(self, contract: str) -> Path:
        """Return a contract's folder; a name that is none never becomes a path."""
        if not _CONTRACT.fullmatch(contract):
            raise ReleaseError(f"{contract[:64]!r} is not the name of a contract")
        return self._root / contract

    def _release(self, contract: str, version: str) -> Path:
        """Return a release's folder; a version that is none never becomes a path."""
        if not _VERSION.fullmatch(version):
            raise ReleaseError(f"{version[:64]!r} is not the version of a release (12 hex digits)")
        return self._contract(contract) / version
