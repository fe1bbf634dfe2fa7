"""One command's dealings with the registry: opened at most once, and where it is away, noted and made up for later."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ebb.errors import NoRelease, ReleaseError, Unavailable
from ebb.folder import FolderReleases
from ebb.release.manifest import verify
from training.registry.address import DATABASE
from training.registry.begun import MARK
from training.registry.pending import Pending
from training.registry.registration import Registration
from training.registry.registry import ALIASES, Registry

LATER = "with the next `ebb train`, or at once by `ebb releases --sync`"


class Ledger:
    """What one command tells the registry; nothing here fails for the sake of the registry.

    Whoever uses it holds the lock of the releases.

    Args:
        releases: the folder of releases.
        contract: its name.
        uri: address of an MLflow server or database; empty for the sqlite file beside the releases.

    Attributes:
        notes: what could not be done, for people.
        pending: the list of what is to be made up for.
        synced: releases that were registered belatedly.
    """

    def __init__(self, releases: Path, contract: str, uri: str = "") -> None:
        self._releases, self._contract, self._uri = releases, contract, uri
        self._store = FolderReleases(releases)
        self._registry: Registry | None = None
        self._away = self._mark = ""
        self.notes: list[str] = []
        self.pending = Pending(releases, contract)
        self.synced: list[str] = []

    @property
    def used(self) -> bool:
        """Whether there is a registry at all: an address, or the file that the first training made."""
        return bool(self._uri) or (self._releases / DATABASE).exists()

    def start(self, tags: Mapping[str, str]) -> str:
        """Open a run and return its id; empty where the registry is away."""
        try:
            registry = self._opened()
            self._mark = self.pending.begun.mark()
            return registry.start({**tags, MARK: self._mark} if self._mark else tags)
        except Unavailable as error:
            self._give_up(error)
            return ""

    def fail(self, run_id: str) -> None:
        """Mark a run as failed, as far as the registry can be had; else the next command ends it."""
        if self._registry is not None and run_id and self._registry.fail(run_id):
            self._ended()

    def register(self, registration: Registration) -> tuple[str, str]:
        """Register a release, or put it on the list of what is to be made up for.

        Returns:
            The run's id and the version's number; both empty where the registry is away.
        """
        noted = self._note(registration)
        try:
            files = self._store.read(self._contract, registration.version)
            verify(files, self._contract)
            found = self._opened().register(registration, files)
        except Unavailable as error:
            self._give_up(error)
            self.fail(registration.run_id)
            self.notes.append(
                f"the release is kept, but not registered: {error}; "
                + (f"it is registered {LATER}" if noted else "`ebb releases --sync` registers it")
            )
            return registration.run_id, ""
        self.pending.drop(registration.version)
        self._ended()
        return found

    def sync(self, versions: Sequence[str] | None = None) -> None:
        """Register what the registry has missed: these releases, else those on the list.

        A release that is damaged is passed over and noted. What a killed command has left running there is ended.
        """
        try:
            known = self._opened().numbers()
            for version in self.pending.versions() if versions is None else versions:
                if version in known:
                    self.pending.drop(version)
                    continue
                self._make_up_for(version)
            self._end_killed()
        except Unavailable as error:
            self._give_up(error)

    def follow(self) -> bool:
        """Let the aliases follow the store's roles, or note that they have to.

        Returns:
            Whether they have.
        """
        known = self._away
        try:
            self._opened().align(self._roles())
        except (Unavailable, ReleaseError) as error:
            if isinstance(error, Unavailable):
                self._give_up(error)
            self.pending.expect_aliases()
            if not known:  # else it has been told already
                self.notes.append(f"the registry's aliases did not follow: {error}; they follow {LATER}")
            return False
        self.pending.aliases_followed()
        return True

    @property
    def away(self) -> str:
        """Why the registry could not be had; empty where it could, or nobody asked."""
        return self._away

    def _opened(self) -> Registry:
        if self._away:
            raise Unavailable(self._away)
        if self._registry is None:
            self._registry = Registry(self._releases, self._contract, self._uri)
        return self._registry

    def _give_up(self, error: Unavailable) -> None:
        """Ask a registry that failed once no more: every further try would cost as much again."""
        self._away = str(error)

    def _ended(self) -> None:
        """Forget the mark of this command's own run."""
        if self._mark:
            self.pending.begun.forget(self._mark)
            self._mark = ""

    def _end_killed(self) -> None:
        """End the runs of commands that were killed; those of releases on the list were finished before."""
        for mark in self.pending.begun.marks():
            if self._opened().end_killed(mark):
                self.notes.append("the registry's run of a training that was killed is ended now")
            self.pending.begun.forget(mark)

    def _note(self, registration: Registration) -> bool:
        try:
            self.pending.keep(registration)
        except ReleaseError as error:
            self.notes.append(str(error))
            return False
        return True

    def _make_up_for(self, version: str) -> None:
        try:
            files = self._store.read(self._contract, version)
            verify(files, self._contract)
        except NoRelease:
            self.pending.drop(version)  # somebody removed it: there is nothing left to tell
            return
        except ReleaseError as error:
            self.notes.append(f"{self._contract}/{version} is not registered: {error}")
            return
        registration = self.pending.read(version)
        try:
            self._opened().register(registration, files)
        except Unavailable:
            # Its run may be what the registry stumbles over: the next try opens another.
            self._note(replace(registration, run_id=""))
            raise
        self.pending.drop(version)
        self.synced.append(version)

    def _roles(self) -> dict[str, str]:
        store, contract = self._store, self._contract
        found = {role: getattr(store, role)(contract) for role in ALIASES}
        if found["cheap"] == found["champion"]:
            found["cheap"] = None  # as in the routing table: nobody stands beside themselves
        return {role: version for role, version in found.items() if version}
