"""Files become tables: delimiters, marks, numbers, text as spelled; every broken file gets one clear sentence."""

import csv
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.errors import DataError
from training.dataset import read_table
from training.dataset.csv_faults import explain
from training.dataset.wanted import CODED, Wanted


def written(tmp_path: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    rows = ["name of it|a,b"[:7] + delimiter + "n", "x" + delimiter + "1", "y" + delimiter + "2"]
    table = read_table(written(tmp_path, "\n".join(rows)))
    assert table.num_columns == 2
    assert table["n"].to_pylist() == [1, 2]


def test_a_delimiter_inside_quotes_does_not_count(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, 'a;b\n"1,2,3";x\n"4,5,6";y\n'))
    assert table["a"].to_pylist() == ["1,2,3", "4,5,6"]


def test_a_byte_order_mark_and_blanks_around_names_go_and_inner_blanks_stay(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, b"\xef\xbb\xbf Charge  Amount ,b\r\n1,2\r\n"))
    assert table.column_names == ["Charge  Amount", "b"]


def test_numbers_are_typed_and_text_stays_exactly_as_spelled(tmp_path: Path) -> None:
    table = read_table(
        written(tmp_path, "i,f,zip,hex,mixed,flag,blank\n1,1.5,02134,0x1F,1,true, \n,2e3,10001,0x2F, a ,false,2\n")
    )
    assert table["i"].to_pylist() == [1, None]
    assert table["f"].to_pylist() == [1.5, 2000.0]
    assert table["zip"].to_pylist() == ["02134", "10001"]
    assert table["hex"].to_pylist() == ["0x1F", "0x2F"]
    assert table["mixed"].to_pylist() == ["1", " a "]
    assert table["flag"].to_pylist() == ["true", "false"]
    assert table["blank"].to_pylist() == [" ", "2"]


def test_a_column_may_be_kept_as_text(tmp_path: Path) -> None:
    path = written(tmp_path, "code,n\n1.10,1\n1.1,2\n")
    assert read_table(path, Wanted(texts=["code"]))["code"].to_pylist() == ["1.10", "1.1"]


def test_a_quoted_line_break_belongs_to_its_cell(tmp_path: Path) -> None:
    assert read_table(written(tmp_path, 'a,b\n"x\ny",1\n'))["a"].to_pylist() == ["x\ny"]


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no file .*nowhere\.csv"):
        read_table(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"   \n"])
def test_an_empty_file(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match=r"table\.csv is empty"):
        read_table(written(tmp_path, content))


@pytest.mark.parametrize("content", ["a,b,y", "a,b,y\n", "a,b,y\n\n\n"])
def test_a_header_only(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match="column names but no rows"):
        read_table(written(tmp_path, content))


def test_bytes_that_are_no_utf8_name_line_and_column(tmp_path: Path) -> None:
    content = b"id,city,n\n1,Bern,1\n2,Z\xfcrich,2\n"
    with pytest.raises(DataError, match=r"not UTF-8: line 3, column 'city' holds the byte 0xfc"):
        read_table(written(tmp_path, content))


def test_a_header_that_is_no_utf8(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not UTF-8: line 1"):
        read_table(written(tmp_path, b"id,gr\xf6sse\n1,2\n"))


@pytest.mark.parametrize("header", ["a,b,a", "a, a ,b"])
def test_two_columns_of_one_name(tmp_path: Path, header: str) -> None:
    with pytest.raises(DataError, match="more than one column named 'a'"):
        read_table(written(tmp_path, header + "\n1,2,3\n"))


@pytest.mark.parametrize(("row", "cells"), [("1,2", 2), ("1,2,3,4", 4)])
def test_a_ragged_row_names_its_line_and_shows_no_cell(tmp_path: Path, row: str, cells: int) -> None:
    secret = row.replace("1", "secret")
    with pytest.raises(DataError, match=rf"line 3: this row has {cells} cells, but the header has 3") as caught:
        read_table(written(tmp_path, f"a,b,c\n1,2,3\n{secret}\n4,5,6\n"))
    assert "secret" not in str(caught.value)


def test_a_quote_that_never_ends_is_refused_without_its_text(tmp_path: Path) -> None:
    content = "a,b\n1,2\n" + '3,"secret ' + "and more\n" * 20_000
    with pytest.raises(DataError, match=r"table\.csv, line 3: a quote that is opened here is never closed") as caught:
        read_table(written(tmp_path, content))
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_lone_quote_within_a_text_is_no_fault(tmp_path: Path) -> None:
    assert read_table(written(tmp_path, 'pipe,n\n5" wide,1\nother,2\n'))["pipe"].to_pylist() == ['5" wide', "other"]


def test_what_the_second_look_does_not_find_is_told_without_the_row(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n1,2\n")
    told = str(explain(path, ",", "CSV parse error: Row #2: Expected 2 columns, got 3: secret,1,2"))
    assert told.endswith("expected 2 columns, got 3 in some row; check its quotes, or save it as parquet")
    assert "do not add up" in str(explain(path, ",", "secret"))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04rest", "Excel"),
        (b"\xff\xfea\0,\0", "UTF-16"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"a,b\n\0\0,1", "neither"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(tmp_path: Path, content: bytes, what: str) -> None:
    with pytest.raises(DataError, match=what):
        read_table(written(tmp_path, content))


def test_parquet_is_known_by_its_first_bytes_too(tmp_path: Path) -> None:
    path = tmp_path / "table.data"
    pq.write_table(pa.table({" a ": [1, 2]}), path)
    assert read_table(path).column_names == ["a"]


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.99])
def test_a_truncated_parquet(tmp_path: Path, share: float) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": list(range(10_000))}), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=r"table\.parquet is (empty|no whole parquet file)"):
        read_table(path)


def test_a_parquet_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    with pytest.raises(DataError, match="no rows"):
        read_table(path)


def test_a_folder_is_read_in_the_order_of_its_files(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [3.5], "b": ["z"]}), tmp_path / "part-2.parquet")
    pq.write_table(pa.table({"b": ["x", "y"], "a": [1, 2]}), tmp_path / "part-1.parquet")
    (tmp_path / "_SUCCESS").touch()
    table = read_table(tmp_path)
    assert table["a"].to_pylist() == [1.0, 2.0, 3.5]
    assert table["b"].to_pylist() == ["x", "y", "z"]


