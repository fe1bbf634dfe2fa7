"""What is wrong with data that fits: too little, too much, too good to be true."""

import time

import numpy as np
import pyarrow as pa
import pytest

from ebb.errors import DataError
from tests.fakes.made_contracts import contract_of
from training.dataset import accept_table
from training.validation import CRITICAL, WARNING, Finding, raise_on_critical, validate

RANDOM = np.random.default_rng(7)
ROWS = 3_000
Y = (RANDOM.random(ROWS) < 0.3).astype(int)


def findings(feature: str, values: object, labels: object = Y, *, labelled: bool = True) -> list[Finding]:
    contract = contract_of(feature)
    table = pa.table({"x": values, "y": labels})
    return list(validate(contract, accept_table(contract, table, labelled=labelled, source="t.csv"), "t.csv"))


NUMBER = 'name = "x"; kind = "number"; missing = true'
CATEGORY = 'name = "x"; kind = "category"; missing = true'


def test_good_data_has_no_findings() -> None:
    assert findings(NUMBER, RANDOM.random(ROWS)) == []
    assert findings(CATEGORY, [f"c{i % 7}" for i in range(ROWS)]) == []


@pytest.mark.parametrize("feature", [NUMBER, CATEGORY])
def test_a_column_that_is_missing_throughout_is_critical(feature: str) -> None:
    found = findings(feature, pa.nulls(ROWS))
    assert [(f.severity, f.column, f.count) for f in found] == [(CRITICAL, "x", ROWS)]
    with pytest.raises(DataError, match="column 'x' is missing in every row: remove it from the contract"):
        raise_on_critical(found)


@pytest.mark.parametrize(("feature", "value"), [(NUMBER, 1.5), (CATEGORY, "a")])
def test_a_constant_column_is_told(feature: str, value: object) -> None:
    found = findings(feature, [value] * ROWS)
    assert [(f.severity, f.count) for f in found] == [(WARNING, ROWS)]
    assert "the same value in every row" in found[0].reason
    raise_on_critical(found)


def test_one_value_beside_gaps_is_no_constant() -> None:
    assert findings(NUMBER, [1.5 if i % 2 else None for i in range(ROWS)]) == []


def test_a_column_that_is_mostly_missing_is_told() -> None:
    found = findings(NUMBER, [float(i) if i % 20 == 0 else None for i in range(ROWS)])
    assert [f.reason for f in found] == ["is missing in 95.0% of the rows: is it worth its upkeep?"]


def test_ten_thousand_categories_are_told() -> None:
    labels = [i % 3 == 0 for i in range(20_000)]
    contract = contract_of(CATEGORY, positive="true")
    table = pa.table({"x": [f"c{i % 10_000}" for i in range(20_000)], "y": labels})
    found = list(validate(contract, accept_table(contract, table, labelled=True, source="t"), "t"))
    assert [(f.severity, f.count) for f in found] == [(WARNING, 10_000)]
    assert "10,000 categories" in found[0].reason


@pytest.mark.parametrize(("positives", "name"), [(49, "positive"), (ROWS - 10, "negative")])
def test_too_few_rows_of_a_class_are_critical(positives: int, name: str) -> None:
    labels = np.arange(ROWS) < positives
    found = findings(NUMBER, RANDOM.random(ROWS), labels.astype(int))
    assert found[0].severity == CRITICAL
    with pytest.raises(DataError, match=rf"column 'y' has only \d+ {name} rows in t\.csv, but at least 50 are needed"):
        raise_on_critical(found)


def test_a_rare_outcome_is_told() -> None:
    rows = 20_000
    found = findings(NUMBER, RANDOM.random(rows), (np.arange(rows) % 250 == 0).astype(int))
    assert [(f.severity, f.column, f.count) for f in found] == [(WARNING, "y", 80)]
    assert "positive in only 0.40% of the rows" in found[0].reason


@pytest.mark.parametrize(
    ("feature", "values"),
    [
        (NUMBER, Y * 3.0 + RANDOM.random(ROWS)),
        (NUMBER, np.where(Y == 1, np.nan, RANDOM.random(ROWS))),
        (CATEGORY, [("kept", "price")[y] for y in Y]),
        ('name = "x"; kind = "flag"', Y),
    ],
)
def test_a_leak_is_told(feature: str, values: object) -> None:
    found = findings(feature, values)
    assert any("leak?" in f.reason and f.severity == WARNING for f in found)


def test_unlabelled_data_is_judged_as_far_as_it_goes() -> None:
    assert findings(NUMBER, [1.5] * ROWS, [None] * ROWS, labelled=False)[0].severity == WARNING


def test_the_critical_stand_first_and_all_are_named() -> None:
    contract = contract_of('name = "c"; kind = "number"', NUMBER)
    table = pa.table({"c": [1.0] * 60, "x": pa.nulls(60), "y": [1] * 5 + [0] * 55})
    found = list(validate(contract, accept_table(contract, table, labelled=True, source="t"), "t"))
    assert [f.severity for f in found] == [CRITICAL, CRITICAL, WARNING]
    with pytest.raises(DataError, match=r"5 positive rows.*; column 'x' is missing in every row"):
        raise_on_critical(found)


def test_a_hundred_thousand_rows_are_judged_in_seconds() -> None:
    rows = 100_000
    names = [f"x{i}" for i in range(20)]
    contract = contract_of(*(f'name = "{name}"; kind = "number"' for name in names))
    table = pa.table({name: RANDOM.random(rows) for name in names} | {"y": (RANDOM.random(rows) < 0.3).astype(int)})
    data = accept_table(contract, table, labelled=True, source="t")
    start = time.perf_counter()
    assert list(validate(contract, data, "t")) == []
    assert time.perf_counter() - start < 10
