"""The plots of what a release is worth: how it ranks, whether it means what it says, what it earns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.card.axis import round_axis, shares
from training.card.drawing import Band, Bars, Dots, Line, Mark, Whiskers, plot
from training.card.wording import has_interval, known
from training.evaluation.calibration import BINS

_ENDS = np.array([0.0, 1.0])
_DEEPEST = 2.0
"""A loss is drawn down to so many times the largest profit."""


def roc(metrics: Mapping[str, Any]) -> str:
    """Return the ROC curve with its band."""
    chance = Line(_ENDS, _ENDS, "plain")
    return plot("ROC curve", shares("false positives"), shares("positives found"), [chance, *_curve(metrics["roc"])])


def precision_recall(metrics: Mapping[str, Any]) -> str:
    """Return the precision-recall curve with its band, and the class rate."""
    rate = float(metrics["class_rate"])
    chance = Line(_ENDS, np.array([rate, rate]), "plain")
    x, y = shares("positives found"), shares("positives among those acted on")
    return plot("Precision-recall curve", x, y, [chance, *_curve(metrics["precision_recall"])])


def reliability(metrics: Mapping[str, Any]) -> str:
    """Return the reliability diagram: after calibration with intervals, before it as rings, bars for rows."""
    before, after = metrics["reliability"]["before"], metrics["reliability"]["after"]["bins"]
    told, came = _of(after, "mean_probability"), _of(after, "positives")
    marks: list[Mark] = [Bars(_rows_by_bin(after)), Line(_ENDS, _ENDS, "plain")]
    if before is not None:
        marks.append(Dots(_of(before["bins"], "mean_probability"), _of(before["bins"], "positives"), "ring"))
    marks += [Whiskers(told, _of(after, "low"), _of(after, "high")), Line(told, came), Dots(told, came)]
    return plot("Reliability diagram", shares("probability answered"), shares("share that was positive"), marks)


def profit(metrics: Mapping[str, Any]) -> str:
    """Return profit by threshold, with what the rivals earn and where the contract acts."""
    money, champion = metrics["money"], metrics["champion"]
    curve = money["curve"]
    earned = [y for y in curve["y"] if known(y)]
    flat = [0.0, metrics["profit_everyone"], *([] if champion is None else [champion["profit"]])]
    top = max([*earned, *(high for high in curve["high"] if known(high)), *flat])
    least = min([*earned, 0.0])
    y = round_axis(f"{money['currency']} per entity", max(least, -_DEEPEST * top) if top > 0 else least, top)
    marks: list[Mark] = []
    if has_interval(money["best_threshold"]):
        ends = np.clip([money["best_threshold"]["low"], money["best_threshold"]["high"]], 0, 1)
        marks.append(Band(ends, np.array([y.low, y.low]), np.array([y.high, y.high]), "span"))
    marks.append(Line(_ENDS, np.zeros(2), "plain"))
    marks.append(Line(_ENDS, np.full(2, metrics["profit_everyone"]), "everyone"))
    if champion is not None:
        marks.append(Line(_ENDS, np.full(2, champion["profit"]), "rival"))
    marks += _curve(curve)
    at = min(1.0, float(money["threshold"]))
    marks.append(Line(np.array([at, at]), np.array([y.low, y.high]), "mark"))
    return plot("Profit by threshold", shares("acting at and above this probability"), y, marks)


def _curve(curve: Mapping[str, Sequence[float]]) -> list[Mark]:
    x, y = np.array(curve["x"], np.float64), np.array(curve["y"], np.float64)
    band = Band(x, np.array(curve["low"], np.float64), np.array(curve["high"], np.float64))
    return [band, Line(x, y)]


def _of(bins: Sequence[Mapping[str, Any]], key: str) -> NDArray[np.float64]:
    return np.array([np.nan if b[key] is None else b[key] for b in bins], np.float64)


def _rows_by_bin(bins: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Return the share of the rows in each of the bins of equal width, [BINS]."""
    told = np.clip(_of(bins, "mean_probability"), 0, 1)
    place = np.minimum((told * BINS).astype(np.int64), BINS - 1)
    rows = np.bincount(place, _of(bins, "rows"), minlength=BINS)
    total: NDArray[np.float64] = rows / max(rows.sum(), 1.0)
    return total
