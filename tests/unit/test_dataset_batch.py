"""A batch against its contract: the good rows are those of `accept_table`, the others say which and why."""

import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.contract import Contract, Value
from ebb.errors import DataError
from ebb.features.values import Refused, accept
from tests.fakes.made_contracts import contract_of
from training.dataset import accept_table
from training.dataset.batch import (
    FUTURE,
    NO_KEY,
    NO_TIME,
    UNFIT_KEY,
    Batch,
    accept_batch,
    check_columns,
    needed_columns,
)

X = 'name = "x"; column = "X y"; kind = "number"; min = 0; max = 10; missing = true'
N = 'name = "n"; kind = "integer"'
F = 'name = "f"; kind = "flag"'
C = 'name = "c"; kind = "category"; categories = ["a", "b"]; unseen = "refuse"'
ALL = contract_of(X, N, F, C, entity="id")
GOOD: dict[str, list[Value]] = {
    "id": ["e1", "e2"],
    "X y": [1.5, None],
    "n": [3, 4],
    "f": [True, False],
    "c": ["a", "b"],
}
TIMED = contract_of('name = "x"; kind = "number"', entity="id", event_time="at")


def held(contract: Contract, columns: dict[str, object], *, first: int = 0, latest: float = 2e9) -> Batch:
    return accept_batch(contract, pa.table(columns), "t.csv", first=first, latest=latest)


def test_good_rows_are_what_training_reads() -> None:
    batch, whole = held(ALL, {**GOOD}), accept_table(ALL, pa.table(GOOD), labelled=False, source="t.csv")
    assert batch.good.all()
    assert not batch.refused
    assert np.array_equal(batch.numbers, whole.inputs.numbers, equal_nan=True)
    assert [texts.values().tolist() for texts in batch.categories] == whole.inputs.categories.T.tolist()
    assert batch.entities.values().tolist() == whole.entity_ids.tolist()
    assert batch.event_times is None


def test_texts_of_csv_are_accepted_as_typed_columns_are() -> None:
    texts: dict[str, object] = {
        "id": ["e1", "e2"], "X y": ["1.5", " "], "n": ["3", "4"], "f": ["yes", "0"], "c": ["a", "b"]
    }  # fmt: skip
    batch, typed = held(ALL, texts), held(ALL, {**GOOD})
    assert batch.good.all()
    assert np.array_equal(batch.numbers, typed.numbers, equal_nan=True)


def test_each_refused_value_names_its_row_feature_and_reason_and_never_itself() -> None:
    columns: dict[str, object] = {
        "id": ["e1", "e2", "e3", "e4"],
        "X y": ["1", "11", "secret", "2"],
        "n": ["1", "2.5", "3", ""],
        "f": ["1", "1", "1", "1"],
        "c": ["a", "a", "zebra", "a"],
    }
    batch = held(ALL, columns)
    assert batch.good.tolist() == [True, False, False, False]
    assert list(batch.refused) == [
        (1, "x", "is above the contract's maximum of 10"),
        (1, "n", "is not a whole number"),
        (2, "x", "is not a number"),
        (2, "c", "is none of the contract's categories"),
        (3, "n", "is missing, but the contract does not allow it"),
    ]
    assert not any(word in str(batch.refused) for word in ("secret", "zebra", "11"))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.none(), min_size=1, max_size=20))
def test_rows_are_refused_exactly_where_single_values_are(values: list[float | None]) -> None:
    contract = contract_of('name = "x"; kind = "integer"; min = -5; max = 5; missing = true')
    batch = held(contract, {"x": pa.array(values, pa.float64())})
    for value, good in zip(values, batch.good, strict=True):
        try:
            accept(contract.features[0], value)
        except Refused:
            assert not good
        else:
            assert good


def test_a_row_that_is_none_has_one_reason_only() -> None:
    columns: dict[str, object] = {name: [values[0], None, values[1]] for name, values in GOOD.items()}
    batch = accept_batch(ALL, pa.table(columns), "t.csv", first=10, latest=2e9, ragged={11: "has 1 cells", 99: "later"})
    assert batch.good.tolist() == [True, False, True]
    assert list(batch.refused) == [(1, "", "has 1 cells")]


