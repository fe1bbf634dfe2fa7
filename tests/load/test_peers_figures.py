"""What Ebb promises beside other servers, guarded: handler, batch, cold start, memory, the path against MLServer."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.home import Home
from tests.load.guard import guard, show
from tests.load.peers.asking import answers, differing
from tests.load.peers.case import Case, case_of
from tests.load.peers.cold_start import cold_start_figures
from tests.load.peers.comparison import comparison_figures
from tests.load.peers.ebb_path import NAME, environment_of, server_of
from tests.load.peers.growth import MEMORY_RELEASES, memory_figure, with_releases
from tests.load.peers.handler_alone import handler_figures
from tests.load.peers.known import MLSERVER, MLSERVER_PARALLEL
from tests.load.peers.remote_start import remote_start_figures
from tests.load.peers.rounds import measure
from tests.load.peers.servers import Peer, Server, running

REACHED_CPU_RATIO, REACHED_REQUESTS, NOISE = 1.8, 0.87, 1.2
"""On the machine of record; promised are 1.2 and 1."""


@pytest.fixture(scope="module")
def case(cloud: Home) -> Case:
    """The champion of the session's home, with customers that it holds."""
    return case_of(cloud)


def test_the_handler_alone_and_a_row_of_a_batch(cloud: Home, case: Case) -> None:
    figures = handler_figures(environment_of(cloud), case.entity_ids, calls=500)
    assert any(figure.name.startswith("batch") for figure in figures), "there is no batch route"
    guard(figures)


def test_a_cold_start_against_its_imports(cloud: Home, case: Case) -> None:
    guard(cold_start_figures(environment_of(cloud), case.entity_ids[0], runs=9))


def test_reading_from_s3_and_secrets_manager_is_printed(case: Case) -> None:
    figures = remote_start_figures(case.model.parent, runs=3)
    show(figures)
    assert all(figure.measured > 1 for figure in figures)


def test_five_releases_fit_into_an_environment(cloud: Home, case: Case, tmp_path: Path) -> None:
    spent = with_releases(case, environment_of(cloud), tmp_path, MEMORY_RELEASES)
    guard([memory_figure(spent)])


def test_another_four_releases_cost_an_answer_little(cloud: Home, case: Case, tmp_path: Path) -> None:
    one, five = (with_releases(case, environment_of(cloud), tmp_path / str(count), count) for count in (1, 5))
    assert min(five.handler) < 1.5 * min(one.handler)


@pytest.mark.timeout(300)
def test_the_whole_path_against_mlserver(cloud: Home, case: Case, tmp_path: Path) -> None:
    def start(peer: Peer, stack: ExitStack) -> Server:
        server = stack.enter_context(running(peer, case, tmp_path / peer.name.replace("`", "")))
        found = answers(server.port, [server.wire.request(case, row) for row in range(50)])
        assert differing(server.wire, case, found) == 0
        return server

    starts = [
        (lambda _: server_of(cloud), False),
        (lambda stack: start(MLSERVER, stack), False),
        (lambda stack: start(MLSERVER_PARALLEL, stack), False),
    ]
    measured = {one.name: one for one in measure(case, starts, 3, 2.0, lambda: None)}
    assert set(measured) == {NAME, MLSERVER.name, MLSERVER_PARALLEL.name}
    figures = comparison_figures(measured)
    show(figures)
    # Neither promise of these two is kept yet: the page says so. What was reached is not given up again.
    found = {figure.name: figure.measured for figure in figures}
    assert found["CPU a request of the whole path against MLServer"] <= REACHED_CPU_RATIO * NOISE
    assert found["requests a second on all cores against the better of MLServer's two"] >= REACHED_REQUESTS / NOISE
