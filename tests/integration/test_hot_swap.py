"""Releases swapped while three real environments answer, each frozen between its requests as on AWS."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ebb.folder import FolderReleases
from ebb.folder_routing import FolderRouting
from ebb.onnx import OnnxScorer
from ebb.routing.change import promoted
from ebb.routing.table import Change
from ebb.valkey.features import ValkeyFeatures
from lambdas.predict.variant import VariantLoader
from tests.fakes.releases import tiny_release
from tests.home import Home
from tests.integration.swapping import (
    OK,
    Answered,
    Callers,
    broken_release,
    by_environment,
    logs,
    long_release,
    until,
    write_releases,
)

ENVIRONMENTS = 3
EXAMPLES = 20_000
CHANGE = Change(0.0, "tests", "promote")
VALKEY_GIVEN_UP = b"breaker_valkey_open"
FLUSHED_AFTER = 100
"""Requests after which an environment tells its metrics."""


class Swapped:
    """A local cloud with four releases, and whoever may swap them."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.one, self.two, self.long, self.broken = write_releases(
            home.folder, [tiny_release(0.0), tiny_release(1.0), long_release(2.0, EXAMPLES), broken_release(3.0)]
        )
        home.ok("up", "--port", "0", "--environments", str(ENVIRONMENTS), "--freeze", "--detach")
        admin = home.ok("token", "--client", "admin", "--scope", "admin").strip()
        headers = {"authorization": f"Bearer {admin}"}
        self.admin = httpx.Client(base_url=home.state.url, headers=headers, timeout=60)
        self.predict = home.ok("token", "--client", "me", "--scope", "predict").strip()
        self.routing = FolderRouting(home.state_home / "routing")

    def callers(self) -> Callers:
        return Callers(self.home.state.url, self.predict)

    def change(self, action: str, **body: str) -> Any:
        answered = self.admin.post(f"/v1/routing/{action}", json=body)
        assert answered.status_code == OK, answered.text
        return answered.json()

    def champion(self) -> str:
        table = self.routing.latest("tiny")
        assert table is not None
        return table.champion

    def settle(self, release: str) -> None:
        """Make a release the champion everywhere, with nothing left to load."""
        if self.champion() != release:
            self.change("promote", release=release)
        callers = self.callers()
        with callers.calling(2 * ENVIRONMENTS):
            until(lambda: _all_answer_by(self.home, callers, release))


def _all_answer_by(home: Home, callers: Callers, release: str) -> bool:
    found = by_environment(home, list(callers.answers))
    return len(found) == ENVIRONMENTS and all(answers and answers[-1][0].release == release for answers in found)


@pytest.fixture(scope="module")
def swapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swapped]:
    home = Home(tmp_path_factory.mktemp("swapped"))
    try:
        made = Swapped(home)
        with made.admin:
            yield made
    finally:
        assert home.ebb("down").returncode == 0


def _seconds_to_load(swapped: Swapped) -> float:
    loader = VariantLoader(FolderReleases(swapped.home.folder / "releases"), OnnxScorer)
    began = time.monotonic()
    loader.load("tiny", swapped.long)
    return time.monotonic() - began


def test_the_old_release_answers_until_the_new_one_is_loaded_which_only_requests_let_happen(swapped: Swapped) -> None:
    swapped.settle(swapped.one)
    usually, callers = _seconds_to_load(swapped), swapped.callers()
    swapped.change("promote", release=swapped.long)
    with callers.client() as client:
        assert callers.ask(client, "first").release == swapped.one
        # Frozen, the loader gets no time at all, however long nobody asks.
        idle = time.monotonic() + 3 * usually
        until(lambda: time.monotonic() > idle)
        assert callers.ask(client, "second").release == swapped.one
    with callers.calling(2 * ENVIRONMENTS):
        until(lambda: _all_answer_by(swapped.home, callers, swapped.long))
    assert {(answered.status, answered.degraded) for answered in callers.answers} == {(OK, False)}
    for answers in by_environment(swapped.home, callers.answers):
        releases = [answered.release for answered, _ in answers]
        first = releases.index(swapped.long)
        assert first > 10  # it was loaded beside the answers of the old one
        assert releases == [swapped.one] * first + [swapped.long] * (len(releases) - first)
    # Nobody waited for the load: not the slowest of them all.
    assert max(answered.seconds for answered in callers.answers) < max(0.8 * usually, 0.5)


def test_every_answer_is_of_one_table_from_its_begin_to_its_end(swapped: Swapped) -> None:
    swapped.settle(swapped.one)
    callers = swapped.callers()
    with callers.calling(2 * ENVIRONMENTS):
        for release in (swapped.two, swapped.one) * 5:
            swapped.change("promote", release=release)
            until(lambda release=release: _all_answer_by(swapped.home, callers, release))  # type: ignore[misc]
    tables = {table.version: table for table in swapped.routing.history("tiny", 1_000)}
    assert {(answered.status, answered.degraded) for answered in callers.answers} == {(OK, False)}
    seen = set()
    for answers in by_environment(swapped.home, callers.answers):
        versions = [event["routing"] for _, event in answers]
        assert versions == sorted(versions)
        assert all(tables[event["routing"]].champion == answered.release for answered, event in answers)
        seen.update(versions)
    assert len(seen) > 10


