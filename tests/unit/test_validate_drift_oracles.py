"""The figures of drift against scipy, pandas and plain loops; their thresholds against simulated tables."""

import math
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from training.validation.drift import (
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

COUNTS = st.lists(st.integers(0, 500), min_size=3, max_size=12).filter(lambda counts: sum(counts) > 0)
VALUES = st.floats(-1e6, 1e6, width=32)


def binned(counts: list[int], groups: list[int] | None = None) -> Bins:
    """Bins of a number with these counts, missing last; each bin a group of its own where nothing else is said."""
    edges = tuple(float(i) for i in range(len(counts) - 2))
    return Bins(tuple(counts), edges, (), tuple(groups or range(len(counts))), is_category=False)


def psi_by_hand(new: list[int], old: list[int], groups: list[int]) -> float:
    found, several = 0.0, sorted(set(groups))
    n, m = sum(new) + 0.5 * len(several), sum(old) + 0.5 * len(several)
    for group in several:
        p = (sum(c for c, g in zip(new, groups, strict=True) if g == group) + 0.5) / n
        q = (sum(c for c, g in zip(old, groups, strict=True) if g == group) + 0.5) / m
        found += (p - q) * math.log(p / q)
    return found


@given(st.data(), COUNTS)
def test_psi_is_its_sum(data: st.DataObject, old: list[int]) -> None:
    new = data.draw(st.lists(st.integers(0, 500), min_size=len(old), max_size=len(old)))
    groups = [i // 2 for i in range(len(old))]
    assert psi(np.array(new, float), binned(old, groups)) == pytest.approx(psi_by_hand(new, old, groups), abs=1e-12)


@given(COUNTS)
def test_psi_of_proportional_counts_is_next_to_nothing(old: list[int]) -> None:
    """Ten times the rows with the same shares differ by the half row that is added to each bin alone."""
    scaled = np.array(old, float) * 10
    assert 0 <= psi(scaled, binned(old)) < len(old) / sum(old) + 1e-9


@settings(deadline=None, max_examples=40)
@given(st.data(), COUNTS)
def test_psi_grows_as_a_bin_empties_into_another(data: st.DataObject, old: list[int]) -> None:
    """Moving rows ever further from the reference never lowers it."""
    a, b = data.draw(st.permutations(range(len(old))))[:2]
    found = []
    for share in (0.0, 0.5, 1.0):
        new = np.array(old, float)
        new[b] += new[a] * share
        new[a] *= 1 - share
        found.append(psi(new, binned(old)))
    assert found[0] == pytest.approx(0, abs=1e-12)
    assert found[1] <= found[2] + 1e-12


@settings(deadline=None, max_examples=40)
@given(st.lists(VALUES, min_size=5, max_size=60), st.lists(VALUES, min_size=5, max_size=60))
def test_ks_at_the_edges_is_scipys_where_every_value_is_an_edge(old: list[float], new: list[float]) -> None:
    edges = np.unique(np.array([*old, *new], np.float32).astype(np.float64))
    counts = np.bincount(np.searchsorted(edges, np.array(old), side="right"), minlength=len(edges) + 1)
    bins = Bins((*counts.tolist(), 0), tuple(edges.tolist()), (), tuple(range(len(edges) + 2)), is_category=False)
    told = ks(count_numbers(np.array(new), bins), bins)
    assert told == pytest.approx(stats.ks_2samp(old, new, method="asymp").statistic, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.lists(VALUES | st.just(math.nan), min_size=1, max_size=60), st.lists(VALUES, min_size=1, max_size=9))
def test_numbers_are_counted_as_pandas_cuts_them(values: list[float], edges: list[float]) -> None:
    sides = np.unique(np.array(edges, np.float32).astype(np.float64))
    bins = Bins((1,) * (len(sides) + 2), tuple(sides.tolist()), (), tuple(range(len(sides) + 2)), is_category=False)
    cut = pd.cut(pd.Series(values), [-np.inf, *sides, np.inf], right=False)
    told = [*cut.value_counts(sort=False).tolist(), int(np.isnan(values).sum())]
    assert count_numbers(np.array(values), bins).tolist() == told


def test_a_value_that_rounds_onto_an_edge_lies_above_it_as_in_the_reference() -> None:
    edge = float(np.float32(0.1))
    bins = Bins((5, 5, 0), (edge,), (), (0, 1, 2), is_category=False)
    assert count_numbers(np.array([0.1, 0.1 - 1e-12, 0.09]), bins).tolist() == [1, 2, 0]
    assert count_numbers(np.array([1e300, -1e300, np.inf]), bins).tolist() == [1, 2, 0]


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 50)), st.integers(0, 9))
def test_categories_are_counted_once(counts: dict[str, int], missing: int) -> None:
    bins = Bins((1, 1, 1, 1), (), ("a", "b"), (0, 1, 2, 3), is_category=True)
    told = count_categories(counts, missing, bins)
    others = sum(n for name, n in counts.items() if name not in {"a", "b"})
    assert told.tolist() == [counts.get("a", 0), counts.get("b", 0), others, missing]


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 300), min_size=1, max_size=9), st.integers(0, 80))
def test_an_entry_of_categories_becomes_bins_in_its_order(categories: dict[str, int], missing: int) -> None:
    entry = {"categories": categories, "other": 7, "missing": missing}
    bins = bins_of(entry, 10_000)
    if bins is None:
        assert sum(categories.values()) + 7 + missing < 2 * LEAST_IN_BIN or _one_group(entry)
        return
    assert bins.counts == (*categories.values(), 7, missing)
    assert bins.categories == tuple(categories)
    assert (bins.edges, bins.is_category, bins.rows) == ((), True, sum(bins.counts))


