"""The plots and words of the search: every trial over time, the learning curve, and what the end of it bought."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.card.axis import Axis, round_axis
from training.card.drawing import Dots, Line, plot
from training.card.wording import count, decimals, figure, known

_COMPLETE = "complete"
_FEWEST = 2
_ROOM = 3.0
"""Trials are drawn up to so many times as far above the best one as the middle one is."""
_FLAT = 0.001


def trials_over_time(search: Mapping[str, Any]) -> str:
    """Return the log loss of every complete trial by when it ended, the others as rings at the foot.

    What a part of the work came to cannot be compared with the whole. Empty where there is nothing to compare.
    """
    told = sorted((t for t in search["trials"] if known(t["at"])), key=lambda t: float(t["at"]))
    whole = [t for t in told if t["state"] == _COMPLETE and known(t["log_loss"])]
    if not whole or len(told) < _FEWEST:
        return ""
    part, losses, at = [t for t in told if t not in whole], _of(whole, "log_loss"), _of(whole, "at")
    best, middle = float(np.min(losses)), float(np.median(losses))
    y = round_axis("log loss", best, min(float(np.max(losses)), best + _ROOM * max(middle - best, _FLAT)))
    x = round_axis("seconds of search", 0.0, max(float(np.max(_of(told, "at"))), 1.0))
    reached = np.minimum.accumulate(losses)
    steps = Line(np.append(np.repeat(at, 2)[1:], x.high), np.repeat(reached, 2))
    foot = Dots(_of(part, "at"), np.full(len(part), y.low), "ring")
    return plot("Trials over time", x, y, [steps, foot, Dots(at, losses)])


def learning_curve(search: Mapping[str, Any]) -> str:
    """Return log loss by rows learned from; empty where fewer than two points are known."""
    curve = _curve(search)
    if len(curve) < _FEWEST:
        return ""
    rows, losses = _of(curve, "rows"), _of(curve, "log_loss")
    x = round_axis("rows learned from", 0.0, float(np.max(rows)))
    y: Axis = round_axis("log loss", float(np.min(losses)), float(np.max(losses)))
    return plot("Learning curve", x, y, [Line(rows, losses), Dots(rows, losses)])


def more_rows(search: Mapping[str, Any]) -> str:
    """Return what the learning curve says of more rows; empty where there is none."""
    curve = _curve(search)
    if len(curve) < _FEWEST:
        return ""
    (fewer, more), saved = curve[-2:], curve[-2]["log_loss"] - curve[-1]["log_loss"]
    step = f"from {count(fewer['rows'])} to {count(more['rows'])} rows the log loss fell by {decimals(saved, 4)}"
    if saved > _FLAT:
        return f"More rows would probably help: {step}."
    return f"More rows of the same kind would hardly help: {step}."


def last_tenth(search: Mapping[str, Any]) -> str:
    """Return what the last tenth of the search bought."""
    if not known(search["last_tenth"]):
        return "There was no budget: the shipped candidates were compared."
    saved = float(search["last_tenth"])
    bought = f"lowered the log loss by {figure(saved)}" if saved > 0 else "found nothing better"
    return f"The last tenth of the search {bought}."


def states(search: Mapping[str, Any]) -> str:
    """Return how many trials came to which end."""
    ends = {"complete": "ran to their end", "pruned": "given up early", "stopped": "stopped by the end of the budget"}
    told = [f"{count(n)} {ends.get(state, state)}" for state, n in search["states"].items() if n]
    return f"{count(len(search['trials']))} candidates were tried: {', '.join(told)}."


def _curve(search: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [point for point in search["learning_curve"] if known(point["log_loss"])]


def _of(points: Sequence[Mapping[str, Any]], key: str) -> NDArray[np.float64]:
    return np.array([point[key] for point in points], np.float64)
