"""Texts, as SageMaker passes every parameter, turned into what they mean."""

import math
from collections.abc import Mapping

from ebb.errors import Misuse

_MOST_DIGITS = 9
_TRUTH = {"true": True, "false": False, "1": True, "0": False}


def amount_of(parameters: Mapping[str, str], name: str) -> float | None:
    """Return an amount, such as seconds or dollars, 0 or more; None where it was not said.

    Raises:
        Misuse: it is none.
    """
    text = parameters.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise Misuse(f"the parameter {name!r} must be a number, 0 or more")
    return value


def count_of(parameters: Mapping[str, str], name: str) -> int | None:
    """Return a whole number, 1 or more; None where it was not said.

    Raises:
        Misuse: it is none.
    """
    text = parameters.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) > 0):
        raise Misuse(f"the parameter {name!r} must be a whole number, 1 or more")
    return int(text)


def flag_of(parameters: Mapping[str, str], name: str) -> bool:
    """Return a truth; False where it was not said.

    Raises:
        Misuse: it is neither true nor false.
    """
    text = parameters.get(name, "false").strip().lower()
    if text not in _TRUTH:
        raise Misuse(f"the parameter {name!r} must be true or false")
    return _TRUTH[text]


def text_of(parameters: Mapping[str, str], name: str) -> str | None:
    """Return a text; None where it was not said or is empty."""
    return parameters.get(name, "").strip() or None
