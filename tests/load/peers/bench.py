"""Measure Ebb beside other servers and write its section of `docs/benchmarks.md`: what `make bench-peers` runs."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from ebb.errors import EbbError, Unavailable
from local.terminal import TerminalProgress, console, print_table
from tests.home import ROOT, Home
from tests.load.bench import TARGET, TITLE
from tests.load.cloud_figures import prepare
from tests.load.figures import Figure, rows_of
from tests.load.memory_figures import memory_figures
from tests.load.page import put_section
from tests.load.peers.asking import answers, differing
from tests.load.peers.case import Case, case_of
from tests.load.peers.cold_start import cold_start_figures
from tests.load.peers.comparison import comparison_figures, comparison_section, shares
from tests.load.peers.ebb_path import NAME, environment_of, whole_path
from tests.load.peers.growth import feature_figures, release_figures
from tests.load.peers.handler_alone import handler_figures
from tests.load.peers.known import PEERS
from tests.load.peers.plot import draw
from tests.load.peers.remote_start import remote_start_figures
from tests.load.peers.rounds import Measured, Starts, measure
from tests.load.peers.servers import Peer, Server, may_have_own_network, running
from tests.load.reasons_figures import telco_figures, twenty_figures
from tests.load.swap_figures import swap_figures

ROWS = 20_000
DATA = ROOT.parent / "shared" / "data"
ROUNDS, SECONDS = 5, 2.5
PLOT = TARGET.with_name("benchmarks-peers.svg")
_CHECKED = 200
"""Answers of each server that are compared with the graph before it is measured."""


def peers_measured(
    home: Home, peers: list[Peer], rounds: int, seconds: float, tell: Callable[[], None]
) -> dict[str, Measured]:
    """Measure Ebb's whole path and these peers in turns.

    Raises:
        Unavailable: a server did not start, failed under load, or answers with another probability than the graph.
    """
    case = case_of(home)

    def ebb(stack: ExitStack) -> Server:
        return _checked(stack.enter_context(whole_path(home)), case)

    def start(peer: Peer) -> Starts:
        def enter(stack: ExitStack) -> Server:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ebb-peer-", ignore_cleanup_errors=True))
            return _checked(stack.enter_context(running(peer, case, Path(folder))), case)

        return enter

    starts = [(ebb, False), *((start(peer), peer.own_network) for peer in peers)]
    return {one.name: one for one in measure(case, starts, rounds, seconds, tell)}


def own_figures(home: Home, folder: Path) -> Iterator[Figure]:
    """Measure what concerns Ebb alone: handler, batch, cold start, memory, growth, reasons, swaps."""
    case = case_of(home)
    with whole_path(home):
        environment = environment_of(home)
        yield from handler_figures(environment, case.entity_ids)
        yield from cold_start_figures(environment, case.entity_ids[0])
        yield from remote_start_figures(case.model.parent)
        yield from release_figures(case, environment, folder / "copies")
    yield from feature_figures(folder)
    yield from twenty_figures()
    if DATA.is_dir():
        yield from telco_figures(DATA)
    yield from swap_figures(home, folder / "swaps")
    yield from memory_figures(home, folder / "memory")


def runnable(peers: list[Peer]) -> tuple[list[Peer], list[str]]:
    """Return the peers that can be started here, and a sentence for each that cannot."""
    if may_have_own_network():
        return peers, []
    why = "was left out: it binds more than loopback, and no network namespace can be made here without root's rights"
    able = [peer for peer in peers if not peer.own_network]
    return able, [f"{peer.name} {why}" for peer in peers if peer.own_network]


def main() -> int:
    """Measure, print, write; exit code 1 when a promise is not kept."""
    peers, left_out = runnable(list(PEERS))
    with tempfile.TemporaryDirectory(prefix="ebb-bench-") as folder:
        home = Home(Path(folder) / "home")
        home.folder.mkdir()
        try:
            prepare(home, ROWS)
            with TerminalProgress().step("Measure the servers in turns", ROUNDS * (1 + len(peers))) as done:
                measured = peers_measured(home, peers, ROUNDS, SECONDS, lambda: done(1))
            figures = comparison_figures(measured)
            with TerminalProgress().step("Measure Ebb alone", 19) as done:
                for figure in own_figures(home, Path(folder)):
                    figures.append(figure)
                    done(1)
        except EbbError as error:
            console.print(f"not measured, and the page stays as it was: {error}")
            return 1
    print_table("Figures", ["figure", "measured", "promised", "kept"], [row[:4] for row in rows_of(figures)])
    draw(list(measured.values()), shares(measured[NAME]), PLOT)
    put_section(TARGET, TITLE, "peers", comparison_section(measured, figures, left_out))
    console.print(f"Written: docs/{TARGET.name} and docs/{PLOT.name}")
    return int(any(figure.kept is False for figure in figures))


def _checked(server: Server, case: Case) -> Server:
    """Return the server when it answers with the graph's own bits."""
    requests = [server.wire.request(case, row) for row in range(_CHECKED)]
    found = answers(server.port, requests, server.roots[0] if server.own_network else 0)
    if wrong := differing(server.wire, case, found):
        raise Unavailable(f"{server.name} answered {wrong} of {_CHECKED} rows otherwise than the graph: not comparable")
    return server


if __name__ == "__main__":
    sys.exit(main())
