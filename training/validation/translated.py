"""Each expectation as one of Great Expectations' own, or as PSI or KS."""

from collections.abc import Callable
from typing import Any

from training.validation.expected import Expected, Kind, fact, filled_bounds
from training.validation.gx import load

Translated = tuple[str, dict[str, Any]]


def as_gx(expected: Expected, columns: Any) -> Any:
    """Return an expectation as Great Expectations has it, on a frame's columns."""
    made, kwargs = as_class(expected, columns)
    return made(**kwargs, severity=expected.severity)


def as_class(expected: Expected, columns: Any) -> tuple[Any, dict[str, Any]]:
    """Return the class of Great Expectations that asks for the same, and what it is asked with."""
    name, kwargs = _TRANSLATED[expected.kind](expected, columns)
    if expected.kind in {Kind.PSI, Kind.KS}:
        from training.validation import drift_expectations  # noqa: PLC0415 - its classes need the library

        return getattr(drift_expectations, name), kwargs
    return getattr(load().expectations, name), kwargs


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


def _key(expected: Expected, columns: Any) -> Translated:
    single = fact(expected.column, "single at its moment" if expected.beside else "single")
    if single in columns:
        return "ExpectColumnValuesToBeInSet", {"column": single, "value_set": [True]}
    if expected.beside:
        return "ExpectCompoundColumnsToBeUnique", {"column_list": [expected.column, expected.beside]}
    return "ExpectColumnValuesToBeUnique", {"column": expected.column}


def _filled_share(expected: Expected, columns: Any) -> Translated:
    least, most = filled_bounds(expected)
    asked = {"column": _present(expected, columns), "min_value": least, "max_value": most}
    return "ExpectColumnProportionOfNonNullValuesToBeBetween", asked


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
