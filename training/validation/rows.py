"""The suite judged directly on rows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from training.validation.expected import COUNTED, FIGURELESS, Expected, Kind, Verdict
from training.validation.gx import judge
from training.validation.translated import as_gx

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = 1


def judge_rows(frame: "pd.DataFrame", suite: Sequence[Expected]) -> tuple[list[Verdict], list[Any]]:
    """Judge a frame of `training.validation.frame`.

    Returns:
        A verdict for each expectation, and Great Expectations' results, in the order of the suite.
    """
    results: dict[int, Any] = {}
    for personal in (False, True):
        asked = [i for i, expected in enumerate(suite) if expected.personal is personal]
        if asked:
            made = [as_gx(suite[i], frame.columns) for i in asked]
            examples = 0 if personal else EXAMPLES
            found = judge(frame, made, "personal" if personal else "rows", examples=examples)
            results.update(zip(asked, found.results, strict=True))
    ordered = [results[i] for i in range(len(suite))]
    return [_verdict(expected, result, len(frame)) for expected, result in zip(suite, ordered, strict=True)], ordered


def _verdict(expected: Expected, result: Any, rows: int) -> Verdict:
    told = result.result
    if expected.kind in COUNTED:
        count = told.get("unexpected_count")
        examples = told.get("partial_unexpected_list") or [""]
        # A column made for judging holds True and False, which are no values of the table.
        value = "" if expected.kind in _MADE or examples[0] is None else str(examples[0])
        return Verdict(expected, bool(result.success), None if count is None else float(count), value)
    return Verdict(expected, bool(result.success), _figure(expected, told, rows))


def _figure(expected: Expected, told: dict[str, Any], rows: int) -> float | None:
    observed = None if expected.kind in FIGURELESS else told.get("observed_value")
    if not isinstance(observed, int | float) or isinstance(observed, bool):
        return None
    if expected.kind is Kind.MISSING_RATE:
        return 1.0 - float(observed) if rows else None
    return float(observed)


_MADE = frozenset({Kind.READABLE, Kind.WHOLE, Kind.MATURE, Kind.PRESENT, Kind.KEY})
