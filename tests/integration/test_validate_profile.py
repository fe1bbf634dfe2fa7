"""The profile's SQL against pandas on random ugly columns; keys that are held against each other by a share."""

import json
import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.contract import Contract
from tests.fakes.made_contracts import contract_of
from tests.unit.validate_case import NOW
from training.dataset import read_table
from training.events.engine import open_engine
from training.validation.expected import fact
from training.validation.frame import frame_of_table
from training.validation.profile import Profile, profile
from training.validation.ranges import float32_range

if TYPE_CHECKING:
    import pandas as pd

CONTRACT = contract_of(
    'name = "n"; kind = "number"; min = -5; missing = true',
    'name = "i"; kind = "integer"; max = 1000; missing = true',
    'name = "f"; kind = "flag"; missing = true',
    'name = "k"; kind = "category"; missing = true',
    entity="id",
    event_time="at",
)
WORDS = [
    "", " ", "a", "A", "é", "e\u0301", "客户", "😀", "n/a", "NaN", "null", "yes", "No", "TRUE", "0", "1", "1.0", "-5",
    "1e3", "+2", " 7 ", ".5", "5.", "1_000", "0x1", "inf", "-Infinity", "1,5", "--1", "x" * 300, "a'b", 'a"b', "\ttab",
    "1e400", "9007199254740993",
]  # fmt: skip
NUMBERS = st.sampled_from([0.0, -0.0, 1.0, -5.0, -5.0000001, 0.5, 1e3, 1e30, 1e300, np.inf, -np.inf, np.nan, 2.0**53])
KINDS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.float64(), NUMBERS | st.floats(-10, 10)),
    (pa.float32(), st.floats(-10, 10, width=32) | st.sampled_from([np.inf, np.nan])),
    (pa.int64(), st.sampled_from([0, 1, -6, 1_001, 2**53 + 1, -(2**62), 2**63 - 1]) | st.integers(-9, 9)),
    (pa.uint8(), st.integers(0, 255)),
    (pa.bool_(), st.booleans()),
    (pa.string(), st.sampled_from(WORDS)),
    (pa.large_string(), st.sampled_from(WORDS)),
    (pa.decimal128(12, 3), st.decimals(-100, 100, places=3)),
    (pa.null(), st.none()),
]
TIMES: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.timestamp("us"), st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1))),  # noqa: DTZ001 - it has no zone
    (pa.date32(), st.dates(date(1990, 1, 1), date(2030, 1, 1))),
    (pa.int64(), st.integers(10**9, 2 * 10**9)),
    (pa.float64(), st.floats(1e9, 2e9)),
]


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Draw a table of a few rows whose columns are of any type."""
    rows = draw(st.integers(1, 25))
    columns = {}
    for name in ("n", "i", "f", "k", "id", "at"):
        kind, values = draw(st.sampled_from(TIMES if name == "at" else KINDS))
        cells = draw(st.lists(values | st.none(), min_size=rows, max_size=rows))
        columns[name] = pa.array(cells, kind, from_pandas=False)
    columns["y"] = pa.array(
        draw(st.lists(st.sampled_from(["1", "0", None]), min_size=rows, max_size=rows)), pa.string()
    )
    return pa.table(columns)


def profiled(contract: Contract, path: Path, **asked: Any) -> Profile:
    with tempfile.TemporaryDirectory() as folder, open_engine(Path(folder) / "spill", "500MB") as engine:
        return profile(engine, path, contract, now=NOW, edges=asked.pop("edges", {}), **asked)


def outside(name: str, known: "pd.Series[float]") -> int:
    if name == "f":
        return int((~known.isin([0.0, 1.0])).sum())
    least, most = float32_range(*((-5.0, None) if name == "n" else (None, 1000.0)))
    return int((~known.between(least, most)).sum())


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(tables())
def test_any_column_is_told_as_pandas_tells_it(table: pa.Table) -> None:
    edges = (-1.0, 0.5, 3.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        pq.write_table(table, path)
        told = profiled(CONTRACT, path, edges={"n": edges})
        frame = frame_of_table(CONTRACT, read_table(path), NOW)
    assert told.rows == len(frame)
    for name in ("n", "i", "f"):
        figures, known = told.columns[name].figures, frame[name].dropna()
        assert figures["filled"] == len(known), name
        assert figures["unreadable"] == int((~frame[fact(name, "readable")]).sum()), name
        assert figures["distinct"] == known.nunique(), name
        assert figures["outside"] == outside(name, known), name
        if len(known):
            # Arrow is a last bit off where it makes a decimal a double.
            assert figures["least"] == pytest.approx(known.min(), rel=1e-12), name
            assert figures["most"] == pytest.approx(known.max(), rel=1e-12), name
    with np.errstate(over="ignore"):
        narrow = frame["n"].dropna().to_numpy(np.float64).astype(np.float32)
    assert told.columns["n"].above == [int((narrow >= edge).sum()) for edge in edges]
    whole = frame["i"].dropna()
    assert told.columns["i"].figures["fractions"] == int((whole != np.floor(whole)).sum())
    assert told.columns["k"].texts == frame["k"].dropna().value_counts().to_dict()
    assert told.columns["k"].figures["unreadable"] == int((~frame[fact("k", "readable")]).sum())
    assert (
        told.columns["at"].figures["most"] == pytest.approx(frame["at"].max(), nan_ok=True) or frame["at"].isna().all()
    )
    keys = frame[["id", "at"]][frame["id"].notna()]
    assert told.repeated == int(keys.duplicated(keep=False).sum())


def keyed(folder: Path, ids: list[str]) -> Path:
    rows = len(ids)
    path = folder / "t.parquet"
    pq.write_table(pa.table({"id": ids, "x": np.arange(rows) * 1.0, "y": np.arange(rows) % 2}), path)
    return path


KEYED = contract_of('name = "x"; kind = "number"', entity="id")


def test_of_many_keys_a_share_is_compared_and_scaled_up(tmp_path: Path) -> None:
    """One row in ten stands twice: the share says so within five standard deviations of a sample's count."""
    rows = 40_000
    ids = [f"e{i}" for i in range(rows)]
    ids[: rows // 20] = ids[rows // 20 : rows // 10]
    path = keyed(tmp_path, ids)
    exact = profiled(KEYED, path).repeated
    assert exact == rows / 10
    told = profiled(KEYED, path, keys_checked=rows // 8).repeated
    assert told is not None
    assert told % 16 == 0  # eight parts, pairs
    # a pair is in the sample with probability 1/8, and counts 16 rows
    pairs = rows / 20
    assert abs(told - exact) < 5 * 16 * np.sqrt(pairs * (1 / 8) * (7 / 8))
    assert told != exact


def test_of_many_keys_that_are_unique_none_is_repeated(tmp_path: Path) -> None:
    path = keyed(tmp_path, [f"e{i}" for i in range(10_000)])
    assert profiled(KEYED, path, keys_checked=1_000).repeated == 0


@pytest.mark.parametrize("name", ['a"b', "a'b", "select", "count(*)", "x) FROM t --", "größe 客户", "v0"])
def test_names_that_look_like_sql_are_only_names(tmp_path: Path, name: str) -> None:
    contract = contract_of(f'name = "x"; kind = "number"; column = {json.dumps(name)}')
    path = tmp_path / "t'[1]*.parquet"
    pq.write_table(pa.table({name: [1.0, None, 3.0], "y": [0, 1, 0]}), path)
    told = profiled(contract, path)
    assert told.columns[name].figures["filled"] == 2
    assert told.columns["y"].texts == {"0": 2, "1": 1}
