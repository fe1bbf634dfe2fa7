"""Reason codes in figures: what one explanation costs, and how often its three largest are the exact three."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import numpy as np
from numpy.typing import NDArray

from ebb.features.inputs import Inputs, encode
from ebb.ports import Scorer
from ebb.reasons import Explainer
from tests.load.exact_reasons import exact_reasons
from tests.load.figures import Figure
from tests.load.permutation_reasons import PermutationExplainer
from tests.load.reasons_cases import LARGE, SMALL, Explained, cases, telco, twenty

RECORDED_ROW_US = 15.5
"""CPU of one row through telco's champion on the machine of record, with nothing else running."""

_TOP = 3
_PASSES = 5


@dataclass(frozen=True)
class Judged:
    """Explanations of many cases.

    Attributes:
        cpu_us: of one, median over passes of the mean over all cases; everything included.
        agreement: share of cases whose three largest are the exact three, in %.
        error: mean over cases of the largest difference to an exact share, in probability.
    """

    cpu_us: float
    agreement: float
    error: float


@dataclass(frozen=True)
class _Kept:
    """A graph whose runs are kept."""

    scorer: Scorer
    runs: list[Inputs]

    def score(self, inputs: Inputs) -> NDArray[np.float32]:
        """Score, and keep what was scored."""
        self.runs.append(inputs)
        return self.scorer.score(inputs)


def telco_figures(shared_data: Path, count: int = 1_000) -> Iterator[Figure]:
    """Measure on telco's champion (promised), and on larger trees (printed)."""
    champion = telco(shared_data, SMALL)
    chosen = cases(champion, count)
    slowness = _row_us(champion, chosen) / RECORDED_ROW_US
    how = f"{count:,} customers against the typical row, the same calls as their agreement; 120 trees of 8 leaves"
    found = judge(Explainer(champion.contract, champion.scorer, champion.reference), champion, chosen)
    yield Figure("reason codes, telco: CPU", "us", found.cpu_us, 1_000, how, slowness=slowness, tolerated=1.0)
    yield _agreement("reason codes, telco", found, 90.0)
    yield _error("reason codes, telco", found)
    other = judge(PermutationExplainer(champion.contract, champion.scorer, champion.reference), champion, chosen)
    yield from _printed("permutations instead, telco", other, "antithetic, no more rows of the graph")
    large, some = telco(shared_data, LARGE), chosen[: count // 5]
    found = judge(Explainer(large.contract, large.scorer, large.reference), large, some)
    yield from _printed("reason codes, larger trees", found, f"telco, {len(some)} customers, 300 trees of 31 leaves")


def twenty_figures(count: int = 100) -> Iterator[Figure]:
    """Measure where all of 20 features differ."""
    champion = twenty()
    chosen = cases(champion, count, differ=20)
    explainer = Explainer(champion.contract, champion.scorer, champion.reference)
    found = judge(explainer, champion, chosen)
    slowness = _row_us(champion, chosen) / RECORDED_ROW_US
    how = f"{count} made entities, all 20 features differ; 120 trees of 8 leaves, 10 numbers and 10 categories"
    yield Figure("reason codes, 20 features: CPU", "us", found.cpu_us, 1_000, how, slowness=slowness, tolerated=1.0)
    how = "CPU of the whole against the graph's runs on the same coalitions alone, in turns"
    yield Figure("reason codes against their graph runs", "x", _overhead(champion, chosen), 1.75, how, tolerated=1.0)
    yield _agreement("reason codes, 20 features", found, None)
    yield _error("reason codes, 20 features", found)


def judge(explainer: Explainer, explained: Explained, chosen: list[int]) -> Judged:
    """Explain every case, time it, and compare what was timed with exact values."""
    rows = [explained.row(at) for at in chosen]
    passes = []
    for number in range(_PASSES + 1):
        began = time.process_time()
        told = [explainer.explain(row, "release") for row in rows]
        if number:  # the first one makes the designs
            passes.append((time.process_time() - began) / len(rows) * 1e6)
    hits, errors = 0, []
    for at, reasons in zip(chosen, told, strict=True):
        exact = exact_reasons(explained.model, explained.names, explained.inputs.rows([at]), explained.usual)
        largest = sorted(exact, key=lambda name: (-abs(exact[name]), name))[:_TOP]
        hits += {reason.feature for reason in reasons[:_TOP]} == set(largest)
        errors.append(max(abs(reason.contribution - exact[reason.feature]) for reason in reasons))
    return Judged(median(passes), 100 * hits / len(rows), mean(errors))


def _row_us(explained: Explained, chosen: list[int]) -> float:
    """Return the CPU microseconds of a graph run of one row."""
    inputs = [encode(explained.contract, [explained.row(at)]) for at in chosen]
    times = []
    for _ in range(_PASSES):
        began = time.process_time()
        for one in inputs:
            explained.scorer.score(one)
        times.append((time.process_time() - began) / len(inputs) * 1e6)
    return median(times)


def _overhead(explained: Explained, chosen: list[int]) -> float:
    """Return the CPU of explanations against that of their graph runs alone, taken in turns."""
    rows, kept = [explained.row(at) for at in chosen], _Kept(explained.scorer, [])
    for row in rows:
        Explainer(explained.contract, kept, explained.reference).explain(row, "release")
    explainer = Explainer(explained.contract, explained.scorer, explained.reference)
    ratios = []
    for _ in range(_PASSES):
        began = time.process_time()
        for row in rows:
            explainer.explain(row, "release")
        between = time.process_time()
        for inputs in kept.runs:
            explained.scorer.score(inputs)
        ratios.append((between - began) / (time.process_time() - between))
    return median(ratios)


def _agreement(name: str, found: Judged, promised: float | None) -> Figure:
    how = "the three largest are those of exact interventional Shapley values over all coalitions, in probability"
    return Figure(f"{name}: same three", "%", found.agreement, promised, how, at_least=True, tolerated=1.0)


def _error(name: str, found: Judged) -> Figure:
    return Figure(f"{name}: error", "probability", found.error, None, "mean over cases of the largest of a case")


def _printed(name: str, found: Judged, how: str) -> Iterator[Figure]:
    yield Figure(f"{name}: CPU", "us", found.cpu_us, None, how)
    yield _agreement(name, found, None)
    yield _error(name, found)
