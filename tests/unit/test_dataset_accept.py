"""A table against its contract: what fits is kept exactly, what does not is named by column, row and count."""

import math

import numpy as np
import pyarrow as pa
import pytest

from ebb.contract import parse_contract
from ebb.errors import DataError
from tests.fakes.contracts import ROW, TEXT
from tests.fakes.made_contracts import contract_of
from training.dataset import Dataset, accept_table

NUMBER = 'name = "x"; kind = "number"'
MAYBE = NUMBER + "; missing = true"
FLAG = 'name = "x"; kind = "flag"'
CATEGORY = 'name = "x"; kind = "category"'


def accepted(feature: str, values: object, **more: bool) -> Dataset:
    column = values if isinstance(values, pa.Array) else pa.array(values)
    labels = ["1" if i % 2 else "0" for i in range(len(column))]
    table = pa.table({"x": column, "y": labels})
    return accept_table(contract_of(feature), table, labelled=more.get("labelled", True), source="table.csv")


def refusal(feature: str, values: object) -> str:
    with pytest.raises(DataError) as caught:
        accepted(feature, values)
    return str(caught.value)


def test_what_fits_is_kept() -> None:
    data = accepted(NUMBER, [1.5, 2.0])
    assert data.rows == 2
    assert data.inputs.numbers.dtype == np.float32
    assert data.inputs.numbers[:, 0].tolist() == [1.5, 2.0]
    assert data.labels is not None
    assert data.labels.dtype == np.int8
    assert data.labels.tolist() == [0, 1]
    assert data.entity_ids.tolist() == ["1", "2"]
    assert accepted(NUMBER, [1.5, 2.0], labelled=False).labels is None


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([1.0, math.inf], "is infinite: row 2"),
        ([1.0, -math.inf], "is infinite: row 2"),
        (["1", "inf"], "is infinite: row 2"),
        ([1.0, 1e39], r"is too large for float32: row 2, such as '1e\+39'"),
        (["1", "1e400"], "is infinite: row 2"),
        ([1.0, None], "is missing, but the contract does not allow it: row 2"),
        ([1.0, math.nan], "is missing, but the contract does not allow it: row 2"),
        (["1", " "], "is missing, but the contract does not allow it: row 2"),
        ([None, None], "is missing, but the contract does not allow it: rows 1, 2"),
        (["12", "a dozen"], "is not a number: row 2, such as 'a dozen'"),
        (["12", "1,5"], "is not a number: row 2, such as '1,5'"),
        (["12", "0x1F"], "is not a number"),
        (["12", "1_000"], "is not a number"),
        ([True, False], "is not a number: rows 1, 2"),
    ],
)
def test_numbers_that_the_contract_refuses(values: list[object], reason: str) -> None:
    with pytest.raises(DataError, match=rf"^table\.csv does not fit the contract 'small': column 'x' {reason}"):
        accepted(NUMBER, values)


@pytest.mark.parametrize(
    ("feature", "value", "reason"),
    [
        (NUMBER + "; min = 0", -1.0, "is below the contract's minimum of 0: row 2, such as '-1.0'"),
        (NUMBER + "; max = 10", 11.0, "is above the contract's maximum of 10: row 2, such as '11.0'"),
        ('name = "x"; kind = "integer"', 2.5, "is not a whole number: row 2, such as '2.5'"),
        ('name = "x"; kind = "integer"', math.inf, "is infinite: row 2"),
    ],
)
def test_ranges_and_whole_numbers(feature: str, value: float, reason: str) -> None:
    assert reason in refusal(feature, [1.0, value])


def test_two_to_the_53_plus_one_is_rounded_to_float32() -> None:
    for values in ([2**53 + 1, 5], ["9007199254740993", "5"], pa.array([2**53 + 1, 5], pa.uint64())):
        assert accepted('name = "x"; kind = "integer"', values).inputs.numbers[0, 0] == np.float32(2**53)


def test_whole_numbers_may_be_written_with_a_point() -> None:
    assert accepted('name = "x"; kind = "integer"', [5.0, 6.0]).inputs.numbers[:, 0].tolist() == [5, 6]
    assert accepted('name = "x"; kind = "integer"', ["5.0", "+6"]).inputs.numbers[:, 0].tolist() == [5, 6]


