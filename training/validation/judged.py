"""One table of figures, judged by Great Expectations: a row for each expectation of the suite, a column for each kind.

A suite of 230 columns has some 1,400 expectations, and each that Great Expectations is given costs it milliseconds. So
each kind is asked once, of all its figures together: of those with the same bounds whether they lie between them, of
others whether they keep their own bounds, which stand beside them.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.validation.expected import COUNTED, Expected, Kind, fact, filled_bounds
from training.validation.gx import judge, load

_LEAST, _MOST = "least", "most"
Columns = dict[str, NDArray[np.float64]]


def keep(suite: Sequence[Expected], figures: Sequence[float | None]) -> NDArray[np.bool_]:
    """Return which expectations hold, bool [E].

    Args:
        suite: the expectations [E].
        figures: what was observed of each, [E]; None, which keeps no bound, where nothing was.
    """
    import pandas as pd  # noqa: PLC0415 - takes a second

    columns: Columns = {}
    asked: list[tuple[list[int], Any]] = []
    for kind in dict.fromkeys(expected.kind for expected in suite):
        places = [i for i, expected in enumerate(suite) if expected.kind is kind]
        columns.update(_columns(kind, places, suite, figures))
        asked.extend((places, made) for made in _expectations(kind, [bounds(suite[i]) for i in places]))
    holds = np.ones(len(suite), bool)
    if asked:
        found = judge(pd.DataFrame(columns), [made for _, made in asked], "figures", examples=0, rows=True)
        for (places, _), result in zip(asked, found.results, strict=True):
            # What could not be asked has no list of rows, and holds nowhere.
            holds[result.result.get("unexpected_index_list", places)] = False
    return holds


def bounds(expected: Expected) -> tuple[float | None, float | None]:
    """Return the least and the most that an expectation's figure may be."""
    if expected.kind in COUNTED:
        return None, 0.0
    if expected.kind in {Kind.EXISTS, Kind.LABEL_POSITIVE}:
        return 1.0, None
    if expected.kind is Kind.MISSING_RATE:
        return filled_bounds(expected)
    return expected.minimum, expected.maximum


def _columns(kind: Kind, places: list[int], suite: Sequence[Expected], figures: Sequence[float | None]) -> Columns:
    made = {
        name: np.full(len(suite), np.nan) for name in (kind.value, fact(kind.value, _LEAST), fact(kind.value, _MOST))
    }
    for i in places:
        least, most = bounds(suite[i])
        told = figures[i]
        if told is None or math.isnan(told):
            told = -math.inf if most is None else math.inf
        made[kind.value][i] = told
        made[fact(kind.value, _LEAST)][i] = math.nan if least is None else least
        made[fact(kind.value, _MOST)][i] = math.nan if most is None else most
    return made


def _expectations(kind: Kind, asked: list[tuple[float | None, float | None]]) -> Iterator[Any]:
    expectations, (least, most) = load().expectations, asked[0]
    ordered = least is None or most is None or least <= most
    if ordered and all(bound == asked[0] for bound in asked):
        yield expectations.ExpectColumnValuesToBeBetween(column=kind.value, min_value=least, max_value=most)
        return
    for larger, smaller in ((kind.value, fact(kind.value, _LEAST)), (fact(kind.value, _MOST), kind.value)):
        yield expectations.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A=larger, column_B=smaller, or_equal=True, ignore_row_if="either_value_is_missing"
        )
