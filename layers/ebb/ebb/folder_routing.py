"""Routing tables in a folder: `<root>/<contract>/000000000007.json`, each written once and never altered."""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ebb.errors import Conflict, RoutingError, Unavailable
from ebb.routing.document import table_from_bytes, table_to_bytes
from ebb.routing.table import RoutingTable
from ebb.synced import sync, write_synced

_FILE = re.compile(r"[0-9]{12}\.json")
_CONTRACT = re.compile(r"[a-z][a-z0-9_-]{0,62}")


class FolderRouting:
    """A `RoutingStore` on a file system.

    Args:
        root: the folder; made with the first table.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def latest(self, contract: str) -> RoutingTable | None:
        """Return the newest table; None where there is none yet.

        Raises:
            RoutingError: the file is no table of Ebb's.
            Unavailable: it cannot be read.
        """
        return next(iter(self.history(contract, 1)), None)

    def history(self, contract: str, most: int) -> list[RoutingTable]:
        """Return the newest tables, the newest first; an older one that was damaged ends them.

        Raises:
            RoutingError, Unavailable: see `latest`.
        """
        folder = self._folder(contract)
        try:
            files = sorted((path for path in folder.iterdir() if _FILE.fullmatch(path.name)), reverse=True)
            return _read_all(files[:most])
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Unavailable(f"the routing tables in {folder} cannot be read: {error.strerror}") from None

    def append(self, contract: str, table: RoutingTable) -> None:
        """Keep a new version: it appears whole, by one link, which fails where the name is taken.

        Raises:
            Conflict: this version is there already.
            Unavailable: it cannot be written; nothing of it is seen.
        """
        folder = self._folder(contract)
        partial = folder / f".partial-{os.urandom(8).hex()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_synced(partial, table_to_bytes(table))
            _make_visible(partial, folder / f"{table.version:012d}.json")
            sync(folder)
        except OSError as error:
            raise Unavailable(f"the routing table could not be kept in {folder}: {error.strerror}") from None
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)

    def _folder(self, contract: str) -> Path:
        """Return a contract's folder; a name that is none never becomes a path."""
        if not _CONTRACT.fullmatch(contract):
            raise RoutingError(f"{contract[:64]!r} is not the name of a contract")
        return self._root / contract


def _make_visible(partial: Path, target: Path) -> None:
    try:
        target.hardlink_to(partial)
    except FileExistsError:
        version = int(target.stem)
        raise Conflict(f"version {version} of the routing table is there already: somebody else was first") from None


def _read_all(paths: Sequence[Path]) -> list[RoutingTable]:
    tables: list[RoutingTable] = []
    for path in paths:
        try:
            tables.append(_read(path))
        except RoutingError:
            if not tables:
                raise
            break
    return tables


def _told(path: Path) -> str:
    """Name a table's file without the folder of all, which is no caller's business."""
    return f"{path.parent.name}/{path.name}"


def _read(path: Path) -> RoutingTable:
    try:
        table = table_from_bytes(path.read_bytes())
    except RoutingError as error:
        raise RoutingError(f"{_told(path)} is no routing table of Ebb's: {error}") from None
    if f"{table.version:012d}.json" != path.name:
        raise RoutingError(f"{_told(path)} holds version {table.version} of the table: give it its own name back")
    return table