def test_blanks_and_the_usual_words_mean_a_missing_number() -> None:
    told = ["29.85", " ", "", "NaN", "NA", "n/a", "null", "None", None, " 7 "]
    numbers = accepted(MAYBE, told).inputs.numbers[:, 0]
    assert np.flatnonzero(~np.isnan(numbers)).tolist() == [0, 9]
    assert numbers[9] == 7


def test_a_column_may_be_missing_throughout_when_missing_is_allowed() -> None:
    for values in (pa.nulls(2), pa.array(["", " "]), pa.array([math.nan, None])):
        assert np.isnan(accepted(MAYBE, values).inputs.numbers).all()


@pytest.mark.parametrize(
    "values",
    [
        [True, False],
        ["true", "false"],
        ["Yes", "No"],
        ["1", "0"],
        ["1.0", "0.0"],
        [1, 0],
        [1.0, 0.0],
        ["t", "F"],
        ["Y", "n"],
        [" TRUE ", "no "],
    ],
)
def test_flags_in_many_spellings(values: list[object]) -> None:
    assert accepted(FLAG, values).inputs.numbers[:, 0].tolist() == [1, 0]


@pytest.mark.parametrize("values", [["yes", "perhaps"], [1, 2], ["1", "2"], [0.0, 0.5]])
def test_what_is_no_flag(values: list[object]) -> None:
    assert "is not true, false, 1 or 0: row 2" in refusal(FLAG, values)


def test_a_flag_may_be_missing_where_allowed() -> None:
    assert "is missing" in refusal(FLAG, ["yes", ""])
    numbers = accepted(FLAG + "; missing = true", ["yes", " ", None]).inputs.numbers[:, 0]
    assert np.isnan(numbers).tolist() == [False, True, True]


def test_categories_given_as_numbers_are_spelled_as_whole_numbers() -> None:
    for values in ([0, 1], [0.0, 1.0], pa.array([0, 1], pa.uint8())):
        assert accepted(CATEGORY, values).inputs.categories[:, 0].tolist() == ["0", "1"]
    assert accepted(CATEGORY, [0.5, 1.0]).inputs.categories[:, 0].tolist() == ["0.5", "1"]
    assert accepted(CATEGORY, [True, False]).inputs.categories[:, 0].tolist() == ["true", "false"]


def test_categories_as_parquet_dictionaries_and_bytes() -> None:
    for values in (pa.array(["b", "a", "b"]).dictionary_encode(), pa.array([b"b", b"a", b"b"])):
        assert accepted(CATEGORY, values).inputs.categories[:, 0].tolist() == ["b", "a", "b"]
    assert "bytes that are not UTF-8" in refusal(CATEGORY, pa.array([b"b", b"\xff"]))
    wrong = pa.Array.from_buffers(pa.string(), 2, pa.array([b"b", b"\xff"]).buffers())
    assert "bytes that are not UTF-8" in refusal(CATEGORY, wrong)


def test_texts_keep_their_spelling_and_blanks_are_missing() -> None:
    values = [" a", "a", "NA", "nan", "  ", None]
    data = accepted(CATEGORY + "; missing = true", values)
    assert data.inputs.categories[:, 0].tolist() == [" a", "a", "NA", "nan", "", ""]
    assert "is missing" in refusal(CATEGORY, ["a", " "])


def test_a_category_that_is_too_long_or_not_listed() -> None:
    assert "is longer than 256 characters: row 2" in refusal(CATEGORY, ["a", "x" * 300])
    assert len(refusal(CATEGORY, ["a", "x" * 300])) < 300
    listed = CATEGORY + '; categories = ["a", "b"]'
    assert "is none of the contract's categories: rows 2, 4" in refusal(
        listed + '; unseen = "refuse"', ["a", "c", "b", "d"]
    )
    notes = accepted(listed, ["a", "c", "b", "c", "d"]).notes
    assert any("column 'x': 3 rows hold 2 categories that the contract does not list" in note for note in notes)


def test_ten_thousand_categories_are_kept() -> None:
    data = accepted(CATEGORY, [f"c{i}" for i in range(10_000)])
    assert len(set(data.inputs.categories[:, 0])) == 10_000


def test_columns_that_hold_no_plain_values() -> None:
    assert "holds list" in refusal(CATEGORY, [["a"], ["b"]])
    assert "is not a number: rows 1, 2" in refusal(NUMBER, pa.array([[1], [2]]))


