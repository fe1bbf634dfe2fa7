"""The validator of metric lines refuses what CloudWatch would not read."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.emf import UNITS, problems_of, units_in, values_of

GOOD: dict[str, Any] = {
    "_aws": {
        "Timestamp": 1_800_000_000_000,
        "CloudWatchMetrics": [
            {
                "Namespace": "Ebb",
                "Dimensions": [["function"]],
                "Metrics": [{"Name": "a", "Unit": "Count"}, {"Name": "b", "Unit": "Milliseconds"}],
            }
        ],
    },
    "function": "predict",
    "a": 1,
    "b": [0.5, 2],
}
Spoil = Callable[[dict[str, Any], dict[str, Any]], object]


def test_what_is_right_passes() -> None:
    assert problems_of(GOOD) == []
    assert values_of(GOOD) == {"a": 1, "b": [0.5, 2]}
    assert units_in(GOOD) == {"a": "Count", "b": "Milliseconds"}
    assert {"Bytes", "Kilobits", "Terabytes/Second", "Count/Second", "None"} <= UNITS
    assert len(UNITS) == 27


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda line, _: line.pop("_aws"), "lacks the object _aws"),
        (lambda line, _: line["_aws"].update(Timestamp=1.5), "Timestamp is no whole number"),
        (lambda line, _: line["_aws"].update(CloudWatchMetrics=[]), "no list of directives"),
        (lambda _, directive: directive.pop("Namespace"), "a directive has the keys"),
        (lambda _, directive: directive.update(Namespace=""), "Namespace is no text"),
        (lambda _, directive: directive.update(Dimensions=[]), "Dimensions holds no set"),
        (lambda _, directive: directive.update(Dimensions=[["function", "function"]]), "names one twice"),
        (lambda _, directive: directive.update(Dimensions=[["stage"]]), "'stage' is no text member"),
        (lambda line, _: line.update(function=7), "'function' is no text member"),
        (lambda line, _: line.update(function=" "), "'function' is no text member"),
        (lambda _, directive: directive.update(Metrics=[]), "a directive has 0 metrics"),
        (lambda _, directive: directive.update(Metrics=directive["Metrics"] * 51), "a directive has 102 metrics"),
        (lambda _, directive: directive["Metrics"].append({"Name": "a"}), "a metric is told twice"),
        (lambda _, directive: directive["Metrics"].append({"Name": ""}), "a metric is defined as"),
        (lambda _, directive: directive["Metrics"][0].update(Unit="EUR"), "a has the unit 'EUR'"),
        (lambda line, _: line.pop("a"), "a is None"),
        (lambda line, _: line.update(a=True), "a is True"),
        (lambda line, _: line.update(a="1"), "a is '1'"),
        (lambda line, _: line.update(a=float("nan")), "a is nan"),
        (lambda line, _: line.update(b=[]), "neither a number nor a list of 1 to 100 numbers"),
        (lambda line, _: line.update(b=[1] * 101), "neither a number nor a list of 1 to 100 numbers"),
        (lambda line, _: line.update(b=[1, None]), "neither a number nor a list of 1 to 100 numbers"),
    ],
)
def test_what_is_wrong_is_refused(spoil: Spoil, problem: str) -> None:
    line = copy.deepcopy(GOOD)
    spoil(line, line["_aws"]["CloudWatchMetrics"][0])
    assert any(problem in found for found in problems_of(line))
