"""Which features may be written: those of every release in the routing table, as soon as it names them."""

from pathlib import Path

import pytest

from ebb.contract import Contract
from ebb.errors import NoRelease, ReleaseError, Unavailable
from ebb.folder import FolderReleases
from ebb.routing.change import Roles, promoted, with_roles
from ebb.routing.table import Challenger, Shadow
from lambdas.records.contract import LOOK_SECONDS, WritableContract
from tests.fakes.contracts import TEXT
from tests.fakes.releases import tiny_release, version_in
from tests.fakes.routing import SET, MemoryRouting, first_table
from tests.fakes.stores import Clock

CALLS = '\n[[features]]\nname = "calls"\nkind = "integer"\nmissing = true\n'


class World:
    """Releases in a folder, tables in memory, and a clock."""

    def __init__(self, root: Path) -> None:
        self.root, self.releases, self.routing, self.clock = root, FolderReleases(root), MemoryRouting(), Clock()
        self.contract = WritableContract(lambda: "tiny", self.routing, self.releases, self.clock)

    def release(self, bias: float, text: str = TEXT) -> str:
        files = tiny_release(bias, text)
        self.releases.write("tiny", version_in(files), files)
        return version_in(files)

    def names(self) -> list[str]:
        return [feature.name for feature in self.contract.get().features]

    def later(self) -> Contract:
        self.clock.now += LOOK_SECONDS
        return self.contract.get()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_feature_that_a_challenger_adds_may_be_written(world: World) -> None:
    one, two = world.release(0.0), world.release(1.0, TEXT + CALLS)
    world.routing.tables = [first_table(one)]
    usual = world.names()
    world.routing.tables.append(with_roles(first_table(one), Roles((Challenger(two, 0.1),)), SET))
    assert world.names() == usual, "the table is not read for every write"
    assert world.later().by_name.keys() == {*usual, "calls"}
    assert world.names()[:-1] == usual
    world.routing.tables.append(promoted(world.routing.tables[-1], two, SET))
    assert world.later().by_name.keys() == {*usual, "calls"}


def test_one_that_is_broken_adds_nothing(world: World) -> None:
    one, two = world.release(0.0), world.release(1.0, TEXT + CALLS)
    world.routing.tables = [with_roles(first_table(one), Roles((), None, Shadow(two)), SET)]
    (world.root / "tiny" / two / "card.html").write_bytes(b"changed")
    assert "calls" not in world.names()


def test_what_cannot_be_read_leaves_what_is_held(world: World) -> None:
    one = world.release(0.0)
    world.routing.tables = [first_table(one)]
    held = world.contract.get()
    world.routing.away = True
    assert world.later() is held
    world.routing.away = False
    assert world.later() is held
    world.routing.away = True
    another = WritableContract(lambda: "tiny", world.routing, world.releases, world.clock)
    with pytest.raises(Unavailable):
        another.get()


def test_without_a_table_the_champion_of_the_store_is_meant(world: World) -> None:
    with pytest.raises(NoRelease):
        world.contract.get()
    world.releases.set_champion("tiny", world.release(0.0))
    assert world.contract.get().name == "tiny"


def test_a_champion_that_is_gone_is_an_error(world: World) -> None:
    world.routing.tables = [first_table()]
    with pytest.raises(ReleaseError):
        world.contract.get()
