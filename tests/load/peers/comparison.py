"""Every server with its promise beside it, and the section of the page that tells of them."""

import os
from collections.abc import Mapping, Sequence
from statistics import median

from tests.load.figures import Figure
from tests.load.page import figure_table, machine
from tests.load.peers.ebb_path import ENVIRONMENTS, NAME
from tests.load.peers.installed import version_of
from tests.load.peers.known import MLSERVER, MLSERVER_PARALLEL, PEERS
from tests.load.peers.rounds import CONNECTIONS, Measured

PATH_RATIO = 1.2
_NOISE = 1.15
"""Both of a ratio met the same machine, so little more than the promise is tolerated."""
GATEWAY = "gateway and executor"
_DOES = (
    "checks the token, scope and rate limit; reads features from Valkey and judges their age; routes, scores, decides"
)
_RECORDS = "; seals, chains and writes the event; counts; answers"
_FIELDS = {
    "cpu_us": "CPU a request, held to one core, us",
    "cpu_us_free": "CPU a request, all cores, us",
    "one_core": "requests a second, one core",
    "all_cores": "requests a second, all cores",
    "p50_ms": "p50, one core, ms",
    "p99_ms": "p99, one core, ms",
}


def shares(ebb: Measured) -> dict[str, float]:
    """Return CPU a request by part of Ebb's path, microseconds; what no other part is, is the gateway's process."""
    found = {name: ebb.part(name) for name in ebb.samples[0].parts_us}
    return {GATEWAY: max(0.0, ebb.of("cpu_us") - sum(found.values())), **found}


def comparison_figures(measured: Mapping[str, Measured]) -> list[Figure]:
    """Return Ebb's whole path against each peer that was measured; only MLServer's are promised."""
    ebb, rounds = measured[NAME], len(measured[NAME].samples)
    figures = []
    for peer in (peer for peer in PEERS if peer.name in measured):
        ratio = _ratio(ebb.all_of("cpu_us"), measured[peer.name].all_of("cpu_us"))
        target, how = (PATH_RATIO if peer is MLSERVER else None), f"all processes, median of {rounds} rounds' ratios"
        name = f"CPU a request of the whole path against {peer.name}"
        figures.append(Figure(name, "x", ratio, target, how, tolerated=_NOISE))
    best = max(
        (measured[peer.name] for peer in (MLSERVER, MLSERVER_PARALLEL) if peer.name in measured),
        key=lambda one: one.of("all_cores"),
        default=None,
    )
    if best is not None:
        name, how = "requests a second on all cores against the better of MLServer's two", f"the better: {best.name}"
        figures.append(
            Figure(
                name,
                "x",
                _ratio(ebb.all_of("all_cores"), best.all_of("all_cores")),
                1.0,
                how,
                at_least=True,
                tolerated=_NOISE,
            )
        )
    for name, spent in shares(ebb).items():
        figures.append(Figure(f"CPU a request of the whole path, {name}", "us", spent, None, "held to one core"))
    return figures


def comparison_section(measured: Mapping[str, Measured], figures: Sequence[Figure], left_out: Sequence[str]) -> str:
    """Return the section, in markdown.

    Args:
        measured: by name.
        figures: promised and printed, in order.
        left_out: sentences about what was not measured.
    """
    ranked = sorted(measured.values(), key=lambda one: one.of("cpu_us"))
    versions = {peer.package: version_of(peer.environment, peer.package) for peer in PEERS if peer.name in measured}
    lines = [
        "## Ebb beside model servers",
        "",
        _about(len(ranked[0].samples)),
        "",
        "![CPU a request and requests a second, by server](benchmarks-peers.svg)",
        "",
        "| server | for each request it | CPU a request | one core | all cores | p50 | p99 |",
        "|---|---|---:|---:|---:|---:|---:|",
        *(_row(one) for one in ranked),
        "",
        *(f"- {sentence}" for sentence in left_out),
        *machine({f"{name} (peer)": number for name, number in versions.items()}),
        "",
        *figure_table(figures),
        "",
        *_raw(ranked),
    ]
    return "\n".join(lines)


_ABOUT = """\
Written by `make bench-peers`. Every server scores the same rows with the same graph (30 features, ONNX Runtime, one
thread), after it was shown to answer with the same bits. One generator drives them all over {connections} keep-alive
connections in a closed loop, one server at a time, in turns, over {rounds} rounds; a figure is the median of the
rounds, with the lowest and the highest in brackets.

CPU is user and system time of *all* processes of a server, divided by its answers. *One core*: the server is held to
one core and the generator to another. *All cores*: nobody is held, and the generator shares the {cores} cores.
Latencies are those of a saturated server and say little about an idle one.

The peers get every feature with the request, and do nothing but parse, score and answer: no token, no limit, no stored
features, no record; their access logs and metrics are off. Ebb gets a name, and does everything else as well; it runs
as `ebb up --environments {environments}` starts it, under AWS's runtime client with a
[stand-in for its native half](adr/0014-a-python-stand-in-for-the-native-runtime-client.md).
What else a model server can do (batching, other frameworks, GPUs) is not compared here."""


def _about(rounds: int) -> str:
    return _ABOUT.format(connections=CONNECTIONS, rounds=rounds, cores=os.cpu_count(), environments=ENVIRONMENTS)


def _row(one: Measured) -> str:
    notes = {peer.name: f"parses, scores, answers ({peer.note})" for peer in PEERS}
    cells = [
        f"**{one.name}**" if one.name == NAME else one.name,
        notes.get(one.name, _DOES + _RECORDS),
        f"{one.of('cpu_us'):,.0f} us [{min(one.all_of('cpu_us')):,.0f}, {max(one.all_of('cpu_us')):,.0f}]",
        f"{one.of('one_core'):,.0f}/s",
        f"{one.of('all_cores'):,.0f}/s",
        f"{one.of('p50_ms'):.1f} ms",
        f"{one.of('p99_ms'):.1f} ms",
    ]
    return "| " + " | ".join(cells) + " |"


def _raw(ranked: Sequence[Measured]) -> list[str]:
    lines = ["<details><summary>Every round</summary>", "", "| server | figure | rounds |", "|---|---|---|"]
    for one in ranked:
        for field, name in _FIELDS.items():
            lines.append(f"| {one.name} | {name} | {', '.join(f'{value:,.4g}' for value in one.all_of(field))} |")
    return [*lines, "", "</details>"]


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the rounds' ratios: both of a round met the same machine."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))
