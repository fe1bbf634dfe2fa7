"""The suite judged directly on rows: each expectation as one of Great Expectations' own, or as PSI or KS."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from training.validation.expected import COUNTED, FIGURELESS, Expected, Kind, Verdict, fact
from training.validation.gx import judge, load

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


_MADE = frozenset({Kind.READABLE, Kind.WHOLE, Kind.MATURE, Kind.PRESENT})


def as_gx(expected: Expected, columns: Any) -> Any:
    """Return an expectation as Great Expectations has it, on a frame's columns."""
    name, kwargs = _TRANSLATED[expected.kind](expected, columns)
    if expected.kind in {Kind.PSI, Kind.KS}:
        from training.validation import drift_expectations  # noqa: PLC0415 - its classes need the library

        made = getattr(drift_expectations, name)
    else:
        made = getattr(load().expectations, name)
    return made(**kwargs, severity=expected.severity)


Translated = tuple[str, dict[str, Any]]


def _present(expected: Expected, columns: Any) -> str:
    made = fact(expected.column, "present")
    return made if made in columns else expected.column


def _all_true(name: str) -> Callable[[Expected, Any], Translated]:
    def translate(expected: Expected, _columns: Any) -> Translated:
        return "ExpectColumnValuesToBeInSet", {"column": fact(expected.column, name), "value_set": [True]}

    return translate


def _between(name: str) -> Callable[[Expected, Any], Translated]:
    def translate(expected: Expected, _columns: Any) -> Translated:
        return name, {"column": expected.column, "min_value": expected.minimum, "max_value": expected.maximum}

    return translate


def _positive(name: str) -> Callable[[Expected, Any], Translated]:
    def translate(expected: Expected, _columns: Any) -> Translated:
        column = fact(expected.column, "positive")
        return name, {"column": column, "min_value": expected.minimum, "max_value": expected.maximum}

    return translate


def _key(expected: Expected, _columns: Any) -> Translated:
    if expected.beside:
        return "ExpectCompoundColumnsToBeUnique", {"column_list": [expected.column, expected.beside]}
    return "ExpectColumnValuesToBeUnique", {"column": expected.column}


def _filled_share(expected: Expected, columns: Any) -> Translated:
    least, most = expected.minimum or 0.0, 1.0 if expected.maximum is None else expected.maximum
    bounds = {"min_value": 1.0 - most, "max_value": 1.0 - least}
    return "ExpectColumnProportionOfNonNullValuesToBeBetween", {"column": _present(expected, columns), **bounds}


def _moved(name: str) -> Callable[[Expected, Any], Translated]:
    def translate(expected: Expected, _columns: Any) -> Translated:
        if expected.bins is None:
            raise ValueError("drift is measured against bins")
        reference = {key: getattr(expected.bins, key) for key in ("counts", "edges", "categories", "groups")}
        bins = {**{key: list(value) for key, value in reference.items()}, "is_category": expected.bins.is_category}
        return name, {"column": expected.column, "maximum": expected.maximum, "rows": expected.rows, "bins": bins}

    return translate


_TRANSLATED: dict[Kind, Callable[[Expected, Any], Translated]] = {
    Kind.EXISTS: lambda expected, _columns: ("ExpectColumnToExist", {"column": expected.column}),
    Kind.READABLE: _all_true("readable"),
    Kind.PRESENT: lambda expected, columns: ("ExpectColumnValuesToNotBeNull", {"column": _present(expected, columns)}),
    Kind.FILLED: _between("ExpectColumnUniqueValueCountToBeBetween"),
    Kind.MISSING_RATE: _filled_share,
    Kind.VARIES: _between("ExpectColumnUniqueValueCountToBeBetween"),
    Kind.GROUPED: _between("ExpectColumnUniqueValueCountToBeBetween"),
    Kind.WHOLE: _all_true("whole"),
    Kind.RANGE: _between("ExpectColumnValuesToBeBetween"),
    Kind.LISTED: lambda expected, _columns: (
        "ExpectColumnValuesToBeInSet",
        {"column": expected.column, "value_set": list(expected.among)},
    ),
    Kind.KEY: _key,
    Kind.LABEL_VALUES: _between("ExpectColumnUniqueValueCountToBeBetween"),
    Kind.LABEL_POSITIVE: lambda expected, _columns: (
        "ExpectColumnDistinctValuesToContainSet",
        {"column": expected.column, "value_set": list(expected.among)},
    ),
    Kind.LABEL_RATE: _positive("ExpectColumnMeanToBeBetween"),
    Kind.CLASSES: _positive("ExpectColumnSumToBeBetween"),
    Kind.NOT_AHEAD: _between("ExpectColumnValuesToBeBetween"),
    Kind.MATURE: _all_true("mature"),
    Kind.FRESH: _between("ExpectColumnMaxToBeBetween"),
    Kind.PSI: _moved("ExpectColumnPsiToBeAtMost"),
    Kind.KS: _moved("ExpectColumnKsToBeAtMost"),
}
