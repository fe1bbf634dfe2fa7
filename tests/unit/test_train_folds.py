"""Folds that follow time: judged by what was known before, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.contract import parse_contract
from ebb.errors import ContractError, DataError
from tests.fakes.contracts import TEXT
from training.folds import FOLDS, NEVER, make_folds, temporal_folds

DAY = 86400.0
TIMED = TEXT.replace("[label]", '[event_time]\ncolumn = "at"\n\n[label]', 1)


def labels_of(rows: int) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    return (np.arange(rows) % 2).astype(np.int8)


@settings(max_examples=60)
@given(st.integers(120, 600), st.integers(2, 400), st.floats(0, 200), st.integers(0, 99))
def test_no_row_learns_from_what_was_not_known_yet(rows: int, days: int, gap: float, seed: int) -> None:
    times = np.asarray(np.random.default_rng(seed).integers(0, days, rows) * DAY + 1e9, np.float64)
    try:
        folds = temporal_folds(times, labels_of(rows), gap=gap * DAY)
    except DataError as refused:
        assert "stratified" in str(refused)
        return
    assert 1 <= folds.count <= FOLDS
    assert sorted(np.unique(folds.fold[folds.held])) == list(range(folds.count))
    for k in range(folds.count):
        learned, held = folds.learned(k), folds.held_out(k)
        assert learned.any()
        assert not np.any(learned & held)
        assert np.max(times[learned]) + gap * DAY <= np.min(times[held])
    begins = [float(np.min(times[folds.held_out(k)])) for k in range(folds.count)]
    assert begins == sorted(begins)
    assert np.min(times[~folds.held]) == np.min(times), "the first span only serves to learn from"


def test_monthly_snapshots_with_a_label_window_of_three_months() -> None:
    months = np.repeat(np.arange(12), 50)
    folds = temporal_folds(months.astype(float) * 30 * DAY, labels_of(600), gap=90 * DAY)
    for k in range(folds.count):
        assert np.max(months[folds.learned(k)]) <= np.min(months[folds.held_out(k)]) - 3
    assert folds.count == FOLDS - 1, "the second span begins before any label of the first was known"
    assert set(np.unique(months[folds.fold == NEVER])) == {0, 1, 2, 3}


def test_a_span_of_one_class_judges_nothing() -> None:
    times = np.repeat(np.arange(7), 40).astype(np.float64) * DAY
    labels = labels_of(280)
    labels[times >= 5 * DAY] = 0
    folds = temporal_folds(times, labels, gap=0.0)
    assert not folds.held[times >= 6 * DAY].any()
    assert folds.count == FOLDS - 1


def test_time_that_is_too_short() -> None:
    with pytest.raises(DataError, match="the table spans 10 days and a label takes 90"):
        temporal_folds(np.linspace(0, 10 * DAY, 200), labels_of(200), gap=90 * DAY)


def test_the_contract_asks_for_temporal_folds() -> None:
    assert not parse_contract(TIMED).temporal
    contract = parse_contract('folds = "temporal"\n' + TIMED)
    assert contract.temporal
    times = np.arange(400).astype(np.float64) * DAY
    assert make_folds(contract, labels_of(400), 0, groups=None, times=times).times is times
    plain = make_folds(parse_contract(TIMED), labels_of(400), 0, groups=None, times=times)
    assert plain.times is None
    assert plain.held.all()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('folds = "random"\n' + TIMED, r'line 1: `folds` is \'random\', but must be "stratified" or "temporal"'),
        ('folds = "temporal"\n' + TEXT, r"line 1: .*needs the moment of each row"),
        ("folds = 5\n" + TIMED, "line 1: `folds` must be a text"),
    ],
)
def test_impossible_folds_name_the_line(text: str, reason: str) -> None:
    with pytest.raises(ContractError, match=reason):
        parse_contract(text)
