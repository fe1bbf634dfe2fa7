"""A table to learn from may hold an entity at several moments: the key is both, and folds keep an entity together."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.contract import parse_contract
from ebb.errors import DataError
from tests.fakes.contracts import TEXT
from training.dataset import Dataset, accept_table
from training.dataset.keys import repeated_rows
from training.folds import FOLDS, fold_of

_CONTRACT = parse_contract(TEXT.replace("[label]", '[event_time]\ncolumn = "when"\n\n[label]'))
_START = datetime(2024, 1, 1, tzinfo=UTC)


def _accepted(ids: list[str], days: list[int], *, labelled: bool = True) -> Dataset:
    rows = len(ids)
    columns: dict[str, Any] = {
        "id": ids,
        "when": [_START + timedelta(days=day) for day in days],
        "tenure": [1] * rows,
        "Monthly  spend": [2.0] * rows,
        "paperless": [True] * rows,
        "plan": ["basic"] * rows,
        "city": ["york"] * rows,
        "left": ["yes", "no"] * (rows // 2) + ["yes"] * (rows % 2),
    }
    return accept_table(_CONTRACT, pa.table(columns), labelled=labelled, source="t")


def test_an_entity_may_have_one_row_a_moment() -> None:
    data = _accepted(["a", "b", "a", "c"], [0, 0, 1, 1])
    assert data.groups is not None
    assert data.groups.tolist() == [0, 1, 0, 2]
    assert _accepted(["a", "b", "c", "d"], [0, 0, 1, 1]).groups is None


def test_the_same_moment_twice_is_refused() -> None:
    with pytest.raises(DataError, match=r"repeats 1 key \('b'; the first in rows 2, 4\).*one row a moment"):
        _accepted(["a", "b", "a", "b"], [0, 1, 1, 1])


def test_without_labels_an_entity_has_one_row() -> None:
    with pytest.raises(DataError, match="each entity may have one row"):
        _accepted(["a", "b", "a", "c"], [0, 0, 1, 1], labelled=False)


def test_the_moment_is_part_of_what_the_content_is() -> None:
    ids = ["a", "b", "a", "c"]
    assert _accepted(ids, [0, 0, 1, 1]).sha256 == _accepted(ids, [0, 0, 1, 1]).sha256
    assert _accepted(ids, [0, 0, 1, 1]).sha256 != _accepted(ids, [0, 0, 2, 1]).sha256


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=30))
def test_repeated_rows_are_those_that_share_code_and_time(rows: list[tuple[int, int]]) -> None:
    codes = np.array([code for code, _ in rows], np.int32)
    times = np.array([time for _, time in rows], np.float64)
    assert repeated_rows(codes, times).tolist() == [rows.count(row) > 1 for row in rows]
    assert repeated_rows(codes, None).tolist() == [codes.tolist().count(code) > 1 for code, _ in rows]


def test_no_entity_stands_in_two_folds_and_classes_are_spread() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(300), 4)
    labels = (rng.random(1_200) < 0.3).astype(np.int8)
    fold = fold_of(labels, 0, groups)
    assert set(fold.tolist()) == set(range(FOLDS))
    assert all(len(set(fold[groups == group].tolist())) == 1 for group in range(300))
    rates = [labels[fold == k].mean() for k in range(FOLDS)]
    assert max(rates) - min(rates) < 0.05
    assert np.array_equal(fold, fold_of(labels, 0, groups))


@pytest.mark.parametrize(
    ("groups", "labels"),
    [
        (np.repeat(np.arange(4), 20), np.tile([0, 1], 40)),
        (np.concatenate([np.zeros(14, int), np.arange(1, 67)]), np.concatenate([np.ones(14, int), np.zeros(66, int)])),
    ],
    ids=["few entities", "one holds all of a class"],
)
def test_too_few_entities_are_refused(groups: Any, labels: Any) -> None:
    with pytest.raises(DataError, match="entities"):
        fold_of(labels.astype(np.int8), 0, groups)
