"""Figures and names as people read them; nothing known is a dash."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

NOTHING = "-"
_THOUSAND, _MILLION, _TEN_THOUSAND = 1e3, 1e6, 1e4
_LONGEST = 60


def known(value: Any) -> bool:
    """Return whether a figure was measured: neither None nor NaN nor infinite."""
    return isinstance(value, (int, float)) and math.isfinite(value)


def figure(value: float | None) -> str:
    """Return four significant digits, thousands in full, and a dash for nothing."""
    if value is None or not known(value):
        return NOTHING
    return f"{value:z,.0f}" if abs(value) >= _THOUSAND else f"{value:.4g}"


def decimals(value: float | None, places: int = 3) -> str:
    """Return a figure with so many decimals."""
    return f"{value:z,.{places}f}" if value is not None and known(value) else NOTHING


def amount(value: float | None) -> str:
    """Return an amount of money: two decimals, thousands in full."""
    if value is None or not known(value):
        return NOTHING
    return f"{value:z,.0f}" if abs(value) >= _THOUSAND else f"{value:z,.2f}"


def percent(share: float | None, places: int = 1) -> str:
    """Return a share as per cent."""
    return f"{share:z.{places}%}" if share is not None and known(share) else NOTHING


def count(number: float | None) -> str:
    """Return a number of things."""
    return f"{number:,.0f}" if number is not None and known(number) else NOTHING


def points(gap: float | None) -> str:
    """Return a difference between two shares in percentage points."""
    return f"{100 * gap:z.1f}" if gap is not None and known(gap) else NOTHING


def day(moment: float | None) -> str:
    """Return the date of a moment in epoch seconds, UTC."""
    if moment is None or not known(moment):
        return NOTHING
    try:
        return datetime.fromtimestamp(moment, UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return NOTHING


def compact(value: float) -> str:
    """Return the text of a tick: 1500000 is 1.5M."""
    if abs(value) >= _MILLION:
        return f"{value / _MILLION:g}M"
    return f"{value / _THOUSAND:g}k" if abs(value) >= _TEN_THOUSAND else f"{value:g}"


def short(text: Any, longest: int = _LONGEST) -> str:
    """Return a text in one line, cut where it is longer than people read in a table."""
    line = " ".join(str(text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def has_interval(measured: Mapping[str, Any] | None) -> bool:
    """Return whether a figure as in `metrics.json` has an interval."""
    return measured is not None and known(measured.get("low")) and known(measured.get("high"))


def model_of(chosen: Mapping[str, Any]) -> str:
    """Return a candidate in words."""
    if chosen["family"] == "logistic":
        return (
            f"logistic regression on standardised numbers and target-encoded categories, strength "
            f"{figure(chosen['strength'])}"
        )
    maker = " (LightGBM)" if chosen["family"] == "lightgbm" else ""
    return (
        f"gradient-boosted trees{maker} on target-encoded categories, {count(chosen['trees'])} trees of "
        f"{count(chosen['leaves'])} leaves, rate {figure(chosen['rate'])}"
    )
