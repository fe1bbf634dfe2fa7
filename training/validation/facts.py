"""The suite judged on a profile: what it says of each expectation, held against the expectation's bounds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.dataset.label import same_value
from training.validation.drift import Bins, count_categories, ks, psi
from training.validation.expected import FIGURELESS, Expected, Kind, Verdict
from training.validation.judged import keep
from training.validation.profile import ColumnProfile, Profile


def judge_profile(profile: Profile, suite: Sequence[Expected]) -> list[Verdict]:
    """Judge a profile; a verdict for each expectation, in the order of the suite."""
    figures = [figure(expected, profile) for expected in suite]
    holds = keep(suite, figures)
    return [
        Verdict(expected, bool(passed), _observed(expected, told), _example(expected, profile, told))
        for expected, passed, told in zip(suite, holds, figures, strict=True)
    ]


def _observed(expected: Expected, told: float | None) -> float | None:
    if told is None or expected.kind in FIGURELESS:
        return None
    return 1.0 - told if expected.kind is Kind.MISSING_RATE else told


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
