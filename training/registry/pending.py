"""What the registry has not been told yet: a list beside the releases, in `<releases>/<contract>/pending/`.

A release stands on it from before it is registered until it is, so that a kill in between loses nothing.
"""

import json
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from ebb.errors import ReleaseError
from ebb.synced import sync, write_synced
from training.registry.begun import Begun
from training.registry.registration import Registration

_FOLDER, _RECORD, _ARTIFACTS, _ALIASES = "pending", "registration.json", "artifacts", "aliases"


class Pending:
    """The list of one contract; whoever writes holds the lock of the releases.

    Args:
        releases: the folder of releases.
        contract: its name.

    Attributes:
        begun: runs that were begun and not ended.
    """

    def __init__(self, releases: Path, contract: str) -> None:
        self._contract, self._folder = contract, releases / contract / _FOLDER
        self.begun = Begun(self._folder)

    def versions(self) -> list[str]:
        """Return the releases that are to be registered, sorted."""
        try:
            return sorted(p.name for p in self._folder.iterdir() if p.is_dir() and not p.name.startswith("."))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def keep(self, registration: Registration) -> None:
        """Put a release on the list, or renew what the list holds of it.

        Raises:
            ReleaseError: it cannot be written; nothing of it is seen.
        """
        target = self._folder / registration.version
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for left in self._folder.glob(".partial-*"):
                shutil.rmtree(left, ignore_errors=True)
            partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=self._folder))
            try:
                _write(partial, registration)
                shutil.rmtree(target, ignore_errors=True)
                partial.rename(target)
                sync(self._folder)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        except OSError as error:
            name = f"{self._contract}/{registration.version}"
            raise ReleaseError(f"{name} cannot be noted as not registered: {error.strerror}") from None

    def read(self, version: str) -> Registration:
        """Return what the list holds of a release; what cannot be read is left out, since the release has the rest."""
        folder = self._folder / version
        artifacts = folder / _ARTIFACTS
        try:
            told = json.loads((folder / _RECORD).read_text())
            files = sorted(p for p in artifacts.rglob("*") if p.is_file())
            found = {p.relative_to(artifacts).as_posix(): p.read_bytes() for p in files}
            return Registration(self._contract, version, str(told["run_id"]), dict(told["parameters"]), found)
        except (OSError, ValueError, KeyError, TypeError):
            return Registration(self._contract, version)

    def drop(self, version: str) -> None:
        """Take a release off the list; one that cannot be taken off is registered again, which changes nothing."""
        shutil.rmtree(self._folder / version, ignore_errors=True)
        self._tidy()

    @property
    def aliases(self) -> bool:
        """Whether the registry's aliases have still to follow the store's roles."""
        return (self._folder / _ALIASES).exists()

    def expect_aliases(self) -> None:
        """Note that the aliases have to follow, before the roles move; a disk that is full stops the move itself."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_synced(self._folder / _ALIASES, b"")

    def aliases_followed(self) -> None:
        """Take the note away."""
        with suppress(OSError):
            (self._folder / _ALIASES).unlink(missing_ok=True)
        self._tidy()

    def _tidy(self) -> None:
        """Remove the folder with the last thing in it."""
        with suppress(OSError):
            self._folder.rmdir()


def _write(folder: Path, registration: Registration) -> None:
    record = {"run_id": registration.run_id, "parameters": dict(registration.parameters)}
    write_synced(folder / _RECORD, json.dumps(record, indent=2, default=str).encode())
    for name, content in registration.artifacts.items():
        path = folder / _ARTIFACTS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_synced(path, content)
    sync(folder)
