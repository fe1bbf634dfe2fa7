"""Where a release is weak: the segments that it ranks, measures or earns worst in."""

from collections.abc import Mapping
from typing import Any

from training.card.wording import amount, decimals, has_interval, known, points

_HARDLY_RANKS = 0.6
_MOST_TOLD = 8


def weak_segments(metrics: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], str]]:
    """Return the weakest segments with what is weak there; those that cost most first, eight at most.

    Args:
        metrics: as in `metrics.json`.
    """
    currency = metrics["money"]["currency"]
    found: list[tuple[int, float, Mapping[str, Any], str]] = []
    for segment in metrics["segments"]:
        profit, off, rows = segment["profit"], segment["calibration"], segment["rows"]
        if has_interval(profit) and profit["high"] < 0:
            told = f"acting there loses {amount(-profit['value'])} {currency} per entity"
            found.append((0, profit["value"] * rows, segment, told))
        elif has_interval(off) and (off["low"] > 0 or off["high"] < 0):
            side = "high" if off["value"] > 0 else "low"
            told = f"answers are {points(abs(off['value']))} points too {side}"
            found.append((1, -abs(off["value"]) * rows, segment, told))
        elif known(segment["auc"]) and segment["auc"] < _HARDLY_RANKS:
            found.append((2, segment["auc"], segment, f"hardly ranks (AUC {decimals(segment['auc'])})"))
    found.sort(key=lambda weak: weak[:2])
    return [(segment, told) for _, _, segment, told in found[:_MOST_TOLD]]
