"""The trial of the prediction function: every release of the newest table, loaded afresh by the loader that serves."""

import json
from pathlib import Path
from typing import Any

import pytest

from ebb.errors import RoutingError
from ebb.folder import FolderReleases
from ebb.folder_routing import FolderRouting
from ebb.http.doors import dispatch
from ebb.onnx import OnnxScorer
from ebb.release import manifest as m
from ebb.routing.table import Challenger, RoutingTable
from ebb.shift.questions import NAMED, ONE, question
from lambdas.predict.trial import Trial
from lambdas.predict.variant import VariantLoader
from tests.fakes.events import event
from tests.fakes.releases import tiny_release, version_in

SALT = "0" * 32


class World:
    """A store with releases, and the trial before it."""

    def __init__(self, folder: Path, contract: str = "tiny") -> None:
        self.releases, self.routing = FolderReleases(folder / "releases"), FolderRouting(folder / "routing")
        self.loaded: list[str] = []
        self.tidied = 0
        loader = VariantLoader(self.releases, OnnxScorer)

        def load(name: str, version: str) -> object:
            self.loaded.append(version)
            return loader.load(name, version)

        def tidy() -> None:
            self.tidied += 1

        self.trial = Trial(self.releases, self.routing, contract, load=load, tidy=tidy)

    def write(self, bias: float) -> str:
        files = tiny_release(bias)
        version = version_in(files)
        self.releases.write("tiny", version, files)
        return version

    def ask(self, key: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        told = dispatch(question(key, body), self.trial.routes(), lambda *_: None)
        return told.status, json.loads(told.body)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("contract", ["tiny", ""])
def test_no_release_yet_names_none(tmp_path: Path, contract: str) -> None:
    status, told = World(tmp_path, contract).ask(NAMED)
    assert (status, told["releases"]) == (200, [])


@pytest.mark.parametrize("contract", ["tiny", ""])
def test_without_a_table_it_is_the_champion(tmp_path: Path, contract: str) -> None:
    world = World(tmp_path, contract)
    champion = world.write(0.0)
    world.releases.set_champion("tiny", champion)
    assert world.ask(NAMED) == (200, {"contract": "tiny", "routing": 0, "releases": [champion]})


def test_the_newest_table_names_its_releases_and_each_can_be_tried(world: World) -> None:
    one, two, three = (world.write(bias) for bias in (0.0, 1.0, 2.0))
    world.routing.append("tiny", RoutingTable(1, SALT, one))
    tried, slots = (Challenger(three, 0.1),), {three: ((0, 1_000),)}
    world.routing.append("tiny", RoutingTable(2, SALT, two, one, tried, slots=slots))
    status, told = world.ask(NAMED)
    assert (status, told["routing"], set(told["releases"])) == (200, 2, {one, two, three})
    for release in told["releases"]:
        assert world.ask(ONE, {"release": release}) == (200, {"release": release, "refused": None})
    assert world.loaded == told["releases"]
    assert world.tidied == 3


def test_it_is_loaded_afresh_each_time(world: World) -> None:
    release = world.write(0.0)
    assert world.ask(ONE, {"release": release})[1]["refused"] is None
    assert world.ask(ONE, {"release": release})[1]["refused"] is None
    assert world.loaded == [release, release]


def test_an_altered_release_is_refused_with_its_reason(world: World, tmp_path: Path) -> None:
    release = world.write(0.0)
    (model,) = (tmp_path / "releases").rglob(m.MODEL)
    model.chmod(0o644)
    model.write_bytes(model.read_bytes() + b"\0")
    status, told = world.ask(ONE, {"release": release})
    assert status == 200
    assert m.MODEL in told["refused"]
    assert world.ask(ONE, {"release": "0" * 12})[1]["refused"]


def test_a_table_that_cannot_be_read_is_no_table_to_pass_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def latest(_contract: str) -> RoutingTable:
        raise RoutingError("what lies there is no table")

    monkeypatch.setattr(world.routing, "latest", latest)
    assert world.ask(NAMED)[0] == 422


@pytest.mark.parametrize("body", [None, {}, {"release": 5}, {"release": "a", "more": 1}])
def test_a_body_that_names_no_release_is_refused(world: World, body: dict[str, Any] | None) -> None:
    assert world.ask(ONE, body)[0] in {400, 422}
    assert world.loaded == []


@pytest.mark.parametrize("key", [NAMED, ONE])
def test_who_may_not_operate_may_not_try(world: World, key: str) -> None:
    asked = {**event("GET /x", scope="predict"), "routeKey": key}
    told = dispatch(asked, world.trial.routes(), lambda *_: None)
    assert told.status == 403


def test_no_gateway_can_send_these_keys() -> None:
    methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "ANY", "$default"}
    assert not {NAMED.split(" ")[0], ONE.split(" ")[0]} & methods


def test_a_store_of_several_contracts_needs_one_to_be_named(tmp_path: Path) -> None:
    world = World(tmp_path, "")
    release = world.write(0.0)
    world.releases.write("other", release, world.releases.read("tiny", release))
    assert world.ask(NAMED)[0] == 503