def test_the_value_of_a_personal_feature_is_never_shown() -> None:
    for feature, values in (
        (NUMBER, ["1", "secret"]),
        (NUMBER + "; max = 5", [1.0, 4711.25]),
        (FLAG, ["1", "secret"]),
        (CATEGORY + '; categories = ["a"]; unseen = "refuse"', ["a", "secret"]),
        ('name = "x"; kind = "integer"', [1.0, 4711.25]),
    ):
        told = refusal(feature + "; personal = true", values)
        assert "row 2" in told
        assert "secret" not in told
        assert "4711" not in told


def test_many_rows_are_counted_and_the_first_named() -> None:
    assert "rows 1, 2, 3, ... (1,200 rows), such as 'no'" in refusal(NUMBER, ["no"] * 1_200)


def test_all_refusals_stand_in_one_message_and_the_rest_is_counted() -> None:
    contract = contract_of(*(f'name = "x{i}"; kind = "number"' for i in range(14)))
    table = pa.table({f"x{i}": ["a", "b"] for i in range(14)} | {"y": ["0", "1"]})
    with pytest.raises(DataError) as caught:
        accept_table(contract, table, labelled=True, source="table.csv")
    lines = str(caught.value).splitlines()
    assert len(lines) == 12
    assert lines[-1] == "  and 4 more"


def test_chunks_make_no_difference() -> None:
    parts = [pa.array(["b", None]), pa.array(["a"]), pa.array(["b"])]
    whole = pa.array(["b", None, "a", "b"])
    feature = CATEGORY + "; missing = true"
    contract = contract_of(feature)
    chunked = pa.table({"x": pa.chunked_array(parts), "y": ["0", "1", "0", "1"]})
    data = accept_table(contract, chunked, labelled=True, source="t")
    assert data.sha256 == accepted(feature, whole).sha256
    assert data.inputs.categories[:, 0].tolist() == ["b", "", "a", "b"]


@pytest.mark.parametrize("key", ["a\nb", "x" * 257, "\ufffd"])
def test_a_key_that_no_request_could_name_is_refused(key: str) -> None:
    contract = parse_contract(TEXT)
    rows = [{"id": name, **{f.column: ROW[f.name] for f in contract.features}} for name in ("first", key)]
    with pytest.raises(DataError, match=r"holds 1 key that no request could name \(the first in row 2\)"):
        accept_table(contract, pa.Table.from_pylist(rows), labelled=False, source="t")


TIMED = parse_contract(TEXT.replace("[label]", '[event_time]\ncolumn = "seen"\n\n[label]', 1))


def _timed(seen: object) -> pa.Table:
    row = {"id": "first", **{f.column: ROW[f.name] for f in TIMED.features}}
    return pa.Table.from_pylist([row]).append_column("seen", seen if isinstance(seen, pa.Array) else pa.array([seen]))


@pytest.mark.parametrize(
    "seen",
    [
        1_700_000_000,
        1_700_000_000.0,
        "2023-11-14T22:13:20",
        pa.array([1_700_000_000], pa.timestamp("s")),
        pa.array([1_700_000_000_000], pa.timestamp("ms", "Europe/Brussels")),
    ],
)
def test_event_times_are_epoch_seconds(seen: object) -> None:
    accepted = accept_table(TIMED, _timed(seen), labelled=False, source="t")
    assert accepted.event_times is not None
    assert accepted.event_times.tolist() == [1_700_000_000.0]


def test_a_day_is_its_first_moment() -> None:
    accepted = accept_table(TIMED, _timed(pa.array([19_675], pa.date32())), labelled=False, source="t")
    assert accepted.event_times is not None
    assert accepted.event_times.tolist() == [19_675 * 86_400.0]


@pytest.mark.parametrize(("seen", "says"), [("yesterday", "must hold dates"), (None, "is missing in row 1")])
def test_a_row_without_a_readable_time_is_refused(seen: object, says: str) -> None:
    column = pa.array([seen], pa.string()) if seen else pa.array([seen], pa.timestamp("us"))
    with pytest.raises(DataError, match=says):
        accept_table(TIMED, _timed(column), labelled=False, source="t")


def test_a_missing_event_time_column_is_named() -> None:
    with pytest.raises(DataError, match="'seen' \\(the event time\\) is missing"):
        accept_table(TIMED, _timed(1).drop_columns(["seen"]), labelled=False, source="t")