def test_a_folder_of_different_tables(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "one.parquet")
    pq.write_table(pa.table({"a": [1], "more": [2]}), tmp_path / "two.parquet")
    with pytest.raises(DataError, match="differ in the column 'more'"):
        read_table(tmp_path)


def test_a_folder_of_types_that_do_not_mix(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "one.parquet")
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "two.parquet")
    with pytest.raises(DataError, match="do not fit together"):
        read_table(tmp_path)


def test_a_folder_without_parquet(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no \.parquet file"):
        read_table(tmp_path)


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(cells, st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False)), min_size=1, max_size=8))
def test_csv_gives_back_what_was_written(tmp_path: Path, rows: list[tuple[str, int, float]]) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["text", "whole", "real"])
    writer.writerows((text, whole, repr(real)) for text, whole, real in rows)
    table = read_table(written(tmp_path, buffer.getvalue()), Wanted(texts=["text"]))
    assert table["text"].to_pylist() == [row[0] for row in rows]
    assert table["whole"].to_pylist() == [row[1] for row in rows]
    assert [float(value) for value in table["real"].to_pylist()] == [row[2] for row in rows]


@pytest.mark.real_data
def test_the_real_tables_are_read_from_their_raw_files(shared_data: Path) -> None:
    telco = read_table(shared_data / "telco" / "Telco-Customer-Churn.csv")
    assert (telco.num_rows, telco.num_columns) == (7_043, 21)
    assert telco["TotalCharges"].to_pylist().count(" ") == 11
    iranian = read_table(shared_data / "iranian" / "churn.csv")
    assert (iranian.num_rows, iranian.num_columns) == (3_150, 14)
    assert "Charge  Amount" in iranian.column_names


def test_only_what_is_wanted_is_read_and_repeated_texts_are_held_once(tmp_path: Path) -> None:
    table = pa.table({" plan ": ["a", "b"] * 50, "code": ["01", "2"] * 50, "n": list(range(100)), "more": ["x"] * 100})
    pq.write_table(table, tmp_path / "t.parquet")
    pa_csv.write_csv(table, tmp_path / "t.csv")
    wanted = Wanted(["plan", "n", "code"], coded=["plan"], texts=["code"])
    for name in ("t.parquet", "t.csv"):
        found = read_table(tmp_path / name, wanted)
        assert sorted(found.column_names) == ["code", "n", "plan"]
        assert found.schema.field("plan").type == CODED
        assert found["plan"].cast(pa.string()).to_pylist() == ["a", "b"] * 50
        assert found["code"].to_pylist() == ["01", "2"] * 50
        assert found["n"].to_pylist() == list(range(100))


def test_delimiters_are_told_by_rows_and_not_by_other_breaks(tmp_path: Path) -> None:
    rows = "".join(f"{i};a\u2028b, c;x\x0by\n" for i in range(50))
    table = read_table(written(tmp_path, "n, or more;text, long;more\n" + rows))
    assert table.column_names == ["n, or more", "text, long", "more"]
    assert table["text, long"].to_pylist() == ["a\u2028b, c"] * 50