def test_a_rollback_is_in_force_with_the_next_request_of_every_environment(swapped: Swapped) -> None:
    swapped.settle(swapped.one)
    swapped.settle(swapped.two)
    callers, lengths = swapped.callers(), [len(log) for log in logs(swapped.home)]
    with callers.calling(2 * ENVIRONMENTS):
        wrong = [answered for _ in range(10) for answered in _left_and_seen(swapped, callers)]
        _let_metrics_be_told(callers)
    since = [log[length:] for log, length in zip(logs(swapped.home), lengths, strict=True)]
    # On a machine that is busy with other tests Valkey can be given up for a second: then nobody is told anything.
    assert not wrong or any(VALKEY_GIVEN_UP in log for log in since)
    assert {(answered.status, answered.degraded) for answered in callers.answers} == {(OK, False)}
    assert not any(b"refused" in log for log in since)


def _left_and_seen(swapped: Swapped, callers: Callers) -> list[Answered]:
    """Roll back once; return the answers of the release that was left, begun after everybody was told."""
    left, asked = swapped.champion(), len(callers.answers)
    until(lambda: len(callers.answers) > asked + 5 * ENVIRONMENTS)
    told = not swapped.change("rollback")["notes"]
    moment = time.monotonic()
    until(lambda: _all_answer_by(swapped.home, callers, swapped.champion()))
    return [a for a in list(callers.answers) if told and a.began > moment and a.release == left and a.prompt]


def _let_metrics_be_told(callers: Callers) -> None:
    """Wait for as many answers as let each environment flush what it counted."""
    asked = len(callers.answers)
    until(lambda: len(callers.answers) > asked + 3 * ENVIRONMENTS * FLUSHED_AFTER)


def test_a_rollback_overtakes_a_release_that_is_still_loading(swapped: Swapped) -> None:
    swapped.settle(swapped.two)
    swapped.settle(swapped.one)
    callers = swapped.callers()
    with callers.calling(2 * ENVIRONMENTS):
        swapped.change("promote", release=swapped.long)
        asked = len(callers.answers)
        until(lambda: len(callers.answers) > asked + 5 * ENVIRONMENTS)
        version = swapped.change("rollback")["version"]
        moment = time.monotonic()
        until(lambda: _taken_everywhere(swapped.home, callers, version))
    after = [answered for answered in callers.answers if answered.began > moment and answered.prompt]
    assert {answered.release for answered in after} <= {swapped.one}
    assert {(answered.status, answered.degraded) for answered in callers.answers} == {(OK, False)}


def test_a_release_that_answers_its_golden_examples_differently_never_serves(swapped: Swapped) -> None:
    swapped.settle(swapped.one)
    refused = swapped.admin.post("/v1/routing/promote", json={"release": swapped.broken})
    assert refused.status_code == 422
    assert "golden examples" in refused.json()["detail"]
    # Behind the routes' back, as a release that breaks after it was admitted.
    table = swapped.routing.latest("tiny")
    assert table is not None
    broken = promoted(table, swapped.broken, CHANGE)
    lengths = [len(log) for log in logs(swapped.home)]
    swapped.routing.append("tiny", broken)
    fast = ValkeyFeatures("127.0.0.1", swapped.home.state.ports.valkey, timeout=2.0)
    fast.announce_routing(broken.version)
    callers = swapped.callers()
    with callers.calling(2 * ENVIRONMENTS):
        until(lambda: _refused_everywhere(swapped.home, lengths))
    assert {(a.status, a.degraded, a.release) for a in callers.answers} == {(OK, False, swapped.one)}
    for log, length in zip(logs(swapped.home), lengths, strict=True):
        assert b"golden examples of this release are answered differently here" in log[length:]
    # The way out of it is a rollback, which needs no load.
    moment = time.monotonic()
    swapped.change("rollback")
    with callers.calling(2 * ENVIRONMENTS):
        until(lambda: _taken_everywhere(swapped.home, callers, broken.version + 1))
    assert {a.release for a in callers.answers if a.began > moment} == {swapped.one}


def _refused_everywhere(home: Home, lengths: list[int]) -> bool:
    """Return whether every environment has counted a refused release in a metric since its log was so long."""
    new = [log[length:] for log, length in zip(logs(home), lengths, strict=True)]
    return all(any(b"release_refused" in line and b"_aws" in line for line in log.splitlines()) for log in new)


def _taken_everywhere(home: Home, callers: Callers, version: int) -> bool:
    found = by_environment(home, list(callers.answers))
    return all(answers and answers[-1][1]["routing"] >= version for answers in found)
