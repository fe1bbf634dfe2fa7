"""Rows and a profile of any ugly table: the same expectations, verdicts, figures and sentences."""

import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ebb.contract import Contract
from ebb.errors import DataError
from ebb.features.inputs import Inputs
from ebb.release.reference import Reference, make_reference
from tests.fakes.made_contracts import contract_of
from tests.integration.test_validate_profile import CONTRACT, tables
from tests.unit.validate_case import NOW
from training.validation import Validation
from training.validation.expected import Kind
from training.validation.question import Question
from training.validation.table import validate_table

CHEAP = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # each takes a second: to make a failure smaller would take minutes
)


def judged(contract: Contract, table: pa.Table, *, profiled: bool, **asked: Any) -> Validation | str:
    """Validate a table in a file; what cannot be answered is its sentence, without the file's name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        pq.write_table(table, path)
        try:
            return validate_table(path, Question(contract, profiled=profiled, now=NOW, **asked))
        except DataError as error:
            return str(error).replace(folder, "")


def same(contract: Contract, table: pa.Table, **asked: Any) -> Validation | str:
    rows = judged(contract, table, profiled=False, **asked)
    profiled = judged(contract, table, profiled=True, **asked)
    if isinstance(rows, str) or isinstance(profiled, str):
        assert rows == profiled
        return rows
    for mine, other in zip(rows.verdicts, profiled.verdicts, strict=True):
        told = (mine.expected.kind.value, mine.expected.column, mine.observed, other.observed)
        assert mine.expected == other.expected, told
        assert mine.passed == other.passed, told
        if mine.observed is None or other.observed is None or np.isnan(mine.observed):
            # a figure of nothing: rows have none, a profile a zero, or the other way round
            assert not mine.observed or not other.observed or np.isnan(mine.observed), told
        else:
            assert mine.observed == pytest.approx(other.observed, abs=1e-9), told
    severities = [[(f.severity, f.column, f.count) for f in found] for found in (rows, profiled)]
    assert severities[0] == severities[1]
    return rows


@CHEAP
@given(tables())
def test_any_table_is_judged_alike(table: pa.Table) -> None:
    same(CONTRACT, table)


@CHEAP
@given(tables())
def test_any_table_to_be_scored_is_judged_alike(table: pa.Table) -> None:
    same(CONTRACT, table.drop_columns(["y"]), labelled=False)


def reference() -> Reference:
    random = np.random.default_rng(0)
    inputs = Inputs(
        np.column_stack([random.normal(size=400), random.integers(0, 9, 400), random.integers(0, 2, 400)]).astype(
            np.float32
        ),
        random.choice(np.array(["a", "A", "é", ""], object), (400, 1)),
    )
    return make_reference(CONTRACT, inputs, (random.random(400) < 0.3).astype(np.int8), np.zeros(400, np.float32))


@CHEAP
@given(tables(), st.integers(3, 9))
def test_drift_of_any_table_is_judged_alike(table: pa.Table, times: int) -> None:
    same(CONTRACT, pa.concat_tables([table] * times), reference=reference())


WRITTEN = contract_of(
    'name = "n"; kind = "number"; written = "1.234,5"; missing = true; min = 0; max = 5000',
    'name = "d"; kind = "integer"; written = "yyyy-mm-dd"; missing = true',
    'name = "p"; kind = "category"; protected = true; missing = true',
)
AMOUNTS = ["1,5", "1.234,5", "€ 12,00", "12", "-3", "", "n/a", "1.2.3", "much", "9.999,99", None]
DATES = ["2022-01-31", "2022-02-30", "1999-12-31 10:00", "", "soon", None]


@CHEAP
@given(
    st.lists(
        st.tuples(st.sampled_from(AMOUNTS), st.sampled_from(DATES), st.sampled_from(["x", "y", None])),
        min_size=1,
        max_size=30,
    )
)
def test_columns_that_are_written_their_own_way_are_judged_alike(cells: list[tuple[str | None, ...]]) -> None:
    columns = [pa.array(list(column), pa.string()) for column in zip(*cells, strict=True)]
    labels = pa.array([i % 2 for i in range(len(cells))])
    same(WRITTEN, pa.table([*columns, labels], ["n", "d", "p", "y"]))


def test_a_good_table_that_is_written_its_own_way_has_no_findings() -> None:
    random = np.random.default_rng(1)
    rows = 400
    table = pa.table(
        {
            "n": [f"{int(v)},{int(v * 10) % 10}" for v in random.random(rows) * 900],
            "d": [str(date.fromordinal(737_000 + int(d))) for d in random.integers(0, 900, rows)],
            "p": random.choice(["x", "y"], rows),
            "y": random.integers(0, 2, rows),
        }
    )
    found = same(WRITTEN, table)
    assert isinstance(found, Validation)
    assert list(found) == []
    assert {v.expected.kind for v in found.verdicts} >= {Kind.READABLE, Kind.RANGE, Kind.WHOLE}


def test_what_both_refuse_is_the_same_sentence() -> None:
    """A key that no request could name breaks no expectation on a column: acceptance refuses it, in both."""
    table = pa.table({"id": [f"e{i}" if i else "a\nb" for i in range(200)], "x": np.arange(200.0), "y": [0, 1] * 100})
    found = same(contract_of('name = "x"; kind = "number"', entity="id"), table)
    assert isinstance(found, str)
    assert "that no request could name" in found