def test_keys_that_are_missing_or_unfit_are_refused_and_not_repeated_aloud() -> None:
    columns: dict[str, object] = {"id": ["e1", "", "a\x07b", None, "x" * 257, "e1"], "x": [1.0] * 6}
    batch = held(contract_of('name = "x"; kind = "number"', entity="id"), columns)
    assert batch.good.tolist() == [True, False, False, False, False, True]
    assert [reason for _, _, reason in batch.refused] == [NO_KEY, UNFIT_KEY, NO_KEY, UNFIT_KEY]
    assert batch.entities.values().tolist() == ["e1", "", "", "", "", "e1"]


def test_without_a_key_the_row_of_the_whole_table_is_the_entity() -> None:
    batch = held(contract_of('name = "x"; kind = "number"'), {"x": [1.0, 2.0]}, first=8_000)
    assert batch.entities.values().tolist() == ["8001", "8002"]


@pytest.mark.parametrize(
    "times",
    [
        pa.array(["1700000000", "2023-11-14T22:13:20", "2023-11-14 22:13:20Z", "2023-11-14T23:13:20+01:00"]),
        pa.array([1_700_000_000] * 4),
        pa.array([1_700_000_000.0] * 4),
        pa.array([1_700_000_000] * 4, pa.timestamp("s")),
        pa.array([1_700_000_000_000] * 4, pa.timestamp("ms", "Europe/Berlin")),
        pa.array(["2023-11-14T22:13:20"] * 4).dictionary_encode(),
    ],
)
def test_event_times_in_every_spelling(times: pa.Array) -> None:
    batch = held(TIMED, {"id": list("abcd"), "x": [1.0] * 4, "at": times})
    assert batch.event_times is not None
    assert batch.event_times.tolist() == [1_700_000_000.0] * 4
    assert batch.good.all()


def test_event_times_that_are_none_or_not_yet_are_refused_row_by_row() -> None:
    texts = ["yesterday", "", "2023-02-30", "-5", str(time.time() + 900), "1e400", "1700000000", "2023-01-01"]
    batch = held(TIMED, {"id": list("abcdefgh"), "x": [1.0] * 8, "at": texts}, latest=time.time() + 300)
    assert batch.good.tolist() == [False] * 6 + [True] * 2
    reasons = [reason for _, feature, reason in batch.refused if feature == "at"]
    assert reasons == [NO_TIME] * 4 + [FUTURE] * 2


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({**GOOD, "n": [[1], [2]]}, "column 'n' holds list"),
        ({**GOOD, "X y": [True, False]}, "column 'X y' holds bool, but the contract says number"),
        ({**GOOD, "c": [{"a": 1}, {"a": 2}]}, "column 'c' holds struct"),
        ({**GOOD, "id": [[1], [2]]}, "the key column 'id' holds list"),
        ({name: values for name, values in GOOD.items() if name != "n"}, r"column 'n' \(the feature 'n'\) is missing"),
    ],
)
def test_what_holds_for_a_whole_column_is_told_before_any_row(columns: dict[str, object], says: str) -> None:
    with pytest.raises(DataError, match=says):
        check_columns(ALL, pa.table(columns).schema, "t.csv")


def test_every_wrong_column_is_named_at_once() -> None:
    wrong = {**GOOD, "n": [[1], [2]], "X y": [True, False]}
    with pytest.raises(DataError, match=r"(?s)'X y'.*'n'"):
        check_columns(ALL, pa.table(wrong).schema, "t.csv")


def test_an_event_time_of_a_wrong_type() -> None:
    schema = pa.table({"id": ["a"], "x": [1.0], "at": [[1]]}).schema
    with pytest.raises(DataError, match="the event-time column 'at' must hold dates"):
        check_columns(TIMED, schema, "t.csv")


def test_columns_nobody_asked_for_are_noted_and_not_read() -> None:
    schema = pa.table({**GOOD, "y": [0, 1], "colour": ["red", "red"]}).schema
    assert check_columns(ALL, schema, "t.csv") == ["1 column the contract does not mention, ignored: 'colour'"]
    assert needed_columns(ALL) == ["X y", "n", "f", "c", "id"]
    assert needed_columns(TIMED) == ["x", "id", "at"]