def _one_group(entry: dict[str, Any]) -> bool:
    """Whether neighbours together make only one group of ten rows, counted one after another."""
    groups, held = 0, 0
    for count in (*entry["categories"].values(), entry["other"], entry["missing"]):
        held += count
        if held >= LEAST_IN_BIN:
            groups, held = groups + 1, 0
    return groups <= 1


@pytest.mark.parametrize("bins", [2, 5, 11])
@pytest.mark.parametrize("alpha", [0.01, 0.0005])
def test_the_limit_of_psi_is_chi_squares(bins: int, alpha: float) -> None:
    reference = binned([200] * bins)
    rows = 1_000
    expected = stats.chi2.ppf(1 - alpha, bins - 1) * (1 / rows + 1 / (200 * bins))
    assert psi_limit(rows, reference, alpha) == pytest.approx(expected)


@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.01])
def test_the_limit_of_ks_is_kolmogorovs(alpha: float) -> None:
    """Smirnov's bound is the first term of Kolmogorov's series, and so a little above its quantile."""
    reference = binned([5_000, 5_000, 0])
    scaled = ks_limit(4_000, reference, alpha) / math.sqrt(1 / 4_000 + 1 / 10_000)
    exact = float(stats.kstwobign.isf(alpha))
    assert exact <= scaled < exact * 1.001


SHARES = np.array([0.25, 0.25, 0.2, 0.15, 0.1, 0.05])


def simulated(rows: int, of: int, tables: int, alpha: float) -> tuple[float, float]:
    """Return how often PSI and KS pass their limits in tables that were drawn from the reference's own shares."""
    random = np.random.default_rng(rows * 31 + of)
    olds, news = random.multinomial(of, SHARES, tables), random.multinomial(rows, SHARES, tables)
    passed = np.zeros(2)
    for old, new in zip(olds.tolist(), news.astype(float), strict=True):
        bins = bins_of({"edges": [0.0, 1.0, 2.0, 3.0], "counts": old[:5], "missing": old[5]}, rows)
        assert bins is not None
        passed += [psi(new, bins) > psi_limit(rows, bins, alpha), ks(new, bins) > ks_limit(rows, bins, alpha)]
    return float(passed[0]) / tables, float(passed[1]) / tables


@pytest.mark.parametrize(("rows", "of"), [(100, 100), (100, 10_000), (1_000, 1_000), (10_000, 300), (50_000, 50_000)])
def test_false_alarms_are_as_rare_as_alpha_at_any_size(rows: int, of: int) -> None:
    tables, alpha = 1_000, 0.05
    by_psi, by_ks = simulated(rows, of, tables, alpha)
    chance = 3.5 * math.sqrt(alpha * (1 - alpha) / tables)
    assert by_psi < alpha + chance
    assert by_ks < alpha + chance
    if min(rows, of) >= 1_000:
        assert by_psi > alpha - chance, "a limit that is never met would find nothing either"


