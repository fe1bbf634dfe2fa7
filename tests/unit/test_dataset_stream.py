"""A table read batch by batch is the table that is read at once: rows, order, types, and the same refusals."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.errors import DataError
from training.dataset.stream import Stream, count_rows, open_stream

TABLE = pa.table({"id": [f"e{i}" for i in range(1_000)], " x ": [i / 7 for i in range(1_000)], "n": range(1_000)})


def parquet(tmp_path: Path, table: pa.Table = TABLE, groups: int = 300) -> Path:
    path = tmp_path / "t.parquet"
    pq.write_table(table, path, row_group_size=groups)
    return path


def csv(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(stream: Stream, columns: list[str], size: int, skip: int = 0) -> pa.Table:
    return pa.concat_tables(list(stream.batches(columns, size, skip)))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 1_200), st.integers(0, 1_000), st.integers(1, 1_100))
def test_batches_are_the_table_from_any_row_on(tmp_path: Path, size: int, skip: int, groups: int) -> None:
    stream = open_stream(parquet(tmp_path, groups=groups))
    parts = list(stream.batches(["id", "x"], size, skip))
    assert all(part.num_rows == size for part in parts[:-1])
    assert all(part["id"].num_chunks == 1 for part in parts)
    found = [row for part in parts for row in part["id"].to_pylist()]
    assert found == TABLE["id"].to_pylist()[skip:]
    assert count_rows(stream, ["id"]) == 1_000


def test_csv_comes_as_spelled_and_from_any_row_on(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    pa_csv.write_csv(TABLE, path)
    stream = open_stream(path)
    assert stream.schema.names == ["id", "x", "n"]
    assert stream.rows is None
    assert count_rows(stream, ["x"]) == 1_000
    for skip in (0, 1, 999, 1_000):
        rows = [row for part in stream.batches(["n", "x"], 77, skip) for row in part["n"].to_pylist()]
        assert rows == [str(i) for i in range(skip, 1_000)]


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    rng, path, names = np.random.default_rng(0), tmp_path / "t.parquet", [f"n{i}" for i in range(20)]
    table = pa.table({name: rng.normal(size=100_000) for name in names})
    pq.write_table(table, path, row_group_size=5_000, compression="none")
    whole = table.nbytes
    del table
    before = pa.total_allocated_bytes()
    held = [pa.total_allocated_bytes() - before for _ in open_stream(path).batches(names, 4_000)]
    assert len(held) == 25
    assert max(held[15:]) < whole / 2
    assert max(held[15:]) <= max(held[:10]) + 1_000_000


def test_a_column_may_be_asked_for_twice(tmp_path: Path) -> None:
    assert read(open_stream(parquet(tmp_path)), ["n", "n"], 400).column_names == ["n"]


def test_a_quoted_line_break_and_a_mark_are_read_as_at_once(tmp_path: Path) -> None:
    path = csv(tmp_path, b'\xef\xbb\xbfa;b\r\n"x\ny";1\r\n\r\n;2\r\n')
    assert read(open_stream(path), ["a", "b"], 9).to_pylist() == [{"a": "x\ny", "b": "1"}, {"a": "", "b": "2"}]


def test_a_folder_is_one_table_of_the_type_that_all_agree_on(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1, 2, 3]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"x": [4.5]}), tmp_path / "b.parquet")
    stream = open_stream(tmp_path)
    assert stream.rows == 4
    assert read(stream, ["x"], 2)["x"].to_pylist() == [1.0, 2.0, 3.0, 4.5]
    assert read(stream, ["x"], 2, 3)["x"].to_pylist() == [4.5]
    pq.write_table(pa.table({"y": [4.5]}), tmp_path / "c.parquet")
    with pytest.raises(DataError, match="differ in the column"):
        open_stream(tmp_path)


def test_files_that_do_not_mix_are_refused_before_any_row(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"x": ["one"]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="do not fit together"):
        open_stream(tmp_path)


@pytest.mark.parametrize("content", ["a,b", "a,b\n", "a,b\n\n\n"])
def test_a_header_only(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match="no rows"):
        count_rows(open_stream(csv(tmp_path, content)), ["a"])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is empty"),
        ("a,a\n1,2\n", "more than one column named 'a'"),
        ('a,b\n1,2\n"3,4\n5,6\n', "a quote that is opened"),
        (b"a,b\n1,2\n\xff,4\n", "is not UTF-8: line 3, column 'a'"),
    ],
)
def test_a_broken_csv_is_refused_with_its_line(tmp_path: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(DataError, match=says):
        count_rows(open_stream(csv(tmp_path, content)), ["a"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 4), min_size=1, max_size=80), st.integers(1, 30), st.integers(0, 80))
def test_a_row_of_another_width_is_a_gap_in_its_place(tmp_path: Path, widths: list[int], size: int, skip: int) -> None:
    lines = [",".join(f"{i}.{k}" for k in range(width)) for i, width in enumerate(widths)]
    stream = open_stream(csv(tmp_path, "a,b\n\n" + "\n\n".join(lines) + "\n"))
    assert count_rows(stream, ["a"]) == len(widths)
    assert not stream.ragged
    rows = [row for part in stream.batches(["b", "a"], size, skip) for row in part.to_pylist()]
    expected = [
        {"b": f"{i}.1", "a": f"{i}.0"} if width == 2 else {"b": None, "a": None} for i, width in enumerate(widths)
    ]
    assert rows == expected[skip:]
    assert set(stream.ragged) == {i for i, width in enumerate(widths) if width != 2}
    assert all("but the header has 2 columns" in reason for reason in stream.ragged.values())


def test_gaps_are_found_over_many_blocks(tmp_path: Path) -> None:
    wide = "x" * 1_000
    text = "".join(f"{i},{wide}\n" if i % 700 else f"{i}\n" for i in range(5_000))
    stream = open_stream(csv(tmp_path, "a,b\n" + text))
    found = [row for part in stream.batches(["a"], 900) for row in part["a"].to_pylist()]
    assert found == [str(i) if i % 700 else None for i in range(5_000)]


def test_a_damaged_parquet_names_its_file(tmp_path: Path) -> None:
    path = parquet(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-4])
    with pytest.raises(DataError, match="no whole parquet file"):
        open_stream(path)
    path.write_bytes(whole[:8] + bytes(len(whole) // 2) + whole[8 + len(whole) // 2 :])
    with pytest.raises(DataError, match=r"t\.parquet"):
        read(open_stream(path), ["id", "x", "n"], 100)


def test_what_is_not_there_and_what_has_no_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        open_stream(tmp_path / "none.csv")
    with pytest.raises(DataError, match="no rows"):
        open_stream(parquet(tmp_path, TABLE.slice(0, 0)))
    with pytest.raises(DataError, match=r"holds no \.parquet file"):
        open_stream(_empty(tmp_path))


def _empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder
