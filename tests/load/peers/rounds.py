"""Servers under the same load, one at a time and in turns, round by round, so that a slow minute hits all of them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from statistics import median

from ebb.errors import Unavailable
from tests.home import ROOT
from tests.load.peers.case import Case
from tests.load.peers.generator import Load, Outcome
from tests.load.peers.process_cpu import cpu_seconds, pin
from tests.load.peers.servers import Server

CONNECTIONS = 8
_GRACE = 60.0


@dataclass(frozen=True)
class Sample:
    """One server in one round.

    Attributes:
        cpu_us: CPU a request of all its processes, held to one core.
        cpu_us_free: the same on all cores.
        one_core: requests a second of the server on one core, the generator on another.
        all_cores: requests a second on all cores, which the generator shares.
        p50_ms, p99_ms: of the answers on one core, under full load.
        parts_us: `cpu_us` by the server's parts, where it has any.
    """

    cpu_us: float
    cpu_us_free: float
    one_core: float
    all_cores: float
    p50_ms: float
    p99_ms: float
    parts_us: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """One server over all rounds.

    Attributes:
        name: the server's.
        samples: a round each.
    """

    name: str
    samples: tuple[Sample, ...]

    def of(self, field: str) -> float:
        """Return a field's median over the rounds."""
        return median(self.all_of(field))

    def part(self, name: str) -> float:
        """Return a part's CPU a request, microseconds, the median over the rounds."""
        return median(sample.parts_us[name] for sample in self.samples)

    def all_of(self, field: str) -> list[float]:
        """Return a field of every round."""
        return [getattr(sample, field) for sample in self.samples]


Starts = Callable[[ExitStack], Server]
"""Enters a running server into a stack that ends it."""


def measure(
    case: Case, starts: Sequence[tuple[Starts, bool]], rounds: int, seconds: float, tell: Callable[[], None]
) -> Iterator[Measured]:
    """Measure servers in turns.

    Args:
        case: what they are asked.
        starts: each with whether it may only run while it is measured.
        rounds: how often each is measured; the order turns round with each.
        seconds: of each load; there are two a server and round, warmed before.
        tell: called after each sample.

    Raises:
        Unavailable: a server does not start, or answered anything but 200.
    """
    found: dict[str, list[Sample]] = {}
    with ExitStack() as stack:
        steady = {number: start(stack) for number, (start, alone) in enumerate(starts) if not alone}
        for turn in range(rounds):
            order = range(len(starts)) if turn % 2 == 0 else reversed(range(len(starts)))
            for number in order:
                with ExitStack() as passing:
                    server = steady.get(number) or starts[number][0](passing)
                    found.setdefault(server.name, []).append(_sample(server, case, seconds))
                tell()
    yield from (Measured(name, tuple(samples)) for name, samples in found.items())


def _sample(server: Server, case: Case, seconds: float) -> Sample:
    requests = [server.wire.request(case, row) for row in range(len(case.entity_ids))]
    namespace = server.roots[0] if server.own_network else 0
    first, *others = sorted(os.sched_getaffinity(0))

    def load(length: float, cores: Sequence[int]) -> tuple[Outcome, float]:
        return _loaded(server, Load(server.port, requests, CONNECTIONS, length, tuple(cores), namespace))

    pin(server.roots, {first})
    try:
        load(seconds / 3, others)
        before = _by_part(server)
        one, cpu = load(seconds, others)
        parts = {name: (spent - before[name]) * 1e6 / one.answers for name, spent in _by_part(server).items()}
    finally:
        pin(server.roots, {first, *others})
    load(seconds / 3, ())
    free, cpu_free = load(seconds, ())
    rates = one.answers / one.seconds, free.answers / free.seconds
    return Sample(cpu * 1e6, cpu_free * 1e6, *rates, one.p50_ms, one.p99_ms, parts)


def _by_part(server: Server) -> dict[str, float]:
    """Return the CPU seconds of each part so far."""
    return {name: cpu_seconds(roots) for name, roots in server.parts.items()}


def _loaded(server: Server, load: Load) -> tuple[Outcome, float]:
    """Put one load on a server; return what came of it, and CPU seconds a request of all of the server's processes."""
    command = [sys.executable, "-m", "tests.load.peers.generator"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as generator:
        assert generator.stdin is not None
        assert generator.stdout is not None
        try:
            generator.stdin.write(json.dumps(asdict(load)) + "\n")
            generator.stdin.flush()
            if generator.stdout.readline() != "ready\n":
                raise Unavailable(f"{server.name} takes no connections: its log says why")
            before = cpu_seconds(server.roots)
            generator.stdin.write("go\n")
            generator.stdin.flush()
            told = generator.stdout.readline()
            spent = cpu_seconds(server.roots) - before
        finally:
            generator.stdin.close()
            generator.wait(_GRACE)
    if not told:
        raise Unavailable(f"{server.name} stopped answering under load: its log says why")
    outcome = Outcome(**json.loads(told))
    if outcome.failed or not outcome.answers:
        raise Unavailable(f"{server.name} failed {outcome.failed} requests; the first said {outcome.complaint!r}")
    return outcome, spent / outcome.answers
