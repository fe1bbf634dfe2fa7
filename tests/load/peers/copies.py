"""Many releases of one contract, and the routing table under which all of them serve."""

from collections.abc import Sequence
from pathlib import Path

from ebb.contract import parse_contract
from ebb.folder import FolderReleases
from ebb.folder_routing import FolderRouting
from ebb.release.manifest import CONTRACT, MANIFEST
from ebb.routing.change import Roles, started, with_roles
from ebb.routing.table import Challenger, Change
from tests.fakes.releases import version_in, with_manifest

_CHALLENGED = 0.9
"""Share of the entities that challengers answer together."""


def write_copies(source: Path, contract: str, version: str, count: int, target: Path) -> list[str]:
    """Write a release so many times into another store, each with its own version, and return the versions.

    The copies differ by a comment in their contract; graph, reference and golden examples are the release's own.
    """
    files = {n: content for n, content in FolderReleases(source).read(contract, version).items() if n != MANIFEST}
    parsed = parse_contract(files[CONTRACT].decode())
    store, versions = FolderReleases(target), []
    for number in range(count):
        copy = with_manifest({**files, CONTRACT: files[CONTRACT] + f"# copy {number}\n".encode()}, parsed)
        versions.append(version_in(copy))
        store.write(contract, versions[-1], copy)
    store.set_champion(contract, versions[0])
    return versions


def write_table(root: Path, contract: str, releases: Sequence[str]) -> None:
    """Write the table of a champion and any number of challengers, which answer most entities between them."""
    champion, *others = releases
    table = started(champion, "0" * 32, Change(0.0, "bench", "start"))
    if others:
        challengers = tuple(Challenger(release, round(_CHALLENGED / len(others), 4)) for release in others)
        table = with_roles(table, Roles(challengers), Change(0.0, "bench", "set"))
    FolderRouting(root).append(contract, table)
