"""What is observed and what is asked, in the words of a table's cells."""

from training.validation.expected import COUNTED, FIGURELESS, Expected, Kind, Verdict
from training.validation.ranges import shown_bound
from training.validation.sentences import moment

_SHARES = frozenset({Kind.MISSING_RATE, Kind.LABEL_RATE})
_MOMENTS = frozenset({Kind.FRESH, Kind.NOT_AHEAD, Kind.MATURE})
_DRIFTS = frozenset({Kind.PSI, Kind.KS})
_LISTED = 4


def observed(verdict: Verdict) -> str:
    """Return what was observed: rows that break it, or the figure."""
    kind, told = verdict.expected.kind, verdict.observed
    if kind in FIGURELESS:
        return "yes" if verdict.passed else "no"
    if told is None:
        return "-"
    if kind in COUNTED:
        return f"{told:,.0f} rows break it" if told else "every row"
    if kind is Kind.FRESH:
        return moment(told)
    if kind in _SHARES:
        return f"{told:.2%}"
    return f"{told:.4g}" if kind in _DRIFTS else f"{told:,.0f}"


def asked(expected: Expected) -> str:
    """Return the bounds or the values that are asked for."""
    if expected.among and expected.kind in {Kind.LISTED, Kind.LABEL_POSITIVE}:
        named = ", ".join(str(value) for value in expected.among[:_LISTED])
        return named + (", ..." if len(expected.among) > _LISTED else "")
    if expected.kind in FIGURELESS:
        return "yes"
    least, most = _bound(expected, expected.minimum), _bound(expected, expected.maximum)
    if least and most:
        return least if least == most else f"{least} to {most}"
    return f"≥ {least}" if least else f"≤ {most}" if most else "every row"


def _bound(expected: Expected, bound: float | None) -> str:
    if bound is None:
        return ""
    if expected.kind in _MOMENTS:
        return moment(bound)
    if expected.kind in _SHARES:
        return f"{bound:.2%}"
    if expected.kind is Kind.RANGE:
        shown = shown_bound(bound)
        return "" if shown is None else f"{shown:.7g}"
    return f"{bound:.4g}"