def test_a_psi_of_a_fifth_says_nothing_without_the_rows() -> None:
    """Folklore calls 0.2 a large shift: of 100 rows against 100 chance alone makes it, of 100,000 never."""
    few, many = binned([20] * 5), binned([20_000] * 5)
    assert psi_limit(100, few, 0.01) > 0.2
    assert psi_limit(100_000, many, 0.01) < 0.001


@pytest.mark.parametrize("rows", [200, 2_000, 20_000])
def test_the_power_grows_with_the_rows(rows: int) -> None:
    random = np.random.default_rng(rows)
    moved = SHARES + np.array([0.04, 0, 0, 0, -0.04, 0])
    found = 0
    for _ in range(60):
        old, new = random.multinomial(rows, SHARES), random.multinomial(rows, moved)
        bins = bins_of({"edges": [0.0, 1.0, 2.0, 3.0], "counts": old[:5].tolist(), "missing": int(old[5])}, rows)
        assert bins is not None
        found += psi(new.astype(float), bins) > psi_limit(rows, bins, 0.001)
    least, most = {200: (0, 20), 2_000: (30, 60), 20_000: (60, 60)}[rows]
    assert least <= found <= most


@pytest.mark.parametrize(("share", "of", "rows"), [(0.0, 500, 300), (0.02, 900, 400), (0.5, 60, 200), (1, 99, 9)])
def test_rates_alarm_as_rarely_as_alpha(share: float, of: int, rows: int) -> None:
    random = np.random.default_rng(of)
    alpha, tables, outside = 0.05, 200, 0
    bounds: dict[int, tuple[float, float]] = {}
    for _ in range(tables):
        count = int(random.binomial(of, share))
        low, high = bounds.setdefault(count, rate_bounds(count, of, rows, alpha))
        outside += not low <= random.binomial(rows, share) / rows <= high
    assert outside / tables < alpha + 3.5 * math.sqrt(alpha / tables)


@given(st.integers(1, 2_000), st.integers(1, 3_000), st.data())
@settings(deadline=None, max_examples=25)
def test_the_bounds_of_a_rate_hold_the_references_own_share(of: int, rows: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, of))
    low, high = rate_bounds(count, of, rows, 0.01)
    assert 0 <= low <= high <= 1
    # up to the step from one whole row to the next
    assert low - 1 / rows <= count / of <= high + 1 / rows


def test_more_than_ten_thousand_rows_are_taken_for_ten_thousand() -> None:
    at, beyond = rate_bounds(300, 5_000, 10_000, 0.001), rate_bounds(300, 5_000, 9_000_000, 0.001)
    assert at == beyond
    less = rate_bounds(300, 5_000, 1_000, 0.001)
    assert less[0] < at[0] < 0.06 < at[1] < less[1]


def test_the_bounds_of_a_rate_are_beta_binomial_quantiles_by_simulation() -> None:
    random = np.random.default_rng(8)
    shares = random.beta(60.5, 940.5, 200_000)
    drawn = random.binomial(500, shares) / 500
    low, high = rate_bounds(60, 1_000, 500, 0.02)
    assert low == pytest.approx(np.quantile(drawn, 0.01), abs=0.0021)
    assert high == pytest.approx(np.quantile(drawn, 0.99), abs=0.0021)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 40), min_size=2, max_size=20), st.integers(1, 2_000))
def test_bins_are_joined_with_neighbours_alone_and_no_more_than_needed(counts: list[int], rows: int) -> None:
    entry = {"edges": [float(i) for i in range(len(counts) - 2)], "counts": counts[:-1], "missing": counts[-1]}
    bins = bins_of(entry, rows)
    if bins is None:
        return
    expected = np.array(counts) * min(1.0, rows / sum(counts))
    assert sorted(set(bins.groups)) == list(range(bins.groups_left))
    for group in range(bins.groups_left - 1):
        members = [e for e, g in zip(expected, bins.groups, strict=True) if g == group]
        assert sum(members[:-1]) < LEAST_IN_BIN, "the group was large enough before its last bin"
    sizes = Counter(bins.groups)
    assert sum(sizes.values()) == len(counts)
