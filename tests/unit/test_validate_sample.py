"""A large table is sampled evenly, with both classes; what is counted, is counted in every row."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.contract import Contract
from ebb.errors import DataError
from tests.fakes.made_contracts import contract_of
from tests.unit.validate_case import DAY, NOW
from training.progress import Silent
from training.validation import CRITICAL, WARNING, Finding
from training.validation import sample as sampling
from training.validation.beyond import judge_beyond
from training.validation.question import Question
from training.validation.sample import MOST_RARE, SAMPLED, sample_of, tables_of

NUMBER = 'name = "x"; kind = "number"'
CONTRACT = contract_of(NUMBER, entity="id")


def written(folder: Path, columns: dict[str, Any], *, group: int = 1_000, files: int = 1) -> Path:
    """Write columns as a folder of parquet files with small row groups."""
    table = pa.table(columns)
    target = folder / "table"
    target.mkdir(parents=True)
    step = -(-table.num_rows // files)
    for i in range(files):
        pq.write_table(table.slice(i * step, step), target / f"part-{i}.parquet", row_group_size=group)
    return target


def numbered(rows: int, **more: Any) -> dict[str, Any]:
    random = np.random.default_rng(rows)
    return {
        "id": [f"e{i}" for i in range(rows)],
        "x": random.random(rows),
        "y": (random.random(rows) < 0.3).astype(int),
        **more,
    }


def beyond(path: Path, contract: Contract, **asked: Any) -> list[Finding]:
    question = Question(contract, now=NOW, **asked)
    return judge_beyond(path, question, Silent(), sampled=True)


def shown(found: Sequence[Finding]) -> list[tuple[str, str, int]]:
    return [(f.severity, f.column, f.count) for f in found]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """Make samples small, so that small tables are large ones."""
    monkeypatch.setattr(sampling, "SAMPLED", 500)
    return 500


def test_a_table_that_is_small_enough_is_taken_whole(tmp_path: Path) -> None:
    columns = numbered(3_000)
    found = sample_of(written(tmp_path, columns, files=3), ["id", "x", "y"], "y")
    assert found.to_pydict() == pa.table(columns).to_pydict()


def test_many_small_row_groups_are_taken_whole_too(tmp_path: Path) -> None:
    """Sixteen groups of ten rows would be 160 rows of 2,000."""
    columns = numbered(2_000)
    assert sample_of(written(tmp_path, columns, group=10), ["id"]).num_rows == 2_000


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=30).filter(any), st.integers(50, 700))
def test_a_sample_is_large_even_and_in_order(sizes: list[int], most: int) -> None:
    """Whatever the row groups: never more rows than asked for, hardly fewer, none twice, all from the table."""
    groups = [sampling._Group(Path("f"), i, rows) for i, rows in enumerate(sizes) if rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "SAMPLED", most)
        chosen = sampling._evenly(groups)
    held = sum(group.rows for group in chosen)
    assert held >= min(most, sum(sizes)) or len(chosen) == len(groups)
    assert [group.place for group in chosen] == sorted({group.place for group in chosen})
    assert chosen[0] == groups[0]
    assert chosen[-1] == groups[-1]


@pytest.mark.parametrize(("rows", "group", "files"), [(10_000, 1_000, 1), (10_001, 777, 3), (5_000, 5_000, 1)])
def test_no_more_than_the_sample_and_hardly_fewer(
    tmp_path: Path, small: int, rows: int, group: int, files: int
) -> None:
    path = written(tmp_path, {**numbered(rows), "n": np.arange(rows)}, group=group, files=files)
    places = sample_of(path, ["n"])["n"].to_numpy()
    assert small * 0.95 <= len(places) <= small
    assert len(np.unique(places)) == len(places)
    assert places.tolist() == sorted(places.tolist())
    assert np.min(places) < rows * 0.02
    assert np.max(places) > rows * 0.98


def test_the_constants_are_what_the_guide_says() -> None:
    assert (SAMPLED, MOST_RARE) == (50_000, 1_000)


def test_names_lose_their_blanks_and_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, {" id ": ["a", "b"], "x": [1.0, 2.0], "other": [0, 0]})
    assert sample_of(path, ["id", "x"]).to_pydict() == {"id": ["a", "b"], "x": [1.0, 2.0]}
    assert [table.column_names for table in tables_of(path, ["id"])] == [["id"]]


def test_parts_of_a_table_are_all_of_it(tmp_path: Path) -> None:
    columns = numbered(2_500)
    parts = list(tables_of(written(tmp_path, columns, group=300, files=4), ["x", "id"]))
    assert pa.concat_tables(parts).to_pydict() == pa.table({"id": columns["id"], "x": columns["x"]}).to_pydict()


def test_a_class_that_the_sample_misses_is_sought_in_every_row(tmp_path: Path, small: int) -> None:
    rows = 20_000
    labels = np.full(rows, "stayed", object)
    labels[7_000:7_080] = "left"
    path = written(tmp_path, numbered(rows, y=labels))
    found = sample_of(path, ["id", "y"], "y")
    counts = Counter(found["y"].to_pylist())
    assert counts["left"] == MOST_RARE // 16
    assert counts["stayed"] > 0.95 * small - 50
    assert len(set(found["id"].to_pylist())) == found.num_rows


def test_a_class_that_the_sample_has_is_not_sought(tmp_path: Path, small: int) -> None:
    columns = numbered(20_000)
    found = sample_of(written(tmp_path, columns), ["id", "y"], "y")
    assert found.num_rows <= small
    assert 0.2 < float(np.mean(found["y"].to_numpy())) < 0.4


@pytest.mark.usefixtures("small")
def test_a_rare_leak_in_a_large_table_is_found(tmp_path: Path) -> None:
    """Of 30,000 rows 90 are positive: a sample of 500 holds one or none, and no leak could be seen in it."""
    rows = 30_000
    labels = (np.arange(rows) % 333 == 5).astype(int)
    random = np.random.default_rng(1)
    columns = numbered(rows, y=labels, gone=labels * 2.0 + random.random(rows))
    contract = contract_of(NUMBER, 'name = "gone"; kind = "number"', entity="id")
    found = beyond(written(tmp_path, columns), contract)
    assert [(f.severity, f.column) for f in found] == [(WARNING, "gone")]
    assert "leak?" in found[0].reason


@pytest.mark.usefixtures("small")
def test_a_large_table_sorted_by_its_label_is_no_constant_one(tmp_path: Path) -> None:
    labels = np.zeros(20_000, int)
    labels[:60] = 1
    assert beyond(written(tmp_path, numbered(20_000, y=labels), group=5_000), CONTRACT) == []


PROTECTED = contract_of(
    NUMBER,
    'name = "region"; kind = "category"; protected = true; missing = true',
    'name = "senior"; kind = "flag"; protected = true',
    'name = "age"; kind = "number"; protected = true',
    entity="id",
)


@pytest.mark.usefixtures("small")
def test_protected_groups_are_counted_in_every_row(tmp_path: Path) -> None:
    """A region of 400 rows is no small group, though a sample of a fortieth holds ten of them; one of three is."""
    rows = 20_000
    regions = np.full(rows, "north", object)
    regions[::50] = "south"
    regions[[11, 5_011, 19_011]] = "mars"
    regions[5] = None
    senior = np.zeros(rows, int)
    senior[100:120] = 1
    columns = numbered(rows, region=regions, senior=senior, age=np.arange(rows) * 1.0)
    found = beyond(written(tmp_path, columns, files=2), PROTECTED)
    assert shown(found) == [(WARNING, "region", 3), (WARNING, "senior", 20)]
    assert "the group 'mars' of 3 rows" in found[0].reason
    assert "the group '1' of 20 rows" in found[1].reason


@pytest.mark.usefixtures("small")
def test_entities_that_stand_in_both_tables_are_counted_in_every_row(tmp_path: Path) -> None:
    rows = 20_000
    path = written(tmp_path, numbered(rows), files=2)
    test = tmp_path / "test.parquet"
    ids = [f"e{rows - 7 + i}" for i in range(300)]
    pq.write_table(pa.table({**numbered(300), "id": ids}), test)
    assert shown(beyond(path, CONTRACT, test=test)) == [(CRITICAL, "id", 7)]


TIMED = contract_of(NUMBER, entity="id", event_time="at")


def timed(rows: int, start: float, **more: Any) -> dict[str, Any]:
    return {**numbered(rows), "at": start + np.arange(rows) * 60.0, **more}


@pytest.mark.usefixtures("small")
def test_the_end_of_the_training_is_that_of_every_row(tmp_path: Path) -> None:
    """The newest row stands in the middle of the files, where a sample may well miss it."""
    start = NOW - 400 * DAY
    columns = timed(20_000, start)
    columns["at"][12_345] = start + 100 * DAY
    path = written(tmp_path, columns)
    test = tmp_path / "test.parquet"
    later = {**timed(100, start + 50 * DAY), "id": [f"t{i}" for i in range(100)]}
    pq.write_table(pa.table(later), test)
    (found,) = beyond(path, TIMED, test=test)
    assert (found.severity, found.column, found.count) == (CRITICAL, "at", 100)
    assert "the whole test lies before the end of the training" in found.reason


@pytest.mark.usefixtures("small")
def test_outcomes_are_counted_in_every_row(tmp_path: Path) -> None:
    columns = timed(20_000, NOW - 400 * DAY)
    left = np.full(20_000, np.nan)
    left[::1_000] = columns["at"][::1_000] + DAY
    left[[3, 4_444, 15_001]] = columns["at"][[3, 4_444, 15_001]] - 1.0
    left[[8, 9_999]] = columns["at"][[8, 9_999]] + 31 * DAY
    columns["left_at"] = left
    found = beyond(written(tmp_path, columns, group=999, files=3), TIMED, outcome_time="left_at")
    assert shown(found) == [(CRITICAL, "left_at", 3), (WARNING, "left_at", 2)]


def test_an_outcome_time_needs_its_column_and_an_event_time(tmp_path: Path) -> None:
    path = written(tmp_path, numbered(200))
    with pytest.raises(DataError, match="no column 'left_at', but it should say when the outcome happened"):
        beyond(path, CONTRACT, outcome_time="left_at")
    with pytest.raises(DataError, match=r"the contract names no \[event_time\]"):
        beyond(path, CONTRACT, outcome_time="x")


def test_outcome_times_that_are_none_are_refused_and_missing_words_are_not(tmp_path: Path) -> None:
    """Taken for "nothing happened", they would hide that an outcome came before its row."""
    columns = timed(200, NOW - 90 * DAY)
    told = np.array(["", "n/a", "2023-08-20 10:00"] * 66 + ["last week", "soon"], object)
    path = written(tmp_path, {**columns, "left_at": told})
    with pytest.raises(DataError, match="'left_at' holds 2 values that are no moment: write dates, ISO 8601"):
        beyond(path, TIMED, outcome_time="left_at")
    told[-2:] = ""
    assert beyond(written(tmp_path / "mended", {**columns, "left_at": told}), TIMED, outcome_time="left_at") == []


def test_where_folds_are_spans_of_time_an_entity_may_come_again(tmp_path: Path) -> None:
    start = NOW - 100 * DAY
    path = written(tmp_path, timed(300, start))
    test = tmp_path / "test.parquet"
    pq.write_table(pa.table(timed(300, start + 40 * DAY)), test)
    assert shown(beyond(path, TIMED, test=test)) == [(CRITICAL, "id", 300)]
    (told,) = beyond(path, replace(TIMED, temporal=True), test=test)
    assert (told.severity, told.count) == (WARNING, 300)
    assert "as it will when they come again" in told.reason
