"""The suite judged on a profile: one row of figures, and each expectation as one of Great Expectations' on a figure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from training.dataset.label import same_value
from training.validation.drift import Bins, count_categories, ks, psi
from training.validation.expected import COUNTED, FIGURELESS, Expected, Kind, Verdict, fact
from training.validation.gx import judge, load
from training.validation.profile import ColumnProfile, Profile

if TYPE_CHECKING:
    import pandas as pd


def judge_profile(profile: Profile, suite: Sequence[Expected]) -> tuple[list[Verdict], list[Any]]:
    """Judge a profile.

    Returns:
        A verdict for each expectation, and Great Expectations' results, in the order of the suite.
    """
    figures = [figure(expected, profile) for expected in suite]
    frame = _frame(suite, figures)
    found = judge(frame, [_as_gx(expected) for expected in suite], "profile", examples=0)
    verdicts = [
        Verdict(expected, bool(result.success), _observed(expected, told), _example(expected, profile, told))
        for expected, result, told in zip(suite, found.results, figures, strict=True)
    ]
    return verdicts, list(found.results)


def _observed(expected: Expected, told: float | None) -> float | None:
    if told is None or expected.kind in FIGURELESS:
        return None
    return 1.0 - told if expected.kind is Kind.MISSING_RATE else told


def _frame(suite: Sequence[Expected], figures: Sequence[float | None]) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415 - takes a second

    row = {
        fact(expected.column, expected.kind.value): [np.nan if told is None else told]
        for expected, told in zip(suite, figures, strict=True)
    }
    return pd.DataFrame(row)


def _as_gx(expected: Expected) -> Any:
    expectations = load().expectations
    column = fact(expected.column, expected.kind.value)
    if expected.kind is Kind.EXISTS:
        return expectations.ExpectColumnMinToBeBetween(column=column, min_value=1, severity=expected.severity)
    if expected.kind in COUNTED:
        return expectations.ExpectColumnMaxToBeBetween(column=column, max_value=0, severity=expected.severity)
    least, most = expected.minimum, expected.maximum
    if expected.kind is Kind.LABEL_POSITIVE:
        least = 1
    if expected.kind is Kind.MISSING_RATE:
        # The filled share is what rows are judged by: the same subtraction, so that no last bit differs.
        least, most = 1.0 - (1.0 if most is None else most), 1.0 - (least or 0.0)
    return expectations.ExpectColumnMaxToBeBetween(
        column=column, min_value=least, max_value=most, severity=expected.severity
    )


def figure(expected: Expected, profile: Profile) -> float | None:
    """Return what a profile says of an expectation: rows that break it, or the figure that its bounds are for."""
    column = profile.columns.get(expected.column)
    if expected.kind is Kind.EXISTS:
        return float(column is not None)
    if column is None:
        return None
    made = _COUNTS.get(expected.kind)
    if made is not None:
        found = column.figures.get(made)
        return None if found is None else float(found)
    return _derived(expected, column, profile)


_COUNTS = {
    Kind.READABLE: "unreadable",
    Kind.WHOLE: "fractions",
    Kind.RANGE: "outside",
    Kind.NOT_AHEAD: "outside",
    Kind.FRESH: "most",
    Kind.FILLED: "filled",
    Kind.VARIES: "distinct",
    Kind.GROUPED: "distinct",
}


def _derived(expected: Expected, column: ColumnProfile, profile: Profile) -> float | None:
    present = column.figures["filled"] + column.figures["unreadable"]
    simple: dict[Kind, float | None] = {
        Kind.PRESENT: float(profile.rows - present),
        Kind.MISSING_RATE: present / profile.rows if profile.rows else None,
        Kind.KEY: profile.repeated,
        Kind.MATURE: profile.immature,
    }
    if expected.kind in simple:
        return simple[expected.kind]
    if expected.kind is Kind.LISTED:
        return _unlisted(expected, column)
    return _drift(expected, column, profile) if expected.kind in {Kind.PSI, Kind.KS} else _label(expected, column)


def _unlisted(expected: Expected, column: ColumnProfile) -> float:
    if not column.texts:
        return float(column.figures.get("outside") or 0)
    listed = {str(value) for value in expected.among}
    return float(column.figures["filled"] - sum(n for text, n in column.texts.items() if text in listed))


def _label(expected: Expected, column: ColumnProfile) -> float | None:
    counts: dict[str, int] = {}
    for text, n in column.texts.items():
        counts[same_value(text)] = counts.get(same_value(text), 0) + n
    filled = column.figures["filled"]
    match expected.kind:
        case Kind.LABEL_VALUES:
            return float(len(counts))
        case Kind.LABEL_POSITIVE:
            return float(counts.get(str(expected.among[0]), 0))
    positives = counts.get(_positive_of(expected), 0)
    if expected.kind is Kind.CLASSES:
        return float(positives)
    return positives / filled if filled else None


def _positive_of(expected: Expected) -> str:
    return str(expected.among[0]) if expected.among else ""


def _drift(expected: Expected, column: ColumnProfile, profile: Profile) -> float | None:
    if expected.bins is None:
        return None
    counts = binned(column, profile.rows, expected.bins)
    return psi(counts, expected.bins) if expected.kind is Kind.PSI else ks(counts, expected.bins)


def binned(column: ColumnProfile, rows: int, bins: Bins) -> NDArray[np.float64]:
    """Return a column's rows by the bins of the reference, [B]; what cannot be read counts as missing."""
    filled = int(column.figures["filled"])
    if bins.is_category:
        listed = {name: column.texts.get(name, 0) for name in bins.categories}
        return count_categories({**listed, "": filled - sum(listed.values())}, rows - filled, bins)
    above = np.array([filled, *column.above, 0], np.float64)
    return np.append(above[:-1] - above[1:], rows - filled)


def _example(expected: Expected, profile: Profile, told: float | None) -> str:
    if expected.personal or not told or expected.kind not in {Kind.RANGE, Kind.LISTED}:
        return ""
    column = profile.columns[expected.column]
    if not column.texts:
        return str(column.figures.get("example") or "")
    listed = {str(value) for value in expected.among}
    return next((text for text in column.texts if text not in listed), "")
