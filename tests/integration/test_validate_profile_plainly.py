"""What the profile counts as the file holds it, against the same figures of what training reads, row by row."""

# ruff: noqa: S608 - names are quoted, and paths are the test's own

import tempfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.contract import Contract
from tests.fakes.made_contracts import contract_of
from tests.home import ROOT
from tests.unit.validate_case import NOW
from training.contract_file import read_contract
from training.dataset.numbers import flag_of
from training.events.engine import Engine, open_engine
from training.validation.profile import Profile, profile
from training.validation.profile_columns import Column, columns_of
from training.validation.profile_reading import reading_of
from training.validation.read_sql import is_exact, is_moment, is_number

EDGES = dict.fromkeys(("n", "i", "f"), (-1.0, 0.5, 0.1, 3.0, 16777217.0))
CONTRACT = contract_of(
    'name = "n"; kind = "number"; min = -5; missing = true',
    'name = "i"; kind = "integer"; max = 1000; missing = true',
    'name = "f"; kind = "flag"; missing = true',
    'name = "k"; kind = "category"; missing = true',
    entity="id",
    event_time="at",
)
WORDS = ["", " ", "a", "0", "1.0", "-5", "1e3", "1_000", "1e400", "x" * 300, "nul\0", "\ttab", "yes", "é", "inf", "NaN"]
FLOATS = st.sampled_from([0.0, -0.0, 0.1, 0.5, 16_777_217.0, 1e39, -1e39, np.inf, -np.inf, np.nan]) | st.floats(-9, 9)
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 1, 1)) | st.sampled_from(  # noqa: DTZ001 - it has no zone
    [datetime.fromtimestamp(NOW + 86_400, UTC).replace(tzinfo=None)]
)
WHOLE = st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9) | st.sampled_from([2**53 + 1, 2**24 + 1])
KINDS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.float64(), FLOATS),
    (pa.float32(), st.floats(-10, 10, width=32) | st.sampled_from([np.inf, np.nan])),
    (pa.int64(), WHOLE),
    (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.int8(), st.integers(-128, 127)),
    (pa.bool_(), st.booleans()),
    (pa.string(), st.sampled_from(WORDS)),
    (pa.dictionary(pa.int16(), pa.string()), st.sampled_from(WORDS)),
    (pa.binary(), st.binary(max_size=3)),
    (pa.decimal128(12, 3), st.decimals(-100, 100, places=3)),
    (pa.decimal128(38, 0), st.integers(-(10**37), 10**37).map(Decimal)),
    (pa.timestamp("us"), MOMENTS),
    (pa.timestamp("ms", "UTC"), st.datetimes(datetime(1970, 1, 1), datetime(2030, 1, 1))),  # noqa: DTZ001 - as above
    (pa.date32(), st.dates(date(1, 1, 1), date(9999, 1, 1))),
    (pa.list_(pa.int32()), st.lists(st.integers(0, 3), max_size=2)),
    (pa.null(), st.none()),
]
MOMENT_KINDS = [kind for kind in KINDS if pa.types.is_temporal(kind[0]) or kind[0] in {pa.int64(), pa.float64()}]


@st.composite
def tables(draw: st.DrawFn, names: tuple[str, ...]) -> list[pa.Table]:
    """Draw the parts of one table: columns of any type, some parts without a row."""
    kinds = {name: draw(st.sampled_from(MOMENT_KINDS if name == "at" else KINDS)) for name in names}
    parts = []
    for rows in draw(st.lists(st.integers(0, 12), min_size=1, max_size=3)):
        columns = {}
        for name, (kind, values) in kinds.items():
            cells = draw(st.lists(values | st.none(), min_size=rows, max_size=rows))
            plain = kind.value_type if pa.types.is_dictionary(kind) else kind
            made = pa.array(cells, plain, from_pandas=False)
            columns[name] = made.cast(kind) if plain is not kind else made
        parts.append(pa.table(columns))
    return parts


def told(engine: Engine, path: Path, contract: Contract, **asked: Any) -> Profile:
    return profile(engine, path, contract, now=NOW, edges=EDGES, **asked)


def source_of(path: Path) -> str:
    return f"read_parquet('{path}/*.parquet', union_by_name = true)"


def by_rows(engine: Engine, path: Path, column: Column) -> dict[str, Any]:
    """Return a column's figures from its values as they are read, one by one."""
    reading = reading_of(column)
    read = engine.run(f"SELECT {reading.value}, {reading.unreadable} FROM {source_of(path)}", "rows")
    known = [value for value, _ in read if value is not None]
    figures: dict[str, Any] = {"filled": len(known), "unreadable": sum(bool(bad) for _, bad in read)}
    if column.is_told_apart:
        figures["distinct"] = len(set(known))
    if not column.is_text:
        figures |= {"least": min(known, default=None), "most": max(known, default=None)}
    if column.most is not None:
        low = -np.inf if column.least is None else column.least
        out = [v for v in known if (v not in {0, 1} if column.use == "flag" else not low <= v <= column.most)]
        figures["outside"] = len(out)
        if column.use != "time":
            figures["example"] = min(out, default=None)
    if column.use == "integer":
        figures["fractions"] = sum(bool(v != np.floor(v)) for v in known)
    return figures


