"""The comparison as a picture: CPU a request and requests a second, a bar a server."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ebb.synced import replaced
from tests.load.peers.ebb_path import NAME
from tests.load.peers.rounds import Measured

_OURS = ("#0b5f63", "#2f8f8d", "#6db8b2", "#a9d5cf", "#d6ebe8")
_THEIRS = "#9a9aa3"
_SEEN = 0.02
"""Parts below this share of the whole get no colour of their own in the legend."""


def draw(measured: Sequence[Measured], shares: Mapping[str, float], target: Path) -> None:
    """Draw the servers, the cheapest on top, as an SVG.

    Args:
        measured: every server.
        shares: CPU a request of Ebb's parts, microseconds; together they are the whole.
        target: the file, replaced at once.
    """
    import matplotlib as mpl  # noqa: PLC0415 - loads slowly

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "ebb"
    from matplotlib import pyplot as plt  # noqa: PLC0415

    ranked = sorted(measured, key=lambda one: one.of("cpu_us"), reverse=True)
    figure, (cpu, rate) = plt.subplots(1, 2, figsize=(11.5, 0.5 * len(ranked) + 1.6), sharey=True)
    # One server far behind the others must not squeeze them: its bar runs out of the picture.
    edge = 1.3 * sorted(one.of("cpu_us") for one in ranked)[-2:][0]
    for place, one in enumerate(ranked):
        _cpu_bar(cpu, place, one.of("cpu_us"), shares if one.name == NAME else {}, edge)
        colour = _OURS[0] if one.name == NAME else _THEIRS
        rate.barh(place + 0.19, one.of("one_core"), color=colour, height=0.36)
        rate.barh(place - 0.19, one.of("all_cores"), color=colour, height=0.36, alpha=0.5)
        longest = max(one.of("one_core"), one.of("all_cores"))
        rate.text(longest, place, f"  {one.of('one_core'):,.0f} | {one.of('all_cores'):,.0f}", va="center", fontsize=8)
    cpu.set_yticks(range(len(ranked)), [one.name.replace("`", "") for one in ranked])
    cpu.set_xlim(0, edge)
    cpu.set_title("CPU a request, all processes, microseconds", fontsize=10)
    rate.set_title("requests a second: one core | all cores, shared with the generator", fontsize=10)
    rate.margins(x=0.2)
    cpu.legend(loc="upper right", fontsize=8, frameon=False)
    for axis in (cpu, rate):
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    with replaced(target) as partial:
        figure.savefig(partial, format="svg", metadata={"Date": None})
    plt.close(figure)


def _cpu_bar(axis: Any, place: int, whole: float, shares: Mapping[str, float], edge: float) -> None:
    if not shares:
        axis.barh(place, whole, color=_THEIRS, height=0.72)
    left = 0.0
    for colour, (name, share) in zip(_OURS, shares.items(), strict=False):
        label = f"Ebb: {name}" if share >= _SEEN * whole else None
        axis.barh(place, share, left=left, color=colour, height=0.72, label=label)
        left += share
    inside = whole < edge * 0.9
    text, align = (f" {whole:,.0f}", "left") if inside else (f"{whole:,.0f} \u2192 ", "right")
    axis.text(whole if inside else edge, place, text, va="center", ha=align, fontsize=8)
