"""Which coalitions are scored, and that their scores become Shapley values."""

from hashlib import sha256
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ebb.reasons.design import EXACT, PAIRS, Design, design
from ebb.reasons.pairs import draw_pairs
from ebb.reasons.words import words
from tests.load.exact_reasons import shapley_values

SAMPLED = (EXACT + 1, 9, 10, 11, 16, 19, 20, 33, 64, 65, 110)


def _order(plan: Design) -> NDArray[np.intp]:
    """Return where each coalition stands among all 2^n, first feature first."""
    n = plan.coalitions.shape[1]
    return plan.coalitions.astype(np.intp) @ (1 << np.arange(n)[::-1])


@given(st.integers(1, EXACT), st.integers(0, 10**6))
def test_few_features_get_the_shapley_values_of_any_game(n: int, seed: int) -> None:
    game = np.random.default_rng(seed).normal(size=(2,) * n)
    plan = design(n)
    assert len(plan.coalitions) == 2**n
    assert plan.shares(game.ravel()[_order(plan)]) == pytest.approx(shapley_values(game), abs=1e-12)


def test_the_values_are_the_average_over_all_orders() -> None:
    game = np.random.default_rng(3).normal(size=(2,) * 4)
    expected = np.zeros(4)
    for order in permutations(range(4)):
        at = [0, 0, 0, 0]
        for feature in order:
            before = game[tuple(at)]
            at[feature] = 1
            expected[feature] += (game[tuple(at)] - before) / 24
    assert shapley_values(game) == pytest.approx(expected)


@pytest.mark.parametrize("n", SAMPLED)
def test_a_sampled_design_is_paired_distinct_and_of_its_size(n: int) -> None:
    plan = design(n)
    rows = {row.tobytes() for row in plan.coalitions}
    assert len(rows) == len(plan.coalitions) <= 2 * max(PAIRS, 2 * n) + 2
    assert len(rows) == 2**n or len(rows) > 1.9 * PAIRS
    assert rows == {row.tobytes() for row in ~plan.coalitions}
    assert not plan.coalitions[plan.bare].any()
    assert plan.coalitions[plan.whole].all()
    assert np.array_equal(plan.coalitions[plan.alone], np.eye(n, dtype=bool))
    assert np.array_equal(plan.coalitions[plan.without], ~np.eye(n, dtype=bool))


@pytest.mark.parametrize("n", [1, 2, EXACT, *SAMPLED])
def test_shares_add_up_whatever_the_scores_are(n: int) -> None:
    plan = design(n)
    expected = np.zeros(len(plan.coalitions))
    expected[plan.whole], expected[plan.bare] = 1.0, -1.0
    assert plan.matrix.sum(axis=0) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n", SAMPLED)
def test_a_game_of_effects_and_pairs_is_explained_exactly(n: int) -> None:
    random = np.random.default_rng(n)
    effects, together = random.normal(size=n), np.triu(random.normal(size=(n, n)), 1)
    plan = design(n)
    taken = plan.coalitions.astype(float)
    scores = 3.0 + taken @ effects + np.einsum("mi,ij,mj->m", taken, together, taken)
    expected = effects + (together + together.T).sum(axis=1) / 2
    assert plan.shares(scores) == pytest.approx(expected, abs=1e-8)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(SAMPLED[:7]), st.integers(0, 10**6), st.data())
def test_features_without_effect_get_nothing_and_the_others_the_better_fit(
    n: int, seed: int, data: st.DataObject
) -> None:
    idle = np.zeros(n, bool)
    idle[data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=n - 2, unique=True))] = True
    plan = design(n)
    seen = plan.coalitions & ~idle
    scores = np.array([np.random.default_rng([seed, *row]).normal() for row in seen.astype(int)])
    shares = plan.shares(scores)
    assert not shares[idle].any()
    assert shares.sum() == pytest.approx(scores[plan.whole] - scores[plan.bare], abs=1e-9)
    assert shares == pytest.approx(_fitted(plan, scores, idle), abs=1e-7)


def _fitted(plan: Design, scores: NDArray[np.float64], idle: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Solve the kernel's least squares once more, with those features left out from the start."""
    n = plan.coalitions.shape[1]
    drawn, weights = draw_pairs(n, max(PAIRS, 2 * n))
    places = {row.tobytes(): at for at, row in enumerate(plan.coalitions)}
    half = [(scores[places[z.tobytes()]] - scores[places[(~z).tobytes()]]) / 2 for z in drawn]
    kept = np.flatnonzero(~idle)
    last, others = kept[-1], kept[:-1]
    total = scores[plan.whole] - scores[plan.bare]
    centred = drawn - 0.5
    left = (centred[:, others] - centred[:, [last]]) * np.sqrt(weights)[:, None]
    right = (np.array(half) - centred[:, last] * total) * np.sqrt(weights)
    fitted = np.zeros(n)
    fitted[others] = np.linalg.lstsq(left, right, rcond=None)[0]
    fitted[last] = total - fitted.sum()
    return fitted


@pytest.mark.parametrize("n", [9, 10, 20, 33])
def test_sizes_are_drawn_evenly_and_weigh_what_the_kernel_says(n: int) -> None:
    drawn, weights = draw_pairs(n, PAIRS)
    sizes = drawn.sum(axis=1)
    assert max(sizes) == n // 2
    for size in range(1, n // 2 + 1):
        kernel = (n - 1) / (size * (n - size)) * (1 if 2 * size == n else 2)
        assert weights[sizes == size].sum() == pytest.approx(kernel)
    assert PAIRS - 5 <= len(drawn) <= PAIRS


def test_coalitions_are_spread_more_evenly_than_chance() -> None:
    drawn, _ = draw_pairs(20, PAIRS)
    large = np.where(drawn[drawn.sum(axis=1) == 10], 1.0, -1.0)
    keys = np.random.default_rng(0).random((200, *large.shape)).argsort(axis=2).argsort(axis=2)
    chance = np.where(keys < 10, 1.0, -1.0)
    uneven = [float((np.triu(signs.T @ signs, 1) ** 2).sum()) for signs in (large, *chance)]
    assert uneven[0] < min(uneven[1:])


def test_a_design_is_the_same_everywhere() -> None:
    # What was recorded is replayed with other processes, machines and versions of numpy.
    assert words(b"ebb", 3).tolist() == words(b"ebb", 5).tolist()[:3]
    assert sha256(np.packbits(design(20).coalitions).tobytes()).hexdigest()[:16] == "a01f0852bdda0180"


def test_designs_are_kept() -> None:
    assert design(20) is design(20)
    assert design(70) is design(70)
