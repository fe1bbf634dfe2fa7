"""Drift: false alarms are as rare as stated, and a real shift is found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ebb.contract import Contract
from ebb.features.inputs import Inputs
from ebb.release.reference import Reference, make_reference
from tests.fakes.made_contracts import contract_of
from training.validation.drift import (
    FALSE_ALARM_RATE,
    LEAST_IN_BIN,
    Bins,
    bins_of,
    count_categories,
    count_numbers,
    ks,
    ks_limit,
    psi,
    psi_limit,
    rate_bounds,
)
from training.validation.expected import Kind
from training.validation.suite import Seen, suite_of

NUMBER = 'name = "x"; kind = "number"; missing = true'
CATEGORY = 'name = "k"; kind = "category"; missing = true'
CONTRACT = contract_of(NUMBER, CATEGORY, 'name = "z"; kind = "number"; missing = true')


def inputs_of(random: np.random.Generator, rows: int, *, shift: float = 0.0) -> Inputs:
    numbers = random.lognormal(shift, 1.0, (rows, 2)).astype(np.float32)
    numbers[random.random((rows, 2)) < 0.04] = np.nan
    categories = random.choice(np.array(["a", "b", "c", "d", ""], object), (rows, 1), p=[0.5, 0.3, 0.1, 0.05, 0.05])
    return Inputs(numbers, categories)


def reference_of(inputs: Inputs, labels: NDArray[np.int8], contract: Contract = CONTRACT) -> Reference:
    return make_reference(contract, inputs, labels, np.zeros(len(inputs), np.float32))


def alarms(random: np.random.Generator, *, rows: int, of: int, shift: float = 0.0) -> set[str]:
    labels = (random.random(of) < 0.2).astype(np.int8)
    reference = reference_of(inputs_of(random, of), labels)
    new, outcome = inputs_of(random, rows, shift=shift), random.random(rows) < 0.2
    seen = Seen(frozenset({"x", "k", "z", "y"}), rows, 0.0)
    found = set()
    for expected in suite_of(CONTRACT, seen, reference):
        if expected.rows == 0:
            continue
        values = new.numbers[:, 1 if expected.column == "z" else 0].astype(np.float64)
        texts = new.categories[:, 0]
        observed = 0.0
        if expected.bins is not None:
            counts = (
                count_categories({t: int((texts == t).sum()) for t in "abcd"}, int((texts == "").sum()), expected.bins)
                if expected.column == "k"
                else count_numbers(values, expected.bins)
            )
            observed = psi(counts, expected.bins) if expected.kind is Kind.PSI else ks(counts, expected.bins)
        elif expected.kind is Kind.LABEL_RATE:
            observed = float(outcome.mean())
        else:
            observed = float((texts == "").mean() if expected.column == "k" else np.isnan(values).mean())
        if not (expected.minimum or 0.0) <= observed <= (expected.maximum or 0.0):
            found.add(f"{expected.kind.value} {expected.column}")
    return found


@pytest.mark.parametrize(("rows", "of"), [(300, 2_000), (2_000, 400)])
def test_tables_without_drift_alarm_as_rarely_as_stated(rows: int, of: int) -> None:
    random = np.random.default_rng(rows)
    trials = 150
    found = sum(bool(alarms(random, rows=rows, of=of)) for _ in range(trials))
    # the stated rate, and three standard deviations of such a count above it
    assert found <= FALSE_ALARM_RATE * trials + 3 * np.sqrt(FALSE_ALARM_RATE * trials)


def test_the_threshold_of_psi_is_met_as_often_as_its_alpha_says() -> None:
    random = np.random.default_rng(5)
    share = np.array([0.3, 0.3, 0.2, 0.15, 0.05])
    passed = 0
    for _ in range(1_000):
        old, new = random.multinomial(4_000, share), random.multinomial(1_500, share)
        bins = bins_of({"edges": [1.0, 2.0, 3.0], "counts": old[:4].tolist(), "missing": int(old[4])}, 1_500)
        assert bins is not None
        passed += psi(new.astype(np.float64), bins) > psi_limit(1_500, bins, 0.05)
    assert 0.03 < passed / 1_000 < 0.07


def test_a_shift_is_found_in_every_table() -> None:
    random = np.random.default_rng(3)
    for _ in range(5):
        found = alarms(random, rows=2_000, of=2_000, shift=0.3)
        assert {"drift (PSI) x", "drift (KS) x", "drift (PSI) z"} <= found
        assert "drift (PSI) k" not in found


def test_more_rows_see_smaller_shifts() -> None:
    entry = {"edges": [1.0], "counts": [500_000, 500_000], "missing": 0}
    few, many = bins_of(entry, 1_000), bins_of(entry, 100_000)
    assert few is not None
    assert many is not None
    assert psi_limit(100_000, many, 0.01) < psi_limit(1_000, few, 0.01) / 50
    assert ks_limit(100_000, many, 0.01) < ks_limit(1_000, few, 0.01) / 5


@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=12),
    st.integers(0, 60),
    st.integers(1, 5_000),
)
def test_no_group_of_bins_is_small_and_all_are_in_one(counts: list[int], missing: int, rows: int) -> None:
    entry = {"edges": [float(i) for i in range(len(counts) - 1)], "counts": counts, "missing": missing}
    bins = bins_of(entry, rows)
    total = sum(counts) + missing
    if bins is None:
        return
    expected = np.bincount(bins.groups, np.array(bins.counts) * min(1.0, rows / total))
    assert len(bins.groups) == len(counts) + 1
    assert bins.groups_left >= 2
    assert np.min(expected) >= LEAST_IN_BIN - 1e-9
    assert list(bins.groups) == sorted(bins.groups)


@given(st.lists(st.floats(-1e6, 1e6, width=32) | st.just(float("nan")), min_size=40, max_size=80))
def test_a_table_has_no_drift_against_itself(values: list[float]) -> None:
    contract = contract_of(NUMBER)
    column = np.array(values, np.float32).reshape(-1, 1)
    made = Inputs(column, np.empty((len(values), 0), object))
    reference = reference_of(made, np.zeros(len(values), np.int8), contract)
    bins = bins_of(reference.features["x"], len(values))
    if bins is not None:
        counts = count_numbers(column[:, 0].astype(np.float64), bins)
        assert counts.tolist() == list(bins.counts)
        assert psi(counts, bins) == 0.0
        assert ks(counts, bins) == 0.0


def test_unheard_categories_count_as_others() -> None:
    bins = Bins((50, 30, 10, 10), (), ("a", "b"), (0, 1, 2, 3), is_category=True)
    assert count_categories({"a": 5, "new": 7}, 2, bins).tolist() == [5, 0, 7, 2]


def test_too_few_rows_are_not_judged() -> None:
    assert bins_of({"edges": [1.0], "counts": [6, 6], "missing": 0}, 12) is None
    assert bins_of({"edges": [], "counts": [0], "missing": 0}, 100) is None
    assert bins_of({"edges": [1.0], "counts": [60, 60], "missing": 0}, 0) is None


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.5, 1.0])
def test_rates_stay_within_their_bounds(share: float) -> None:
    random = np.random.default_rng(11)
    least, most = 0, 0
    for _ in range(60):
        low, high = rate_bounds(int(random.binomial(3_000, share)), 3_000, 2_000, 0.01)
        observed = random.binomial(2_000, share) / 2_000
        least, most = least + (observed < low), most + (observed > high)
    assert least + most <= 4


def test_a_missing_rate_that_doubles_is_outside() -> None:
    low, high = rate_bounds(300, 10_000, 2_000, 0.001)
    assert low < 0.03 < high < 0.06
