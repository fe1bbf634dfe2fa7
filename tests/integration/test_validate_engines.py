"""Rows and a profile of the same table: the same verdicts, figure for figure."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ebb.release.reference import Reference, make_reference
from tests.unit.validate_case import NOW, good, made_contract, spoiled
from training.dataset import accept_table
from training.validation import Validation
from training.validation.expected import Kind
from training.validation.question import Question
from training.validation.table import validate_table


def both(folder: Path, columns: dict[str, Any], **asked: Any) -> tuple[Validation, Validation]:
    path = folder / "t.parquet"
    pq.write_table(pa.table(columns), path)
    rows, profiled = (
        validate_table(path, Question(made_contract(), profiled=profiled, now=NOW, **asked))
        for profiled in (False, True)
    )
    assert (rows.engine, profiled.engine) == ("rows", "profile")
    return rows, profiled


def reference_of(columns: dict[str, Any]) -> Reference:
    data = accept_table(made_contract(), pa.table(columns), labelled=True, source="t")
    assert data.labels is not None
    return make_reference(made_contract(), data.inputs, data.labels, np.zeros(data.rows, np.float32))


def same(rows: Validation, profiled: Validation) -> None:
    assert len(rows.verdicts) == len(profiled.verdicts)
    for mine, other in zip(rows.verdicts, profiled.verdicts, strict=True):
        told = (mine.expected.kind.value, mine.expected.column, mine.observed, other.observed)
        assert mine.expected == other.expected
        assert mine.passed == other.passed, told
        assert mine.observed == pytest.approx(other.observed, abs=1e-9), told


def failed(found: Validation) -> set[tuple[str, str]]:
    return {(v.expected.kind.name, v.expected.column) for v in found.verdicts if not v.passed}


def test_a_good_table_holds_everything(tmp_path: Path) -> None:
    rows, profiled = both(tmp_path, good())
    same(rows, profiled)
    assert failed(rows) == set()
    assert list(rows) == list(profiled) == []


def test_a_spoiled_table_breaks_the_same(tmp_path: Path) -> None:
    rows, profiled = both(tmp_path, spoiled())
    same(rows, profiled)
    assert failed(rows) >= {
        ("PRESENT", "id"), ("KEY", "id"), ("PRESENT", "at"), ("NOT_AHEAD", "at"), ("RANGE", "n"), ("RANGE", "i"),
        ("WHOLE", "i"), ("PRESENT", "i"), ("READABLE", "f"), ("LISTED", "f"), ("READABLE", "k"), ("LISTED", "k"),
        ("LISTED", "l"), ("READABLE", "t"), ("RANGE", "t"), ("PRESENT", "y"),
    }  # fmt: skip
    assert rows.critical
    assert [(f.severity, f.column, f.count) for f in rows] == [(f.severity, f.column, f.count) for f in profiled]


def test_drift_against_a_reference_is_the_same(tmp_path: Path) -> None:
    reference = reference_of(good(seed=1))
    rows, profiled = both(tmp_path, good(seed=4), reference=reference)
    same(rows, profiled)
    assert failed(rows) == set()
    assert sum(v.expected.kind in {Kind.PSI, Kind.KS} for v in rows.verdicts) == 10


def test_what_moved_is_found_by_both(tmp_path: Path) -> None:
    columns = good(seed=4)
    columns["n"] = [None if value is None else value * 0.8 for value in columns["n"]]
    columns["l"] = ["a" if i % 10 else "b" for i in range(len(columns["l"]))]
    columns["y"] = [int(i % 2 == 0) for i in range(len(columns["y"]))]
    rows, profiled = both(tmp_path, columns, reference=reference_of(good(seed=1)))
    same(rows, profiled)
    assert failed(rows) == {("PSI", "n"), ("KS", "n"), ("PSI", "l"), ("LABEL_RATE", "y")}
    assert not rows.critical
    assert any("has moved against the reference: PSI" in f.reason for f in profiled if f.column == "n")


@pytest.mark.parametrize("kind", [pa.int64(), pa.float32(), pa.string(), pa.date32()])
def test_moments_are_read_alike_however_they_are_written(tmp_path: Path, kind: pa.DataType) -> None:
    columns = good()
    moments = columns["at"]
    days = moments.cast(pa.timestamp("s"), safe=False)
    written = {
        pa.int64(): lambda: days.cast(pa.int64()),
        pa.float32(): lambda: days.cast(pa.int64()).cast(pa.float32(), safe=False),
        pa.string(): lambda: moments.cast(pa.string()),
        pa.date32(): lambda: moments.cast(pa.date32(), safe=False),
    }[kind]()
    columns["at"] = written
    columns["id"] = [f"e{i}" for i in range(len(columns["id"]))]
    rows, profiled = both(tmp_path, columns)
    same(rows, profiled)
    assert failed(rows) == set()


def test_a_folder_of_shards_is_one_table(tmp_path: Path) -> None:
    table = pa.table(good())
    folder = tmp_path / "we'ird [x] *"
    folder.mkdir()
    for i in range(4):
        pq.write_table(table.slice(i * 500, 500), folder / f"part-{i}.parquet")
    found = validate_table(folder, Question(made_contract(), profiled=True, now=NOW))
    assert (found.rows, list(found)) == (2_000, [])


def test_columns_that_are_not_there_are_named_and_nothing_else_of_them(tmp_path: Path) -> None:
    columns = good()
    del columns["k"], columns["at"], columns["y"]
    rows, profiled = both(tmp_path, columns)
    same(rows, profiled)
    assert {(f.severity, f.column) for f in rows} >= {("critical", "k"), ("critical", "at"), ("critical", "y")}
    assert sum(v.expected.column == "k" for v in rows.verdicts) == 1


def test_an_unlabelled_table_needs_no_label(tmp_path: Path) -> None:
    columns = good()
    del columns["y"]
    columns["at"] = [NOW - 3_600.0] * len(columns["id"])
    columns["id"] = [f"e{i}" for i in range(len(columns["id"]))]
    rows, profiled = both(tmp_path, columns, labelled=False)
    same(rows, profiled)
    assert list(rows) == list(profiled) == []
