"""Routing tables in a bucket: `<prefix>/<contract>/000000000007.json`, each written once and never altered."""

import re
from collections.abc import Sequence

from ebb.errors import Conflict, RoutingError
from ebb.places import S3Place
from ebb.routing.document import table_from_bytes, table_to_bytes
from ebb.routing.table import RoutingTable
from ebb.s3.bucket import Bucket, Taken

_FILE = re.compile(r"[0-9]{12}\.json")
_CONTRACT = re.compile(r"[a-z][a-z0-9_-]{0,62}")


class S3Routing:
    """A `RoutingStore` in S3.

    Args:
        bucket: reads and writes.
        place: the prefix.
    """

    def __init__(self, bucket: Bucket, place: S3Place) -> None:
        self._bucket, self._place = bucket, place
        self._known: dict[str, str] = {}

    def latest(self, contract: str) -> RoutingTable | None:
        """Return the newest table; None where there is none yet.

        Raises:
            RoutingError: the object is no table of Ebb's.
            Unavailable: S3 does not answer, or refuses.
        """
        prefix, known = self._prefix(contract), self._known.get(contract, "")
        # Tables are never taken away, so that what is older than one that was seen need not be listed again.
        names = self._names(prefix, known) or ([known] if known else [])
        tables = self._read_all(prefix, names[-1:])
        if not tables and known:  # taken away after all
            del self._known[contract]
            return self.latest(contract)
        if tables:
            self._known[contract] = names[-1]
        return next(iter(tables), None)

    def history(self, contract: str, most: int) -> list[RoutingTable]:
        """Return the newest tables, the newest first; an older one that was damaged ends them.

        Raises:
            RoutingError, Unavailable: see `latest`.
        """
        prefix = self._prefix(contract)
        return self._read_all(prefix, self._names(prefix, "")[::-1][:most])

    def append(self, contract: str, table: RoutingTable) -> None:
        """Keep a new version: one object, written on condition that its name is free.

        Raises:
            Conflict: this version is there already.
            Unavailable: S3 does not answer, or refuses; it may have been kept where no answer came in time.
        """
        key, body = f"{self._prefix(contract)}{table.version:012d}.json", table_to_bytes(table)
        try:
            self._bucket.put(key, body, "application/json", instead_of=None)
        except Taken as taken:
            stored = self._bucket.get(key) if taken.repeated else None
            if stored is not None and stored.body == body:
                return  # an attempt whose answer was lost
            raise Conflict(
                f"version {table.version} of the routing table is there already: somebody else was first"
            ) from None

    def _names(self, prefix: str, after: str) -> list[str]:
        """Return the names of the tables behind one, in order."""
        keys = self._bucket.keys(prefix, prefix + after if after else "")
        return [name for key in keys if _FILE.fullmatch(name := key[len(prefix) :])]

    def _read_all(self, prefix: str, names: Sequence[str]) -> list[RoutingTable]:
        tables: list[RoutingTable] = []
        for name in names:
            try:
                table = self._read(prefix, name)
            except RoutingError:
                if not tables:
                    raise
                break
            if table is not None:
                tables.append(table)
        return tables

    def _read(self, prefix: str, name: str) -> RoutingTable | None:
        stored = self._bucket.get(prefix + name)
        if stored is None:
            return None
        told = f"{prefix.rstrip('/').rpartition('/')[2]}/{name}"
        try:
            table = table_from_bytes(stored.body)
        except RoutingError as error:
            raise RoutingError(f"{told} is no routing table of Ebb's: {error}") from None
        if f"{table.version:012d}.json" != name:
            raise RoutingError(f"{told} holds version {table.version} of the table: give it its own name back")
        return table

    def _prefix(self, contract: str) -> str:
        """Return the prefix of a contract's keys; a name that is none never becomes one."""
        if not _CONTRACT.fullmatch(contract):
            raise RoutingError(f"{contract[:64]!r} is not the name of a contract")
        return self._place.key(contract, "")