def above(engine: Engine, path: Path, column: Column) -> list[int]:
    if not column.edges:
        return []
    read = engine.run(f"SELECT {reading_of(column).value} FROM {source_of(path)}", "rows")
    values = np.array([row[0] for row in read if row[0] is not None], np.float64)
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32).astype(np.float64)
    return [int((narrow >= edge).sum()) for edge in column.edges]


def compare(parts: list[pa.Table], contract: Contract) -> None:
    with tempfile.TemporaryDirectory() as name, open_engine(Path(name) / "spill", "500MB") as engine:
        folder = Path(name) / "t"
        folder.mkdir()
        for i, part in enumerate(parts):
            pq.write_table(part, folder / f"{i}.parquet", row_group_size=5)
        found = told(engine, folder, contract)
        types = engine.columns(f"SELECT * FROM {source_of(folder)}", "types")
        for column in columns_of(contract, types, NOW, EDGES):
            figures = dict(found.columns[column.name].figures)
            figures.pop("immature", None)
            assert figures == by_rows(engine, folder, column), (column.name, column.type)
            assert found.columns[column.name].above == above(engine, folder, column), (column.name, column.type)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(tables(("n", "i", "f", "k", "id", "at", "y")))
def test_a_table_of_any_types_is_told_as_its_rows_are(parts: list[pa.Table]) -> None:
    compare(parts, CONTRACT)


EVENTS = read_contract(ROOT / "training" / "contracts" / "synthetic_events.toml")[0]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(tables(("customer_id", "at", "kind", "cents", "x")))
def test_events_of_any_types_are_told_as_their_rows_are(parts: list[pa.Table]) -> None:
    compare([part.rename_columns({"at": "happened_at"}) for part in parts], EVENTS)


def test_parts_whose_types_differ_are_told_as_one_table() -> None:
    when = pa.array([1_600_000_000_000_000, None], pa.timestamp("us"))
    small = pa.table({"customer_id": pa.array([1, 2], pa.int16()), "happened_at": when, "x": pa.array([None, 3.5])})
    large = pa.table({"customer_id": [2**40], "happened_at": when[:1], "x": pa.array([1], pa.int8())})
    compare([small, large.slice(0, 0), large], EVENTS)


def test_moments_without_end_are_missing(tmp_path: Path) -> None:
    """DuckDB takes the largest and the smallest moments for infinity."""
    when = pa.array([2**63 - 1, -(2**63) + 1, 1_600_000_000_000_000], pa.timestamp("us"))
    pq.write_table(pa.table({"customer_id": [1, 2, 3], "happened_at": when}), tmp_path / "t.parquet")
    with open_engine(tmp_path / "spill", "500MB") as engine:
        figures = told(engine, tmp_path, EVENTS).columns["happened_at"].figures
    assert figures == {"filled": 1, "unreadable": 0, "least": 1.6e9, "most": 1.6e9, "outside": 0}


@pytest.mark.parametrize("word", ["1_000", "1__0", "_1", "1_", "1_0.5_0", "1e1_0", "iNf", "-Infinity", "nan", "0_0"])
def test_flags_spelled_oddly_are_read_as_training_reads_them(tmp_path: Path, word: str) -> None:
    pq.write_table(pa.table({"f": [word], "y": ["1"]}), tmp_path / "t.parquet")
    with open_engine(tmp_path / "spill", "500MB") as engine:
        figures = told(engine, tmp_path, CONTRACT).columns["f"].figures
    number = flag_of(word)
    assert figures["unreadable"] == (number is None)
    known = number is not None and not np.isnan(number)
    assert figures["filled"] == known
    assert figures["least"] == (number if known else None)


def test_numbers_and_texts_are_counted_as_texts(tmp_path: Path) -> None:
    table = pa.table({"k": pa.array([10, 2, 10, None, 9]), "id": pa.array([7, 7, 8, None, None]), "y": [1, 0, 1, 1, 0]})
    pq.write_table(table, tmp_path / "t.parquet")
    with open_engine(tmp_path / "spill", "500MB") as engine:
        found = told(engine, tmp_path, CONTRACT)
    assert list(found.columns["k"].texts.items()) == [("10", 2), ("2", 1), ("9", 1)]
    assert found.columns["y"].texts == {"1": 3, "0": 2}
    assert found.repeated == 2


@pytest.mark.parametrize("kind", ["INTEGER[]", "DECIMAL(3,1)[]", "STRUCT(a INTEGER)", "BIGINT[3]", "INTERVAL", "BLOB"])
def test_what_only_begins_like_a_number_is_none(kind: str) -> None:
    assert not is_number(kind)
    assert not is_exact(kind)


@pytest.mark.parametrize("kind", ["TINYINT", "UBIGINT", "HUGEINT", "DECIMAL(38,0)"])
def test_whole_and_decimal_numbers_are_exact(kind: str) -> None:
    assert is_exact(kind)
    assert not is_moment(kind)


def test_broken_numbers_are_not_exact() -> None:
    assert is_number("DOUBLE")
    assert not is_exact("DOUBLE")
    assert is_moment("TIMESTAMP_NS")
