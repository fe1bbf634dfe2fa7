"""The routing table with which a local cloud comes up."""

import secrets
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from ebb.errors import ReleaseError, RoutingError, Unavailable
from ebb.folder import FolderReleases
from ebb.folder_routing import FolderRouting
from ebb.onnx import OnnxScorer
from ebb.release.load import LoadedRelease, load_release
from ebb.routing.admit import Load, admit
from ebb.routing.change import promoted, started
from ebb.routing.table import Change, RoutingTable
from ebb.valkey.features import ValkeyFeatures
from local.serving.cheap import with_cheap
from local.serving.release import Served
from local.serving.tables import routing_folder
from local.supervisor.servers import Servers

CLIENT = "ebb-up"
"""Who changed a table, where bringing up did."""

_SECONDS = 1.0


def put_in_force(served: Served, state_folder: Path) -> RoutingTable | None:
    """Make the chosen release the champion of the newest table, and return that table.

    A table that is fine as it stands gets no new version. Releases beside the champion that can serve no longer (they
    were deleted, or do not fit the new champion) leave their roles: nobody must be kept from coming up by them.

    Returns:
        None where nothing is served.

    Raises:
        Conflict: somebody else wrote a table at the same moment.
        RoutingError: the newest table is none of Ebb's; names the file.
        Unavailable: tables cannot be read, or not be written.
    """
    if served.release is None or served.contract is None:
        return None
    store = FolderRouting(routing_folder(state_folder))
    old = store.latest(served.contract)
    new = table_to_start(old, served.release, partial(_load, served), _named_cheap(served))
    if new is not old:
        store.append(served.contract, new)
    return new


def announce_version(servers: Servers, version: int) -> None:
    """Tell Valkey, which starts empty, which version is in force; where it does not answer, the maintenance will."""
    with suppress(Unavailable):
        ValkeyFeatures(servers.host, servers.valkey_port, timeout=_SECONDS).announce_routing(version)


def table_to_start(
    old: RoutingTable | None, champion: LoadedRelease, load: Load, cheap: str | None = None
) -> RoutingTable:
    """Return the table that is to be in force; `old` itself where it is fine.

    Args:
        old: the newest table; None where there is none yet.
        champion: the chosen release.
        load: returns a release by its version; raises ReleaseError where it cannot serve.
        cheap: version of the cheap release that the store names, if any; see `with_cheap`.
    """
    version, change = champion.manifest.version, Change(time.time(), CLIENT, "start")

    def known(asked: str) -> LoadedRelease:
        return champion if asked == version else load(asked)

    if old is None:
        bare = started(version, secrets.token_hex(16), change)
        ready = with_cheap(bare, cheap, first=True)
        return ready if _fits(ready, known) else bare
    table = old if old.champion == version else promoted(old, version, change)
    if not _loads(table.previous, load):
        table = replace(table, previous=None)
    alone = replace(table, challengers=(), cheap=None, shadow=None, slots={})
    tables = (with_cheap(table, cheap, first=False), table, alone, replace(alone, previous=None))
    table = next(each for each in tables if _fits(replace(each, change=change), known))
    return old if table == old else replace(table, version=old.version + 1, change=change)


def _fits(table: RoutingTable, load: Load) -> bool:
    try:
        admit(table, load)
    except RoutingError:
        return False
    return True


def _loads(version: str | None, load: Load) -> bool:
    try:
        return version is None or bool(load(version))
    except ReleaseError:
        return False


def _named_cheap(served: Served) -> str | None:
    """Return the cheap release that the store names; a file that names none keeps nobody from coming up."""
    with suppress(ReleaseError):
        return FolderReleases(served.releases).cheap(served.contract or "")
    return None


def _load(served: Served, version: str) -> LoadedRelease:
    return load_release(FolderReleases(served.releases), served.contract or "", version, OnnxScorer)
