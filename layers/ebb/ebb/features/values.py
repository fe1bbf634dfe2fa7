"""One raw value against its feature: accepted as the graph sees it, or refused with a reason.

The reason never carries the value: it may be personal, and reasons reach logs and callers.
"""

import math

import numpy as np

from ebb.contract.model import Feature, Kind, Unseen, Value

FLOAT32_MAX = 3.4028234663852886e38
LONGEST_CATEGORY = 256
"""Characters; a longer text is no category."""

NOT_A_NUMBER = "is not a number"
NOT_AN_INTEGER = "is not a whole number"
NOT_A_FLAG = "is not true, false, 1 or 0"
NOT_A_TEXT = "is not a text"
INFINITE = "is infinite"
OVERFLOW = "is too large for float32"
ABSENT = "is missing, but the contract does not allow it"
TOO_LONG = f"is longer than {LONGEST_CATEGORY} characters"
NUL = "holds a NUL character"
UNSEEN = "is none of the contract's categories"


class Refused(ValueError):
    """A value that the contract refuses; its text is the reason."""


def below(feature: Feature) -> str:
    """Say that a value is under the range."""
    return f"is below the contract's minimum of {feature.minimum:g}"


def above(feature: Feature) -> str:
    """Say that a value is over the range."""
    return f"is above the contract's maximum of {feature.maximum:g}"


def rounded(bound: float) -> np.float32:
    """Return a bound as float32; one beyond its range becomes its largest value."""
    return np.float32(min(max(bound, -FLOAT32_MAX), FLOAT32_MAX))


def is_missing(raw: Value) -> bool:
    """Tell whether a raw value means missing: None, NaN or the empty text."""
    return raw is None or raw == "" or raw != raw  # noqa: PLR0124 - NaN alone differs from itself


def accept(feature: Feature, raw: Value) -> float | str:
    """Return the value as the graph takes it: a float, or a text; NaN or "" where missing.

    Args:
        feature: what the contract says.
        raw: the value as JSON carries it.

    Raises:
        Refused: the contract refuses the value; the text says why.
    """
    if is_missing(raw):
        if not feature.missing:
            raise Refused(ABSENT)
        return "" if feature.is_category else math.nan
    if feature.is_category:
        return _category(feature, raw)
    if feature.kind is Kind.FLAG:
        if isinstance(raw, str) or raw not in (0, 1):
            raise Refused(NOT_A_FLAG)
        return float(raw)
    return _number(feature, raw)


def _category(feature: Feature, raw: Value) -> str:
    if not isinstance(raw, str):
        raise Refused(NOT_A_TEXT)
    if len(raw) > LONGEST_CATEGORY:
        raise Refused(TOO_LONG)
    if "\0" in raw:
        raise Refused(NUL)
    if feature.unseen is Unseen.REFUSE and raw not in feature.categories:
        raise Refused(UNSEEN)
    return raw


def _number(feature: Feature, raw: Value) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise Refused(NOT_A_NUMBER)
    if not -FLOAT32_MAX <= raw <= FLOAT32_MAX:
        raise Refused(INFINITE if raw in (math.inf, -math.inf) else OVERFLOW)
    if feature.kind is Kind.INTEGER and raw != int(raw):
        raise Refused(NOT_AN_INTEGER)
    # A bound holds after rounding too: stores keep float32, and a value at its bound must come back accepted.
    if feature.minimum is not None and raw < feature.minimum and np.float32(raw) < rounded(feature.minimum):
        raise Refused(below(feature))
    if feature.maximum is not None and raw > feature.maximum and np.float32(raw) > rounded(feature.maximum):
        raise Refused(above(feature))
    return float(raw)
