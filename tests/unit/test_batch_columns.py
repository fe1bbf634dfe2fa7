"""However a column is stored, the answers are those of one row at a time, as over HTTP."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from ebb.decision import decide
from ebb.features.inputs import accept_row, encode
from ebb.release.load import LoadedRelease
from tests.fakes.batch import made_inputs, made_model, release_of, scored, table_of
from training.batch import score_prefix, task
from training.progress import Silent

Stored = Callable[[pa.Table], pa.Table]
WHOLE = {"n0": [1.0, None, -5.0, 100.0, 0.0, 1.0, 7.0], "n1": [3.0, 2.0, 1.0, None, 0.0, -0.0, 12.0]}


@pytest.fixture(scope="module")
def release() -> LoadedRelease:
    return release_of(made_model())


def alone(release: LoadedRelease, row: Mapping[str, Any]) -> np.float32:
    """Score one row as a request's is: accepted value by value, and fed to the graph by itself."""
    values = {name: row[name] for name in release.contract.by_name}
    probability: np.float32 = release.scorer.score(encode(release.contract, [accept_row(release.contract, values)]))[0]
    return probability


def cast(**kinds: pa.DataType) -> Stored:
    def stored(table: pa.Table) -> pa.Table:
        for name, kind in kinds.items():
            column = table[name]
            column = column.dictionary_encode() if pa.types.is_dictionary(kind) else column.cast(kind)
            table = table.set_column(table.schema.get_field_index(name), name, column)
        return table

    return stored


_DICTIONARY = pa.dictionary(pa.int32(), pa.string())
STORED: dict[str, Stored] = {
    "plain": cast(),
    "large": cast(id=pa.large_string(), c0=pa.large_string(), c1=pa.large_string()),
    "dictionary": cast(id=_DICTIONARY, c0=_DICTIONARY, c1=_DICTIONARY, c2=_DICTIONARY),
    "float32": cast(n2=pa.float32(), n3=pa.float32()),
    "narrow": cast(n0=pa.int8(), n1=pa.int16()),
    "wide": cast(n0=pa.int64(), n1=pa.int32()),
    "text": cast(n0=pa.string(), n2=pa.string()),
    "decimal": cast(n0=pa.decimal128(10, 2)),
    "more columns": lambda table: table.append_column("extra", pa.nulls(table.num_rows)),
}


def made_table() -> pa.Table:
    table = table_of(made_inputs(300, seed=5))
    for name, values in WHOLE.items():
        column = pa.array([values[i % len(values)] for i in range(table.num_rows)], pa.float64())
        table = table.set_column(table.schema.get_field_index(name), name, column)
    unseen = pa.array(["never seen 中", "x\ty", "NULL", *table["c2"].to_pylist()[3:]], pa.string())
    return table.set_column(table.schema.get_field_index("c2"), "c2", unseen)


@pytest.mark.parametrize("how", STORED)
@pytest.mark.parametrize("at_once", [1, 7, 16_384])
def test_every_row_is_answered_as_it_would_be_alone(
    release: LoadedRelease, tmp_path: Path, how: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "ROWS", at_once)
    table = made_table()
    source, out = tmp_path / "t.parquet", tmp_path / "o.parquet"
    pq.write_table(STORED[how](table), source, row_group_size=100)
    summary = score_prefix(release, source, out, progress=Silent())
    rows = table.to_pylist()
    expected = np.array([alone(release, row) for row in rows])
    came = scored(out)
    assert came.column_names == ["id", "probability", "decision", "release"]
    assert came["id"].to_pylist() == [row["id"] for row in rows]
    assert came["probability"].type == pa.float32()
    assert np.array_equal(came["probability"].to_numpy().view(np.int32), expected.view(np.int32))
    assert came["decision"].to_pylist() == [decide(release.contract.decision, float(p)) for p in expected]
    assert set(came["release"].to_pylist()) == {release.name}
    assert (summary["rows"], summary["refused"], summary["shards"]) == (300, 0, 1)


def test_csv_in_and_out(release: LoadedRelease, tmp_path: Path) -> None:
    table = made_table()
    source, plain, out = tmp_path / "t.csv", tmp_path / "t.parquet", tmp_path / "o.csv"
    pa_csv.write_csv(table, source)
    pq.write_table(table, plain)
    score_prefix(release, source, out, progress=Silent())
    score_prefix(release, plain, tmp_path / "o.parquet", progress=Silent())
    kinds = {"id": pa.string(), "probability": pa.float32(), "decision": pa.string(), "release": pa.string()}
    came = pa_csv.read_csv(out, convert_options=pa_csv.ConvertOptions(column_types=kinds))
    assert came.equals(scored(tmp_path / "o.parquet"))


def test_a_contract_without_a_key_numbers_the_rows(release: LoadedRelease, tmp_path: Path) -> None:
    from dataclasses import replace  # noqa: PLC0415 - for this test alone

    keyless = replace(release, contract=replace(release.contract, entity_column=None))
    pq.write_table(made_table(), tmp_path / "t.parquet", row_group_size=120)
    score_prefix(keyless, tmp_path / "t.parquet", tmp_path / "o.parquet", progress=Silent())
    assert scored(tmp_path / "o.parquet")["row"].to_pylist() == [str(i) for i in range(1, 301)]
