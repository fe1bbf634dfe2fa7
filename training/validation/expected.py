"""What is expected of a table, and what was found: the words that both engines share."""

from dataclasses import dataclass
from enum import StrEnum

from training.validation.drift import Bins


class Kind(StrEnum):
    """What an expectation asks; its value is what people read."""

    EXISTS = "column is there"
    READABLE = "values can be read"
    PRESENT = "nothing is missing"
    FILLED = "something is filled"
    MISSING_RATE = "missing rate"
    VARIES = "more than one value"
    GROUPED = "number of categories"
    WHOLE = "whole numbers"
    RANGE = "range"
    LISTED = "listed categories"
    KEY = "key is unique"
    LABEL_VALUES = "label has two values"
    LABEL_POSITIVE = "label holds its positive value"
    LABEL_RATE = "label rate"
    CLASSES = "rows of the rarer class"
    NOT_AHEAD = "no time in the future"
    MATURE = "label windows are closed"
    FRESH = "newest row is fresh"
    PSI = "drift (PSI)"
    KS = "drift (KS)"


COUNTED = frozenset(
    {Kind.READABLE, Kind.PRESENT, Kind.WHOLE, Kind.RANGE, Kind.LISTED, Kind.KEY, Kind.NOT_AHEAD, Kind.MATURE}
)
"""Kinds that no row may break: what is observed is the number of rows that do."""


_LAST_BITS = 1e-12

FIGURELESS = frozenset({Kind.EXISTS, Kind.FILLED, Kind.LABEL_POSITIVE})
"""Kinds that hold or do not, without a figure."""


@dataclass(frozen=True)
class Expected:
    """One expectation, whichever engine judges it.

    Attributes:
        kind: what is asked.
        column: of the table.
        severity: `critical` or `warning`, when it fails.
        minimum, maximum: inclusive bounds of what is observed, or of the values for a range; None is open.
        among: what the values must be among; of a label's figures, its positive value.
        beside: the second column of a key (the event time), or "".
        personal: whether no value may be shown.
        bins: the reference that drift is measured against.
        rows: independent rows that a threshold was made for; 0 where none was.
    """

    kind: Kind
    column: str
    severity: str
    minimum: float | None = None
    maximum: float | None = None
    among: tuple[str | float, ...] = ()
    beside: str = ""
    personal: bool = False
    bins: Bins | None = None
    rows: int = 0


@dataclass(frozen=True)
class Verdict:
    """What became of one expectation.

    Attributes:
        expected: the expectation.
        passed: whether it holds.
        observed: rows that break it, or the figure that its bounds are for; None where there is none.
        value: an example of what breaks it; never of a personal feature, and "" where there is none.
    """

    expected: Expected
    passed: bool
    observed: float | None
    value: str = ""


def filled_bounds(expected: Expected) -> tuple[float, float]:
    """Return the least and the most that the filled share may be, of an expectation of the missing rate.

    Both engines judge what is filled. A share that lies exactly on its bound holds, though one minus a quotient and
    the quotient of what is left differ in their last bits.
    """
    least, most = expected.minimum or 0.0, 1.0 if expected.maximum is None else expected.maximum
    return max(0.0, 1.0 - most - _LAST_BITS), min(1.0, 1.0 - least + _LAST_BITS)


def fact(column: str, name: str) -> str:
    """Return the name that a figure, or a column made for judging, has beside the table's own columns."""
    return f"{column} · {name}"
