"""Columns, labels, keys and content: what is missing, renamed, repeated, constant; what the digest depends on."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.contract import Contract, Value
from ebb.errors import DataError
from ebb.features.values import Refused, accept
from tests.fakes.made_contracts import contract_of
from training.dataset import Dataset, accept_table, read_dataset
from training.dataset.content import identical_rows
from training.dataset.event_times import read_event_times
from training.dataset.refusals import Refusals
from training.progress import Silent

X = 'name = "x"; kind = "number"; missing = true'
TWO = contract_of('name = "tenure_months"; kind = "integer"', X)


def accepted(contract: Contract, columns: dict[str, object], *, labelled: bool = True) -> Dataset:
    return accept_table(contract, pa.table(columns), labelled=labelled, source="t.csv")


def refusal(contract: Contract, columns: dict[str, object], *, labelled: bool = True) -> str:
    with pytest.raises(DataError) as caught:
        accepted(contract, columns, labelled=labelled)
    return str(caught.value)


def test_a_removed_column_is_named() -> None:
    told = refusal(TWO, {"x": [1.0, 2.0], "y": [0, 1]})
    assert told.endswith("column 'tenure_months' (the feature 'tenure_months') is missing from the table")


@pytest.mark.parametrize("name", ["TenureMonths", "tenure months", "Tenure_Month", "tenure_mths"])
def test_a_renamed_column_is_named_with_the_nearest_spelling(name: str) -> None:
    told = refusal(TWO, {"x": [1.0, 2.0], name: [1, 2], "other": [1, 2], "y": [0, 1]})
    assert f"'tenure_months') is missing from the table; it has {name!r}: was it renamed?" in told


def test_an_added_column_is_ignored_with_a_note() -> None:
    data = accepted(TWO, {"tenure_months": [1, 2], "x": [1.0, 2.0], "colour": ["a", "b"], "y": [0, 1]})
    assert "1 column the contract does not mention, ignored: 'colour'" in data.notes


def test_the_label_may_be_absent_only_when_it_is_not_needed() -> None:
    columns: dict[str, object] = {"tenure_months": [1, 2], "x": [1.0, 2.0]}
    assert "column 'y' (the label) is missing" in refusal(TWO, columns)
    assert accepted(TWO, columns, labelled=False).labels is None
    assert accepted(TWO, columns | {"y": [None, None]}, labelled=False).labels is None


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([1, 1], r"the label column 'y' is constant \('1'\): there is nothing to learn"),
        ([0, 0], r"is constant"),
        ([0, 1, 2], r"has 3 values \('0', '1', '2'\), but a yes/no outcome has two"),
        ([f"v{i}" for i in range(20)], r"has 20 values \('v0', .*, \.\.\.\)"),
        ([0, 1, None], r"is missing in row 3 \(1 in all\)"),
        ([None, None], r"is missing in rows 1, 2 \(2 in all\)"),
        (["0", " ", "1"], r"is missing in row 2"),
        (["no", "yes"], r"never holds the contract's positive value '1' \(it holds 'no', 'yes'\)"),
        ([[0], [1]], r"holds list"),
    ],
)
def test_labels_that_cannot_be_learned(labels: list[object], says: str) -> None:
    rows = len(labels)
    with pytest.raises(DataError, match=says):
        accepted(contract_of(X), {"x": [1.0] * rows, "y": labels})


@pytest.mark.parametrize(
    ("positive", "labels"),
    [
        ("1", [0, 1]),
        ("1", ["0", "1"]),
        ("1", [0.0, 1.0]),
        ("1", ["0.0", "1.0"]),
        ("1.0", [0, 1]),
        ("true", [False, True]),
        ("Yes", ["No", "Yes"]),
    ],
)
def test_labels_in_many_spellings(positive: str, labels: list[object]) -> None:
    data = accepted(contract_of(X, positive=positive), {"x": [1.0, 2.0], "y": labels})
    assert data.labels is not None
    assert data.labels.tolist() == [0, 1]


def test_keys_become_texts() -> None:
    contract = contract_of(X, entity="id")
    for keys in (["a", "b"], [7, 8]):
        data = accepted(contract, {"id": keys, "x": [1.0, 1.0], "y": [0, 1]})
        assert data.entity_ids.tolist() == [str(key) for key in keys]
        assert data.notes == ()


def test_repeated_keys_are_named_and_counted() -> None:
    contract = contract_of(X, entity="id")
    told = refusal(contract, {"id": ["a", "b", "a", "c", "b"], "x": [1.0] * 5, "y": [0, 1, 0, 1, 0]})
    assert "the key column 'id' repeats 2 keys ('a', 'b'; the first in rows 1, 3)" in told


def test_missing_keys_and_a_missing_key_column() -> None:
    contract = contract_of(X, entity="id")
    assert "the key column 'id' is missing in row 2 (1 in all)" in refusal(
        contract, {"id": ["a", " "], "x": [1.0, 1.0], "y": [0, 1]}
    )
    assert "column 'id' (the entity's key) is missing; it has 'ID'".replace("missing;", "missing from the table;") in (
        refusal(contract, {"ID": ["a", "b"], "x": [1.0, 1.0], "y": [0, 1]})
    )


def test_without_a_key_identical_rows_are_kept_and_reported() -> None:
    data = accepted(contract_of(X), {"x": [1.0, 1.0, None, None, 1.0], "y": [0, 0, 1, 1, 1]})
    assert data.rows == 5
    assert data.entity_ids.tolist() == ["1", "2", "3", "4", "5"]
    assert "identical rows kept: 2" in data.notes


@given(st.lists(st.tuples(st.sampled_from([0.0, -0.0, 1.5, float("nan")]), st.sampled_from("ab"), st.integers(0, 1))))
def test_identical_rows_are_counted_as_sets_count_them(rows: list[tuple[float, str, int]]) -> None:
    rows += [(0.0, "a", 0), (1.5, "b", 1)]
    contract = contract_of(X, 'name = "c"; kind = "category"')
    numbers, texts, labels = zip(*rows, strict=True)
    data = accepted(contract, {"x": list(numbers), "c": list(texts), "y": list(labels)})
    different = {(repr(number + 0.0), text, label) for number, text, label in rows}
    assert identical_rows(data.inputs.numbers, data.texts, data.labels) == len(rows) - len(different)


def test_the_digest_follows_the_content_and_nothing_else(tmp_path: Path) -> None:
    contract = contract_of(X, 'name = "c"; kind = "category"', entity="id")
    columns = {"id": ["a", "b"], "x": [1.5, None], "c": ["p", "q"], "y": [0, 1]}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text("c;more;x;id;y\np;1;1.5;a;0\nq;2;;b;1\n")
    first = read_dataset(tmp_path / "t.parquet", contract)
    assert first.sha256 == read_dataset(tmp_path / "t.csv", contract).sha256
    changes: list[dict[str, object]] = [
        {"id": ["a", "c"]},
        {"x": [1.5, 0.0]},
        {"c": ["p", "p"]},
        {"c": ["pq", "q"]},
        {"y": [1, 0]},
    ]
    digests = {accepted(contract, columns | change).sha256 for change in changes}
    assert len(digests | {first.sha256}) == len(changes) + 1


class Counting(Silent):
    """Remembers the steps that were shown."""

    def __init__(self) -> None:
        self.totals: list[int] = []

    def step(self, title: str, total: int) -> object:  # type: ignore[override]
        self.totals.append(total)
        return super().step(title, total)


def test_progress_is_shown_column_by_column() -> None:
    progress = Counting()
    table = pa.table({"x": [1.0, 2.0], "y": [0, 1]})
    accept_table(contract_of(X), table, labelled=True, source="t", progress=progress)  # type: ignore[arg-type]
    assert progress.totals == [1]


values = st.one_of(
    st.none(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-(2**53), 2**53).map(float),
    st.sampled_from([0.0, 1.0, -1.0, 1e39, 3.4e38]),
)


@given(st.sampled_from(["number", "integer", "flag"]), st.booleans(), st.lists(values, min_size=1, max_size=20))
def test_a_typed_column_is_judged_as_its_values_are(kind: str, missing: bool, column: list[Value]) -> None:
    limits = "" if kind == "flag" else "; min = -1e6; max = 1e30"
    contract = contract_of(f'name = "x"; kind = "{kind}"; missing = {str(missing).lower()}{limits}')
    refused = set()
    expected = []
    for row, value in enumerate(column):
        try:
            expected.append(accept(contract.features[0], value))
        except Refused as reason:
            refused.add(str(reason))
            expected.append(float(row))
    table = {"x": pa.array(column, pa.float64(), from_pandas=False)}
    if refused:
        told = refusal(contract, table, labelled=False)
        assert all(reason in told for reason in refused)
    else:
        found = accepted(contract, table, labelled=False).inputs.numbers[:, 0]
        np.testing.assert_array_equal(found, np.array(expected, np.float32))


@given(st.lists(st.one_of(st.none(), st.text(max_size=300).filter(lambda t: not t or t.strip())), min_size=1))
def test_a_text_column_is_judged_as_its_values_are(column: list[str | None]) -> None:
    contract = contract_of('name = "x"; kind = "category"; missing = true')
    try:
        expected = [accept(contract.features[0], value) for value in column]
    except Refused as reason:
        assert str(reason) in refusal(contract, {"x": pa.array(column, pa.string())}, labelled=False)
        return
    found = accepted(contract, {"x": pa.array(column, pa.string())}, labelled=False)
    assert found.inputs.categories[:, 0].tolist() == expected


def test_categories_are_kept_as_codes_too() -> None:
    contract = contract_of(X, 'name = "c"; kind = "category"; missing = true', 'name = "d"; kind = "category"')
    data = accepted(contract, {"x": [1, 2, 3], "c": ["b", "", "b"], "d": ["u", "v", "u"], "y": [0, 1, 1]})
    assert [texts.distinct.tolist() for texts in data.texts] == [["", "b"], ["", "u", "v"]]
    for i, texts in enumerate(data.texts):
        assert texts.values().tolist() == data.inputs.categories[:, i].tolist()


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["2025-01-01T00:00:00Z", "2025-01-02T00:00:00+00:00"], 1735689600.0),
        (["2025-01-01T02:00:00+02:00", "2025-01-02"], 1735689600.0),
        (["2025-01-01 00:00:00", "2025-01-01T00:00:00.5Z"], 1735689600.0),
    ],
)
@pytest.mark.parametrize("encoded", [False, True])
def test_event_times_are_read_with_a_zone_and_without(texts: list[str], first: float, *, encoded: bool) -> None:
    column = pa.chunked_array([pa.array(texts)])
    refusals = Refusals("t.csv", "any")
    times = read_event_times("at", column.dictionary_encode() if encoded else column, refusals)
    refusals.raise_if_any()
    assert times is not None
    assert times[0] == first


@pytest.mark.parametrize("texts", [["soon", "later"], ["2025-01-01", "later"]])
def test_event_times_that_are_none(texts: list[str]) -> None:
    refusals = Refusals("t.csv", "any")
    assert read_event_times("at", pa.chunked_array([pa.array(texts)]), refusals) is None
    with pytest.raises(DataError, match="event-time column 'at'"):
        refusals.raise_if_any()
