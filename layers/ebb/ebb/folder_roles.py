"""Which release of a contract has which role, in a folder: one small file a role.

The champion's version stands in `<contract>/champion`, that of a challenger in `<contract>/challenger`. Who was
champion before and which cheap release stands beside it are lines of other files: see `ebb.folder_lines`.
"""

import re
from contextlib import suppress
from pathlib import Path

from ebb.errors import NoRelease, ReleaseError
from ebb.folder_lines import alone, cheap_lines, previous_lines, remember
from ebb.routing.table import CHALLENGER, CHAMPION
from ebb.synced import replaced

VERSION = re.compile(r"[0-9a-f]{12}")
_CONTRACT = re.compile(r"[a-z][a-z0-9_-]{0,62}")


class FolderRoles:
    """The roles of the releases in a folder.

    Args:
        root: the folder of releases.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def contracts(self) -> list[str]:
        """Return the contracts that have releases, sorted."""
        if not self._root.is_dir():
            return []
        names = (p.name for p in self._root.iterdir() if _CONTRACT.fullmatch(p.name))
        return sorted(name for name in names if self.versions(name))

    def versions(self, contract: str) -> list[str]:
        """Return all complete versions, sorted."""
        folder = self._contract(contract)
        if not folder.is_dir():
            return []
        return sorted(p.name for p in folder.iterdir() if p.is_dir() and VERSION.fullmatch(p.name))

    def champion(self, contract: str) -> str | None:
        """Return the version that serves, or None.

        Raises:
            ReleaseError: the file that names it cannot be read, or names something else.
        """
        return self._named(contract, CHAMPION)

    def set_champion(self, contract: str, version: str) -> None:
        """Name the version that serves from now on, by one rename; the champion so far becomes the previous one.

        Raises:
            NoRelease: there is no such release.
            ReleaseError: the name cannot be written; the old one stands, and so does who was before it.
        """
        self._require(contract, version)
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
        return previous_lines(self._contract(contract)).read().get(champion) if champion else None

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
        self._require(contract, version)
        self._name(contract, CHALLENGER, version)

    def cheap(self, contract: str) -> str | None:
        """Return the version of the cheap release that belongs to the champion, or None.

        Raises:
            ReleaseError: a file that names one of them cannot be read, or names something else.
        """
        champion = self.champion(contract)
        return cheap_lines(self._contract(contract)).read().get(champion) if champion else None

    def set_cheap(self, contract: str, version: str, beside: str | None = None) -> None:
        """Name the cheap release of one champion, by one rename: it has that role whenever this one is champion.

        Args:
            contract: its name.
            version: of the cheap release.
            beside: the champion, or who may become it; None takes the present one.

        Raises:
            NoRelease: there is no such release, or no champion.
            ReleaseError: the name cannot be written; the old ones stand.
        """
        beside = self.champion(contract) if beside is None else beside
        if beside is None:
            raise NoRelease(f"{contract} has no champion that a cheap release could stand beside: train one")
        known = self.versions(contract)
        for each in (version, beside):
            self._require(contract, each, known)
        lines = cheap_lines(self._contract(contract))
        try:
            with alone(self._contract(contract)):
                kept = {champion: cheap for champion, cheap in lines.known().items() if {champion, cheap} <= {*known}}
                lines.write({**kept, beside: version})
        except OSError as error:
            raise ReleaseError(f"the cheap release of {contract} could not be named: {error.strerror}") from None

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
            raise ReleaseError(f"the {role} of {contract} cannot be read ({type(error).__name__}): {path}") from None
        if version and not VERSION.fullmatch(version):
            raise ReleaseError(f"{path} does not name a version (12 hex digits): train again, or write one into it")
        return version or None

    def _name(self, contract: str, role: str, version: str) -> None:
        """Write a version into a role's file."""
        try:
            with replaced(self._contract(contract) / role) as partial:
                partial.write_text(f"{version}\n")
        except OSError as error:
            raise ReleaseError(f"the {role} of {contract} could not be named: {error.strerror}") from None

    def _require(self, contract: str, version: str, known: list[str] | None = None) -> None:
        if version not in (self.versions(contract) if known is None else known):
            raise NoRelease(f"there is no release {contract}/{version}: train one with `ebb train`")

    def _contract(self, contract: str) -> Path:
        """Return a contract's folder; a name that is none never becomes a path."""
        if not _CONTRACT.fullmatch(contract):
            raise ReleaseError(f"{contract[:64]!r} is not the name of a contract")
        return self._root / contract
