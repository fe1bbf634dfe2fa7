"""Releases in a bucket: `<prefix>/<contract>/<version>.zip`, and who serves in `<prefix>/<contract>/roles.json`."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace

from ebb.errors import NoRelease, ReleaseError, Unavailable
from ebb.places import S3Place
from ebb.s3.archive import pack, unpack
from ebb.s3.bucket import Bucket, Taken
from ebb.s3.roles import Roles

_VERSION = re.compile(r"[0-9a-f]{12}")
_ARCHIVE = re.compile(r"([0-9a-f]{12})\.zip")
_CONTRACT = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_JSON = "application/json"
_TURNS = 20
"""Of a write of roles: so many others may be first before it gives up."""


class S3Releases:
    """A `ReleaseStore` in S3.

    Args:
        bucket: reads and writes.
        place: the prefix.
    """

    def __init__(self, bucket: Bucket, place: S3Place) -> None:
        self._bucket, self._place = bucket, place

    def contracts(self) -> list[str]:
        """Return the contracts that have releases, sorted.

        Raises:
            ReleaseError: S3 does not answer, or refuses.
        """
        with _named(f"the releases in {self._place} cannot be listed"):
            found = [name for name in self._bucket.folders(self._place.key("")) if _CONTRACT.fullmatch(name)]
        return [name for name in found if self.versions(name)]

    def versions(self, contract: str) -> list[str]:
        """Return all versions, sorted.

        Raises:
            ReleaseError: S3 does not answer, or refuses.
        """
        prefix = self._key(contract, "")
        with _named(f"the releases of {contract} cannot be listed"):
            found = [_ARCHIVE.fullmatch(key[len(prefix) :]) for key in self._bucket.keys(prefix)]
        return sorted(match[1] for match in found if match)

    def read(self, contract: str, version: str) -> dict[str, bytes]:
        """Return the release's files by name, not yet verified.

        Raises:
            NoRelease: there is no such release.
            ReleaseError: it cannot be read or is damaged, or the name is none of a release.
        """
        key = self._archive(contract, version)
        with _named(f"release {contract}/{version} cannot be read"):
            stored = self._bucket.get(key)
        if stored is None:
            raise _no_release(contract, version)
        return unpack(stored.body, f"release {contract}/{version}")

    def write(self, contract: str, version: str, files: Mapping[str, bytes]) -> None:
        """Store a release: one object, which appears whole or not at all, and is never replaced.

        Raises:
            ReleaseError: it cannot be written.
        """
        key, body = self._archive(contract, version), pack(files)
        with _named(f"release {contract}/{version} could not be written"), suppress(Taken):
            self._bucket.put(key, body, "application/zip", instead_of=None)

    def champion(self, contract: str) -> str | None:
        """Return the version that serves, or None.

        Raises:
            ReleaseError: the roles cannot be read, or name something else.
        """
        return self._roles(contract)[0].champion

    def previous(self, contract: str) -> str | None:
        """Return the version that was champion before the present one, or None.

        Raises:
            ReleaseError: see `champion`.
        """
        return self._roles(contract)[0].previous

    def challenger(self, contract: str) -> str | None:
        """Return the version that waits to be promoted, or None; who is or was champion waits no more.

        Raises:
            ReleaseError: see `champion`.
        """
        return self._roles(contract)[0].settled().challenger

    def cheap(self, contract: str) -> str | None:
        """Return the version of the cheap release that belongs to the champion, or None.

        Raises:
            ReleaseError: see `champion`.
        """
        return self._roles(contract)[0].cheap

    def set_champion(self, contract: str, version: str) -> None:
        """Name the version that serves from now on; the champion so far becomes the previous one.

        Raises:
            NoRelease: there is no such release.
            ReleaseError: it cannot be named; the roles stand as they were.
        """
        self._change(contract, version, lambda roles: roles.crowned(version))

    def set_challenger(self, contract: str, version: str) -> None:
        """Name the version that waits to be promoted.

        Raises:
            NoRelease: there is no such release.
            ReleaseError: see `set_champion`.
        """
        self._change(contract, version, lambda roles: replace(roles, challenger=version))

    def set_cheap(self, contract: str, version: str, beside: str | None = None) -> None:
        """Name the cheap release of one champion: it has that role whenever this one is champion.

        Args:
            contract: its name.
            version: of the cheap release.
            beside: the champion, or who may become it; None takes the present one.

        Raises:
            NoRelease: there is no such release, or no champion.
            ReleaseError: see `set_champion`.
        """

        def pair(roles: Roles) -> Roles:
            champion = roles.champion if beside is None else beside
            if champion is None:
                raise NoRelease(f"{contract} has no champion that a cheap release could stand beside: promote one")
            return replace(roles, beside={**roles.beside, champion: version})

        self._change(contract, version, pair, *([] if beside is None else [beside]))

    def _change(self, contract: str, version: str, change: Callable[[Roles], Roles], *others: str) -> None:
        """Write the roles anew, on condition that nobody else has meanwhile; else look at theirs, and try again."""
        with _named(f"the roles of {contract} could not be written"):
            for each in (version, *others):
                if not self._bucket.holds(self._archive(contract, each)):
                    raise _no_release(contract, each)
            for _ in range(_TURNS):
                roles, etag = self._roles(contract, forgiving=True)
                new = change(roles)
                with suppress(Taken):  # by an attempt of this write that seemed lost, too: then nothing is left to do
                    if new != roles:
                        self._bucket.put(self._key(contract, "roles.json"), new.to_bytes(), _JSON, instead_of=etag)
                    return
        raise ReleaseError(f"the roles of {contract} could not be written: others write them all the time; try again")

    def _roles(self, contract: str, *, forgiving: bool = False) -> tuple[Roles, str | None]:
        """Return the roles and the state they were read in; what names none stops nobody from writing them anew."""
        key = self._key(contract, "roles.json")
        with _named(f"the roles of {contract} cannot be read"):
            stored = self._bucket.get(key)
        if stored is None:
            return Roles(), None
        try:
            return Roles.from_bytes(stored.body, f"s3://{self._bucket.name}/{key}"), stored.etag
        except ReleaseError:
            if not forgiving:
                raise
            return Roles(), stored.etag

    def _archive(self, contract: str, version: str) -> str:
        """Return a release's key; a version that is none never becomes one."""
        if not _VERSION.fullmatch(version):
            raise ReleaseError(f"{version[:64]!r} is not the version of a release (12 hex digits)")
        return self._key(contract, f"{version}.zip")

    def _key(self, contract: str, name: str) -> str:
        """Return a contract's key; a name that is none never becomes one."""
        if not _CONTRACT.fullmatch(contract):
            raise ReleaseError(f"{contract[:64]!r} is not the name of a contract")
        return self._place.key(contract, name)


def _no_release(contract: str, version: str) -> NoRelease:
    return NoRelease(f"there is no release {contract}/{version}: publish one first")


@contextmanager
def _named(what: str) -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        raise ReleaseError(f"{what}: {error}") from None
