"""Whether a column moved against a reference, with thresholds that follow from the number of rows.

Both figures are taken over the bins of a release's `reference.json`, with missing as a bin of its own (the lowest).

PSI: sum (p - q) ln(p / q). Without drift, PSI / (1/n + 1/m) is asymptotically chi-square with bins - 1 degrees of
freedom, for n new rows and m of the reference (Yurdakul and Naranjo, "Statistical properties of the population
stability index", Journal of Risk Model Validation 14(4), 2020). Bins too small for that are put together.

KS: the largest distance of the two distribution functions at the bins' edges. Its critical value is Smirnov's
sqrt(-ln(alpha / 2) / 2 * (1/n + 1/m)) (Smirnov, "Table for estimating the goodness of fit of empirical distributions",
Annals of Mathematical Statistics 19(2), 1948), which is conservative for binned values (Noether, "Note on the
Kolmogorov statistic in the discrete case", Metrika 7, 1963).

Rates: the share of new rows lies within the predictive interval of the beta-binomial with Jeffreys' prior (Brown, Cai
and DasGupta, "Interval estimation for a binomial proportion", Statistical Science 16(2), 2001).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FALSE_ALARM_RATE = 0.01
"""Share of tables without any drift in which at least one drift expectation fails, at most."""

LEAST_IN_BIN = 10
"""Rows that a bin holds without drift, in either sample; smaller ones are put together (twice Cochran's rule of five,
as the logarithm suffers more from small counts than his quotient)."""

_MOST_FOR_RATES = 10_000


@dataclass(frozen=True)
class Bins:
    """A column of the reference, binned.

    Attributes:
        counts: rows of the reference, [B]: the bins of numbers in their order, or the categories and then all others;
            missing comes last.
        edges: of numbers, [B - 2]; empty for categories.
        categories: [B - 2]; empty for numbers.
        groups: which bins count together, [B].
        is_category: what the column holds.
    """

    counts: tuple[int, ...]
    edges: tuple[float, ...]
    categories: tuple[str, ...]
    groups: tuple[int, ...]
    is_category: bool

    @property
    def rows(self) -> int:
        """Rows of the reference."""
        return sum(self.counts)

    @property
    def groups_left(self) -> int:
        """How many bins are left when the small ones are put together."""
        return max(self.groups) + 1


def bins_of(entry: Mapping[str, Any], rows: int) -> Bins | None:
    """Return a feature's entry of `reference.json` as bins, or None where too few rows tell nothing.

    Args:
        entry: see `ebb.release.reference.Reference`.
        rows: independent rows of the table to be judged.
    """
    is_category = "categories" in entry
    names = tuple(entry["categories"]) if is_category else ()
    known = [*entry["categories"].values(), entry["other"]] if is_category else entry["counts"]
    counts = tuple(int(count) for count in (*known, entry["missing"]))
    total = sum(counts)
    if not total or not rows:
        return None
    expected = np.array(counts) * min(1.0, rows / total)
    groups = _groups(expected)
    if max(groups) < 1:
        return None
    return Bins(counts, () if is_category else tuple(map(float, entry["edges"])), names, groups, is_category)


def _groups(expected: NDArray[np.float64]) -> tuple[int, ...]:
    """Number the bins so that neighbours share a number until no number stands for a small one."""
    numbers: list[int] = []
    group, held = 0, 0.0
    for rows in expected:
        if held >= LEAST_IN_BIN:
            group, held = group + 1, 0.0
        numbers.append(group)
        held += float(rows)
    if held < LEAST_IN_BIN and group:
        numbers = [min(number, group - 1) for number in numbers]
    return tuple(numbers)


def count_numbers(values: NDArray[np.float64], bins: Bins) -> NDArray[np.float64]:
    """Count numbers by bin, [B]; NaN is missing. Values are rounded to float32 first, as the reference's were."""
    with np.errstate(over="ignore"):
        known = values[~np.isnan(values)].astype(np.float32).astype(np.float64)
    place = np.searchsorted(np.array(bins.edges), known, side="right")
    return np.append(np.bincount(place, minlength=len(bins.edges) + 1), len(values) - len(known)).astype(np.float64)


def count_categories(counts: Mapping[str, int], missing: int, bins: Bins) -> NDArray[np.float64]:
    """Lay counts by text out by bin, [B]."""
    listed = [counts.get(name, 0) for name in bins.categories]
    return np.array([*listed, sum(counts.values()) - sum(listed), missing], np.float64)


def psi(counts: NDArray[np.float64], bins: Bins) -> float:
    """Return the population stability index of counts [B] against the reference; 0.5 is added to every bin."""
    groups = np.array(bins.groups)
    new = np.bincount(groups, counts) + 0.5
    old = np.bincount(groups, np.array(bins.counts, np.float64)) + 0.5
    p, q = new / new.sum(), old / old.sum()
    return float(((p - q) * np.log(p / q)).sum())


def psi_limit(rows: int, bins: Bins, alpha: float) -> float:
    """Return the PSI that a table without drift exceeds with probability `alpha`."""
    return float(stats.chi2.isf(alpha, bins.groups_left - 1)) * (1 / rows + 1 / bins.rows)


def ks(counts: NDArray[np.float64], bins: Bins) -> float:
    """Return the largest distance of the distribution functions at the edges, 0 to 1; missing is the lowest value."""
    new, old = np.roll(counts, 1), np.roll(np.array(bins.counts, np.float64), 1)
    if not new.sum():
        return 0.0
    return float(np.abs(np.cumsum(new) / new.sum() - np.cumsum(old) / old.sum()).max())


def ks_limit(rows: int, bins: Bins, alpha: float) -> float:
    """Return the distance that a table without drift exceeds with probability `alpha` at most."""
    return math.sqrt(-math.log(alpha / 2) / 2 * (1 / rows + 1 / bins.rows))


def rate_bounds(count: int, of: int, rows: int, alpha: float) -> tuple[float, float]:
    """Return the bounds that the share in new rows leaves with probability `alpha` at most.

    Args:
        count: rows of the reference that have the property.
        of: all its rows.
        rows: independent new rows; more than 10,000 are taken for 10,000, which widens the bounds a little.
        alpha: probability, over both sides.
    """
    new = min(rows, _MOST_FOR_RATES)
    predicted = stats.betabinom(new, count + 0.5, of - count + 0.5)
    return max(0.0, float(predicted.ppf(alpha / 2)) / new), min(1.0, float(predicted.ppf(1 - alpha / 2)) / new)
