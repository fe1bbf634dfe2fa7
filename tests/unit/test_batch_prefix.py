"""Folders of shards: what is written, what a second run does again, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ebb.errors import Conflict, DataError, Misuse
from ebb.release.load import LoadedRelease
from tests.fakes.batch import made_inputs, made_model, release_of, scored, table_of, write_shards
from training.batch import repeated, score_prefix, task
from training.batch.place import work_folder
from training.progress import Silent


@pytest.fixture(scope="module")
def release() -> LoadedRelease:
    return release_of(made_model())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write_shards(tmp_path / "data", [50, 0, 30, 20])
    return tmp_path / "data"


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_each_shard_is_scored_under_its_own_name(release: LoadedRelease, source: Path, tmp_path: Path) -> None:
    summary = score_prefix(release, source, tmp_path / "out", progress=Silent())
    assert names(tmp_path / "out") == names(source)
    inputs = made_inputs(100, seed=3)
    expected = {f"e-{i:06d}": p for i, p in enumerate(release.scorer.score(inputs))}
    came = scored(tmp_path / "out")
    assert dict(zip(came["id"].to_pylist(), came["probability"].to_numpy(), strict=True)) == expected
    assert (summary["rows"], summary["shards"], summary["already_scored"]) == (100, 4, 0)
    assert summary["mean_probability"] == pytest.approx(float(np.mean(list(expected.values()))))


def test_a_second_run_scores_what_is_new_or_changed_only(release: LoadedRelease, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = score_prefix(release, source, out, progress=Silent())
    written = {name: (out / name).stat().st_mtime_ns for name in names(out)}
    again = score_prefix(release, source, out, progress=Silent())
    assert again == {**first, "already_scored": 4}
    assert {name: (out / name).stat().st_mtime_ns for name in names(out)} == written
    changed, cut_off = names(source)[0], names(source)[1]
    pq.write_table(table_of(made_inputs(9), 500), source / changed)
    (out / cut_off).write_bytes((out / cut_off).read_bytes()[:-20])
    third = score_prefix(release, source, out, progress=Silent())
    assert third["already_scored"] == 2
    assert pq.read_metadata(out / changed).num_rows == 9


def test_another_release_scores_everything_again(release: LoadedRelease, source: Path, tmp_path: Path) -> None:
    score_prefix(release, source, tmp_path / "out", progress=Silent())
    other = replace(release, sha256="f" * 64)
    assert score_prefix(other, source, tmp_path / "out", progress=Silent())["already_scored"] == 0


def broken(source: Path) -> str:
    """Spoil the last shard: row 2 has no number, row 4 no key, row 5 the key of row 6."""
    path = source / names(source)[-1]
    columns = table_of(made_inputs(20), 80).to_pydict()
    columns["n1"] = ["1.5", "SECRET", *["3"] * 18]
    columns["id"][3], columns["id"][5] = None, columns["id"][4]
    pq.write_table(pa.table(columns), path)
    for name in names(source)[:-1]:
        table = pq.ParquetFile(source / name).read()
        place = table.schema.get_field_index("n1")
        pq.write_table(table.set_column(place, "n1", table["n1"].cast(pa.string())), source / name)
    return names(source)[-1]


def test_refused_rows_refuse_their_shard_with_every_reason(
    release: LoadedRelease, source: Path, tmp_path: Path
) -> None:
    last = broken(source)
    with pytest.raises(DataError) as caught:
        score_prefix(release, source, tmp_path / "out", progress=Silent())
    told = str(caught.value)
    assert f"shard {last}: column 'n1' is not a number: row 2" in told
    assert "column 'id' is missing: row 4" in told
    assert "column 'id' is the key of more than one row: rows 5, 6" in told
    assert "3 other shards are scored and stay" in told
    assert "--refused FILE" in told
    assert "SECRET" not in told
    assert names(tmp_path / "out") == names(source)[:-1]


def test_refused_rows_are_collected(release: LoadedRelease, source: Path, tmp_path: Path) -> None:
    last = broken(source)
    file = tmp_path / "refused.csv"
    summary = score_prefix(release, source, tmp_path / "out", progress=Silent(), refused=file)
    lines = file.read_text().splitlines()
    assert lines[0] == "shard,row,entity_id,feature,reason"
    assert lines[1:] == [
        f"{last},2,e-000081,n1,is not a number",
        f"{last},4,,id,is missing",
        f"{last},5,e-000084,id,is the key of more than one row",
        f"{last},6,e-000084,id,is the key of more than one row",
    ]
    assert (summary["rows"], summary["refused"]) == (96, 4)
    assert file.stat().st_mode & 0o077 == 0
    assert len(scored(tmp_path / "out")) == 96
    again = score_prefix(release, source, tmp_path / "out", progress=Silent(), refused=file)
    assert (again["already_scored"], again["refused"], file.read_text().splitlines()) == (4, 4, lines)
    with pytest.raises(DataError, match="is not a number"):
        score_prefix(release, source, tmp_path / "out", progress=Silent())


def test_a_file_of_something_else_is_not_replaced(release: LoadedRelease, source: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine\n")
    with pytest.raises(Misuse, match="holds no refused rows"):
        score_prefix(release, source, tmp_path / "out", progress=Silent(), refused=tmp_path / "mine.csv")
    with pytest.raises(Misuse, match="there is no folder"):
        score_prefix(release, source, tmp_path / "out", progress=Silent(), refused=tmp_path / "no" / "r.csv")
    with pytest.raises(Misuse, match="is a folder"):
        score_prefix(release, source, tmp_path / "out", progress=Silent(), refused=tmp_path)
    assert (tmp_path / "mine.csv").read_text() == "mine\n"


def test_every_row_refused(release: LoadedRelease, tmp_path: Path) -> None:
    table = table_of(made_inputs(5)).drop_columns("id").append_column("id", pa.nulls(5, pa.string()))
    pq.write_table(table, tmp_path / "t.parquet")
    out, file = tmp_path / "o.parquet", tmp_path / "r.csv"
    summary = score_prefix(release, tmp_path / "t.parquet", out, progress=Silent(), refused=file)
    assert (summary["rows"], summary["refused"], summary["mean_probability"]) == (0, 5, None)
    assert len(scored(out)) == 0


def test_a_csv_row_of_too_few_cells(release: LoadedRelease, tmp_path: Path) -> None:
    text = "id,n0,n1,n2,n3,c0,c1,c2\na,1,2,3,4,x,y,z\nb,1\nc,1,2,3,4,x,y,\n"
    (tmp_path / "t.csv").write_text(text)
    out, file = tmp_path / "o.csv", tmp_path / "r.csv"
    with pytest.raises(DataError, match="row 2 has 2 cells, but the header has 8 columns"):
        score_prefix(release, tmp_path / "t.csv", out, progress=Silent())
    assert not out.exists()
    summary = score_prefix(release, tmp_path / "t.csv", out, progress=Silent(), refused=file)
    assert (summary["rows"], summary["refused"]) == (2, 1)
    assert file.read_text().splitlines()[1].startswith('t.csv,2,,,"has 2 cells')


def test_repeated_keys_of_long_tables_are_not_looked_for(
    release: LoadedRelease, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeated, "MOST_KEYS", 99)
    summary = score_prefix(release, source, tmp_path / "out", progress=Silent())
    assert summary["keys_compared"] is False


def differing(kind: str, table: pa.Table) -> pa.Table:
    if kind == "names":
        return table.append_column("more", pa.nulls(table.num_rows))
    if kind == "lacking":
        return table.drop_columns("n2")
    values = pa.array(["x"] * table.num_rows)
    return table.set_column(table.schema.get_field_index("n2"), "n2", values)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("names", "differ in the column 'more': a folder must hold parts of one table"),
        ("lacking", "column 'n2' .* is missing"),
        ("texts", "differ in the column 'n2': one holds texts, the other numbers"),
    ],
)
def test_a_shard_of_another_schema(release: LoadedRelease, source: Path, tmp_path: Path, kind: str, told: str) -> None:
    path = source / names(source)[-1]
    pq.write_table(differing(kind, pq.ParquetFile(path).read()), path)
    with pytest.raises(DataError, match=told) as caught:
        score_prefix(release, source, tmp_path / "out", progress=Silent())
    assert str(path) in str(caught.value)
    assert names(tmp_path) == [f"data/{name}" for name in names(source)], "nothing was begun"


def test_shards_that_store_a_column_in_other_widths_agree(release: LoadedRelease, source: Path, tmp_path: Path) -> None:
    path = source / names(source)[-1]
    table = pq.ParquetFile(path).read()
    kinds = {"n0": pa.float32(), "c0": pa.dictionary(pa.int32(), pa.string()), "id": pa.large_string()}
    for name, kind in kinds.items():
        column = table[name].dictionary_encode() if pa.types.is_dictionary(kind) else table[name].cast(kind)
        table = table.set_column(table.schema.get_field_index(name), name, column)
    table = table.set_column(table.schema.get_field_index("c1"), "c1", pa.nulls(table.num_rows))
    pq.write_table(table, path)
    assert score_prefix(release, source, tmp_path / "out", progress=Silent())["rows"] == 100


def test_a_damaged_shard_is_named(release: LoadedRelease, source: Path, tmp_path: Path) -> None:
    path = source / names(source)[-1]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="no whole parquet file") as caught:
        score_prefix(release, source, tmp_path / "out", progress=Silent())
    assert str(path) in str(caught.value)


def test_a_shard_damaged_inside_keeps_what_was_scored_before(
    release: LoadedRelease, source: Path, tmp_path: Path
) -> None:
    path = source / names(source)[-1]
    column = pq.read_metadata(path).row_group(0).column(3)
    with path.open("r+b") as file:
        file.seek(column.dictionary_page_offset)
        file.write(b"\xff" * column.total_compressed_size)
    with pytest.raises(DataError) as caught:
        score_prefix(release, source, tmp_path / "out", progress=Silent())
    assert str(path) in str(caught.value)
    assert names(tmp_path / "out") == names(source)[:-1]


def test_a_shard_that_changes_while_it_is_read(
    release: LoadedRelease, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "state_of", lambda _path: "another")
    with pytest.raises(DataError, match="was changed while it was read"):
        score_prefix(release, source, tmp_path / "out", progress=Silent())


def test_no_shards_and_no_rows(release: LoadedRelease, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match=r"holds no \.parquet file"):
        score_prefix(release, empty, tmp_path / "out", progress=Silent())
    write_shards(empty, [0, 0])
    with pytest.raises(DataError, match="but no rows"):
        score_prefix(release, empty, tmp_path / "out", progress=Silent())


def test_places_that_cannot_be_meant(release: LoadedRelease, source: Path, tmp_path: Path) -> None:
    file = source / names(source)[0]
    cases = [
        (source, tmp_path / "o.parquet", "scored into a folder"),
        (source, source, "must lie outside"),
        (source, source / "out", "must lie outside"),
        (file, tmp_path / "out", r"must end in \.csv or \.parquet"),
    ]
    for data, out, told in cases:
        with pytest.raises(Misuse, match=told):
            score_prefix(release, data, out, progress=Silent())
    with pytest.raises(Misuse, match="--workers 0"):
        score_prefix(release, source, tmp_path / "out", workers=0, progress=Silent())
    named = replace(release, contract=replace(release.contract, entity_column="release"))
    with pytest.raises(Misuse, match="the key column is named 'release'"):
        score_prefix(named, source, tmp_path / "out", progress=Silent())


def test_two_runs_do_not_write_to_one_place(release: LoadedRelease, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with work_folder(out, several=True), pytest.raises(Conflict, match="another run is scoring"):
        score_prefix(release, source, out, progress=Silent())
    assert score_prefix(release, source, out, progress=Silent())["rows"] == 100
