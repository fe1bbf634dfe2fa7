"""Routing tables in memory, and tables as properties draw them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import strategies as st

from ebb.errors import Conflict, NoRelease, ReleaseError, Unavailable
from ebb.routing.change import Roles, started
from ebb.routing.slots import expanded
from ebb.routing.table import SLOTS, Challenger, Change, Cheap, RoutingTable, Shadow

SALT = "00112233445566778899aabbccddeeff"
STARTED = Change(1.0, "tests", "start")
SET = Change(2.0, "tests", "set")


def version(number: int) -> str:
    """Return a version that no release has."""
    return f"{number:012x}"


CHAMPION_VERSION = version(0)


def first_table(champion: str = CHAMPION_VERSION, salt: str = SALT) -> RoutingTable:
    """Return a table in which the champion answers everybody."""
    return started(champion, salt, STARTED)


def owners(table: RoutingTable) -> list[str]:
    """Return which release owns each slot; the champion those that nobody else does."""
    found = [table.champion] * SLOTS
    for release, ranges in table.slots.items():
        for slot in expanded(ranges):
            assert found[slot] == table.champion, "a slot has two owners"
            found[slot] = release
    return found


def slots_wanted(roles: Roles, champion: str = CHAMPION_VERSION) -> Mapping[str, int]:
    """Return how many slots each release is to own, the champion the rest."""
    wanted = {c.release: round(c.weight * SLOTS) for c in roles.challengers}
    if roles.cheap:
        wanted[roles.cheap.release] = round(roles.cheap.weight * SLOTS)
    return {**wanted, champion: SLOTS - sum(wanted.values())}


@st.composite
def some_roles(draw: st.DrawFn) -> Roles:
    """Draw roles for the releases 1 to 9 beside the champion 0."""
    releases = draw(st.lists(st.integers(1, 9), unique=True, max_size=9))
    left, weights = SLOTS, []
    for _ in releases:
        weights.append(draw(st.integers(0, left)))
        left -= weights[-1]
    owners_of = [Challenger(version(n), w / SLOTS) for n, w in zip(releases, weights, strict=True)]
    cheap, with_cheap = None, draw(st.booleans())
    if owners_of and with_cheap:
        last = owners_of.pop()
        cheap = Cheap(last.release, last.weight, draw(st.sampled_from([0.0, 0.05, 0.5])))
    shadow = draw(st.none() | st.integers(1, 12).map(lambda n: Shadow(version(n), 2.5)))
    return Roles(tuple(owners_of), cheap, shadow)


@dataclass
class MemoryRouting:
    """A `RoutingStore` in a list; `rivals` write one version each just before the next append does."""

    tables: list[RoutingTable] = field(default_factory=list)
    rivals: list[RoutingTable] = field(default_factory=list)
    away: bool = False

    def latest(self, contract: str) -> RoutingTable | None:
        return next(iter(self.history(contract, 1)), None)

    def history(self, contract: str, most: int) -> list[RoutingTable]:
        self._answer(contract)
        return self.tables[::-1][:most]

    def append(self, contract: str, table: RoutingTable) -> None:
        self._answer(contract)
        if self.rivals:
            self.tables.append(self.rivals.pop(0))
        if any(held.version == table.version for held in self.tables):
            raise Conflict(f"version {table.version} is there already")
        self.tables.append(table)

    def _answer(self, contract: str) -> None:
        assert contract == "tiny"
        if self.away:
            raise Unavailable("the store does not answer")


@dataclass
class MemoryNews:
    """`RoutingNews` that remember."""

    version: int = 0
    away: bool = False

    def announce_routing(self, version: int) -> None:
        if self.away:
            raise Unavailable("nobody answers")
        self.version = max(self.version, version)


@dataclass
class MemoryReleases:
    """A `ReleaseStore` of files in memory."""

    files: dict[str, Mapping[str, bytes]] = field(default_factory=dict)
    named: str | None = None
    full: bool = False
    cheaps: dict[str, str] = field(default_factory=dict)
    before: str | None = None
    waiting: str | None = None

    def contracts(self) -> list[str]:
        return ["tiny"] if self.files else []

    def champion(self, contract: str) -> str | None:
        assert contract == "tiny"
        return self.named

    def versions(self, contract: str) -> list[str]:
        assert contract == "tiny"
        return sorted(self.files)

    def read(self, contract: str, version: str) -> dict[str, bytes]:
        if version not in self.files:
            raise ReleaseError(f"there is no release {contract}/{version}")
        return dict(self.files[version])

    def write(self, contract: str, version: str, files: Mapping[str, bytes]) -> None:
        assert contract == "tiny"
        self.files[version] = files

    def set_champion(self, contract: str, version: str) -> None:
        assert contract == "tiny"
        if self.full:
            raise ReleaseError("the disk is full")
        self._known(version)
        if version != self.named:
            self.named, self.before = version, self.named
        self.waiting = self.challenger(contract)

    def previous(self, contract: str) -> str | None:
        assert contract == "tiny"
        return self.before

    def challenger(self, contract: str) -> str | None:
        assert contract == "tiny"
        return None if self.waiting in {self.named, self.before} else self.waiting

    def set_challenger(self, contract: str, version: str) -> None:
        assert contract == "tiny"
        self._known(version)
        self.waiting = version

    def cheap(self, contract: str) -> str | None:
        assert contract == "tiny"
        return self.cheaps.get(self.named or "")

    def set_cheap(self, contract: str, version: str, beside: str | None = None) -> None:
        assert contract == "tiny"
        beside = beside or self.named
        if beside is None:
            raise NoRelease("tiny has no champion")
        for each in (version, beside):
            self._known(each)
        self.cheaps[beside] = version

    def _known(self, version: str) -> None:
        if version not in self.files:
            raise NoRelease(f"there is no release tiny/{version}")
