"""The routes that decide which releases serve: what is admitted comes into force, what is refused changes nothing."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import orjson
import pytest

from ebb.errors import NoRelease
from ebb.http.doors import answer
from ebb.http.problems import Answer
from ebb.onnx import OnnxScorer
from ebb.release.load import LoadedRelease, load_release
from ebb.routing.change import Roles, with_roles
from ebb.routing.document import table_to_bytes
from ebb.routing.table import Challenger, Change
from lambdas.records.routing import RoutingService
from tests.fakes.contracts import TEXT
from tests.fakes.events import event
from tests.fakes.releases import tiny_release, version_in
from tests.fakes.routing import MemoryNews, MemoryReleases, MemoryRouting, first_table, version
from tests.fakes.stores import Clock

NOW = 1_800_000_000.0


@lru_cache(maxsize=8)
def _files(bias: float, text: str = TEXT) -> tuple[str, dict[str, bytes]]:
    files = tiny_release(bias, text)
    return version_in(files), files


class World:
    """The routing routes around tables, releases and news in memory; the first release is the champion."""

    def __init__(self) -> None:
        self.clock, self.reports = Clock(NOW), list[str]()
        self.releases = MemoryReleases(dict(_files(float(bias)) for bias in range(4)))
        self.versions = [_files(float(bias))[0] for bias in range(4)]
        self.releases.named = self.versions[0]
        self.routing, self.news = MemoryRouting([first_table(self.versions[0])]), MemoryNews()
        self.loaded: list[str] = []
        self.service = RoutingService(
            lambda: "tiny",
            self.routing,
            self.releases,
            self.news,
            self._load,
            self.clock,
            lambda what, _id: self.reports.append(what),
        )

    def _load(self, contract: str, release: str) -> LoadedRelease:
        self.loaded.append(release)
        return load_release(self.releases, contract, release, OnnxScorer)

    def ask(self, route: str, body: object = None, scope: str = "admin") -> Answer:
        method = {
            "GET /v1/routing": self.service.show,
            "PUT /v1/routing": self.service.set_roles,
            "POST /v1/routing/promote": self.service.promote,
            "POST /v1/routing/rollback": self.service.roll_back,
        }[route]
        content = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        return answer(event(route, content, scope=scope, client="ops"), method, lambda *_: None)

    def ok(self, route: str, body: object = None) -> Any:
        answered = self.ask(route, body)
        assert answered.status == 200, answered.body
        return orjson.loads(answered.body)

    def refused(self, route: str, body: object, status: int) -> str:
        """Ask for what is refused, and return why; the table and what is known of it are as before."""
        before = [table_to_bytes(table) for table in self.routing.tables], self.news.version, self.releases.named
        answered = self.ask(route, body)
        assert answered.status == status, answered.body
        assert before == ([table_to_bytes(t) for t in self.routing.tables], self.news.version, self.releases.named)
        detail: str = orjson.loads(answered.body)["detail"]
        return detail


@pytest.fixture
def world() -> World:
    return World()


def test_the_table_is_told_with_its_changes(world: World) -> None:
    one, two, three, four = world.versions
    world.clock.now = NOW + 10
    roles = {
        "challengers": [{"release": two, "weight": 0.05}],
        "cheap": {"release": three, "margin": 0.1},
        "shadow": {"release": four},
    }
    set_now = world.ok("PUT /v1/routing", roles)
    told = world.ok("GET /v1/routing")
    assert set_now == {**told, "written": 2, "notes": []}
    assert (told["contract"], told["version"], told["salt"]) == ("tiny", 2, world.routing.tables[0].salt)
    assert told["roles"] == [
        {"role": "champion", "release": one, "weight": 0.85, "slots": 8_500, "since": 1.0},
        {"role": "challenger", "release": two, "weight": 0.05, "slots": 500, "since": NOW + 10},
        {"role": "cheap", "release": three, "weight": 0.1, "margin": 0.1, "slots": 1_000, "since": NOW + 10},
        {"role": "shadow", "release": four, "budget_ms": 5.0, "since": NOW + 10},
    ]
    assert told["changes"] == [
        {"version": 2, "at": NOW + 10, "client": "ops", "action": "set"},
        {"version": 1, "at": 1.0, "client": "tests", "action": "start"},
    ]
    assert world.news.version == 2
    assert sorted(world.loaded) == sorted(world.versions), "each is checked once"


def test_since_when_a_release_has_its_role(world: World) -> None:
    two, three = world.versions[1:3]
    for second, weights in enumerate(({two: 0.01}, {two: 0.1, three: 0.1}, {three: 0.2}, {two: 0.1, three: 0.2})):
        world.clock.now = NOW + second
        challengers = [{"release": r, "weight": w} for r, w in weights.items()]
        told = world.ok("PUT /v1/routing", {"challengers": challengers})
    since = {role["release"]: role["since"] for role in told["roles"]}
    assert since == {world.versions[0]: 1.0, two: NOW + 3, three: NOW + 1}


def test_a_promotion_names_the_champion_everywhere_and_a_rollback_takes_it_back(world: World) -> None:
    one, two = world.versions[:2]
    world.ok("PUT /v1/routing", {"challengers": [{"release": two, "weight": 0.5}]})
    assert world.releases.named == one
    told = world.ok("POST /v1/routing/promote", {"release": two})
    assert [(r["role"], r["release"]) for r in told["roles"]] == [("champion", two), ("previous", one)]
    assert (world.releases.named, world.news.version, told["written"]) == (two, 3, 3)
    back = world.ok("POST /v1/routing/rollback")
    assert [(r["role"], r["release"]) for r in back["roles"]] == [("champion", one), ("previous", two)]
    assert (world.releases.named, world.news.version) == (one, 4)
    again = world.ok("POST /v1/routing/rollback", {})
    assert again["roles"][0]["release"] == two


def test_what_is_left_out_is_taken_away(world: World) -> None:
    two, three = world.versions[1:3]
    world.ok("PUT /v1/routing", {"challengers": [{"release": two, "weight": 0.5}], "shadow": {"release": three}})
    told = world.ok("PUT /v1/routing", {})
    assert [role["role"] for role in told["roles"]] == ["champion"]


@pytest.mark.parametrize("route", ["GET /v1/routing", "PUT /v1/routing", "POST /v1/routing/promote"])
@pytest.mark.parametrize("scope", ["", "predict explain features:write outcomes:write subjects"])
def test_only_admins_decide(world: World, route: str, scope: str) -> None:
    answered = world.ask(route, {"release": world.versions[1]}, scope=scope)
    assert answered.status == 403
    assert "'admin'" in orjson.loads(answered.body)["detail"]
    assert len(world.routing.tables) == 1


def test_tables_that_cannot_be_are_refused_and_the_old_one_goes_on(world: World) -> None:
    one, two, three = world.versions[:3]
    put = "PUT /v1/routing"
    much = [{"release": two, "weight": 0.6}, {"release": three, "weight": 0.5}]
    assert "add up to 1.1" in world.refused(put, {"challengers": much}, 422)
    unknown = {"challengers": [{"release": version(5), "weight": 0.1}]}
    assert f"{version(5)} cannot serve: there is no release" in world.refused(put, unknown, 422)
    assert "there is no release" in world.refused("POST /v1/routing/promote", {"release": version(5)}, 422)
    assert "is the champion already" in world.refused("POST /v1/routing/promote", {"release": one}, 422)
    assert "no previous champion" in world.refused("POST /v1/routing/rollback", {}, 422)
    world.releases.files[two] = {**world.releases.files[two], "card.html": b"changed"}
    assert "sha256 of card.html" in world.refused("POST /v1/routing/promote", {"release": two}, 422)
    retyped, files = _files(9.0, TEXT.replace('"months"', '"days"'))
    world.releases.files[retyped] = files
    assert "retypes the feature 'tenure'" in world.refused("POST /v1/routing/promote", {"release": retyped}, 422)


@pytest.mark.parametrize(
    ("route", "body", "status"),
    [
        ("PUT /v1/routing", b"{", 400),
        ("PUT /v1/routing", [], 422),
        ("PUT /v1/routing", {"champion": "x"}, 422),
        ("PUT /v1/routing", {"challengers": {"x": 0.1}}, 422),
        ("PUT /v1/routing", {"challengers": [{"release": "x", "weight": 0.1}]}, 422),
        ("PUT /v1/routing", {"based_on": "1"}, 422),
        ("PUT /v1/routing", {"based_on": True}, 422),
        ("PUT /v1/routing", b'{"challengers": [' + b" " * 20_000 + b"]}", 413),
        ("POST /v1/routing/promote", None, 422),
        ("POST /v1/routing/promote", {"release": 5}, 422),
        ("POST /v1/routing/promote", {"release": "../../etc/pw"}, 422),
        ("POST /v1/routing/rollback", {"release": "x"}, 422),
        ("POST /v1/routing/rollback", {"based_on": 1.5}, 422),
    ],
)
def test_bodies_that_are_none_are_refused(world: World, route: str, body: object, status: int) -> None:
    assert world.refused(route, body, status)


def test_a_change_based_on_an_older_table_is_a_conflict(world: World) -> None:
    two, three = world.versions[1:3]
    roles = {"challengers": [{"release": two, "weight": 0.1}], "based_on": 1}
    world.ok("PUT /v1/routing", roles)
    assert "at version 2 and not 1" in world.refused("PUT /v1/routing", roles, 409)
    assert "at version 2 and not 1" in world.refused("POST /v1/routing/promote", {"release": three, "based_on": 1}, 409)
    assert "at version 2 and not 5" in world.refused("POST /v1/routing/rollback", {"based_on": 5}, 409)
    assert world.ok("POST /v1/routing/promote", {"release": three, "based_on": 2})["version"] == 3


def test_without_a_base_a_change_follows_whoever_was_first(world: World) -> None:
    one, two, three = world.versions[:3]
    rival = with_roles(world.routing.tables[0], Roles((Challenger(two, 0.2),)), Change(NOW, "rival", "set"))
    world.routing.rivals = [rival]
    told = world.ok("POST /v1/routing/promote", {"release": three})
    assert [(r["role"], r["release"]) for r in told["roles"]] == [
        ("champion", three),
        ("challenger", two),
        ("previous", one),
    ]
    assert told["version"] == 3


def test_rivals_without_end_are_a_conflict_and_so_is_one_that_came_between(world: World) -> None:
    def rivals(first: int, count: int) -> None:
        world.routing.rivals = [replace(first_table(world.versions[0]), version=first + n) for n in range(count)]

    rivals(2, 9)
    assert world.ask("POST /v1/routing/promote", {"release": world.versions[1]}).status == 409
    assert len(world.routing.rivals) == 6, "three tries, and no more"
    rivals(5, 1)
    assert world.ask("POST /v1/routing/promote", {"release": world.versions[1], "based_on": 4}).status == 409
    assert world.releases.named == world.versions[0]


def test_what_cannot_be_told_is_said_and_the_change_stands(world: World) -> None:
    world.news.away = world.releases.full = True
    told = world.ok("POST /v1/routing/promote", {"release": world.versions[1]})
    assert told["roles"][0]["release"] == world.versions[1]
    assert [note.split(":")[0] for note in told["notes"]] == [
        "the release store does not name this champion yet",
        "the environments could not be told yet",
    ]
    assert world.reports == told["notes"]
    assert (world.news.version, world.releases.named) == (0, world.versions[0])


def test_a_store_that_is_away_is_unavailable_and_nothing_changes(world: World) -> None:
    world.routing.away = True
    for route in ("GET /v1/routing", "POST /v1/routing/rollback"):
        assert world.ask(route).status == 503
    assert world.news.version == 0


def test_without_a_table_or_a_release_there_is_nothing_to_show(world: World) -> None:
    world.routing.tables.clear()
    for route, body in (("GET /v1/routing", None), ("PUT /v1/routing", {}), ("POST /v1/routing/rollback", None)):
        assert "there is no routing table yet: promote a release" in world.refused(route, body, 503)

    def nobody() -> str:
        raise NoRelease("there is no release yet: train one")

    service = replace(world.service, contract=nobody)
    assert answer(event("GET /v1/routing", scope="admin"), service.show, lambda *_: None).status == 503


def test_the_first_promotion_begins_the_table(world: World) -> None:
    world.routing.tables.clear()
    told = world.ok("POST /v1/routing/promote", {"release": world.versions[1], "based_on": 0})
    assert (told["version"], told["written"], told["notes"]) == (1, 1, [])
    assert [(role["role"], role["release"], role["slots"]) for role in told["roles"]] == [
        ("champion", world.versions[1], 10_000)
    ]
    assert [(change["action"], change["client"]) for change in told["changes"]] == [("promote", "ops")]
    assert (world.news.version, world.releases.named) == (1, world.versions[1])
    assert len(bytes.fromhex(told["salt"])) == 16
    assert world.ok("POST /v1/routing/promote", {"release": world.versions[2]})["salt"] == told["salt"]


def test_two_tables_never_begin_with_the_same_salt(world: World) -> None:
    salts = set()
    for _ in range(5):
        world.routing.tables.clear()
        salts.add(world.ok("POST /v1/routing/promote", {"release": world.versions[1]})["salt"])
    assert len(salts) == 5


def test_of_two_first_promotions_one_wins(world: World) -> None:
    world.routing.tables.clear()
    world.routing.rivals = [first_table(world.versions[2])]
    answered = world.ask("POST /v1/routing/promote", {"release": world.versions[1]})
    assert (answered.status, orjson.loads(answered.body)["type"]) == (409, "urn:ebb:problem:conflict")
    assert [table.champion for table in world.routing.tables] == [world.versions[2]]


def test_a_first_promotion_is_admitted_as_any_other(world: World) -> None:
    world.routing.tables.clear()
    assert "cannot serve" in world.refused("POST /v1/routing/promote", {"release": version(9)}, 422)
    assert "no version of a release" in world.refused("POST /v1/routing/promote", {"release": "x"}, 422)
    based = {"release": world.versions[1], "based_on": 3}
    assert "at version 0 and not 3" in world.refused("POST /v1/routing/promote", based, 409)
    assert world.routing.tables == []


def test_on_a_stage_the_table_alone_says_who_serves(world: World) -> None:
    world.service = replace(world.service, champion_follows=False)
    world.releases.full = True
    told = world.ok("POST /v1/routing/promote", {"release": world.versions[1]})
    assert (told["version"], told["notes"], world.reports) == (2, [], [])
    assert (world.news.version, world.releases.named) == (2, world.versions[0])
