"""The fallback score that is read off a table: few, readable, in the right direction, and never from a leak."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ebb.contract import Adjustment, Feature, Kind, Rules
from ebb.rules import rules_score
from training.dataset.texts import Texts
from training.describe.fallback import guess_rules
from training.describe.kinds import Column
from training.describe.model import Guess

RANDOM = np.random.default_rng(11)
ROWS = 2_000


def number(values: NDArray[np.float64], kind: Kind = Kind.NUMBER) -> Column:
    return Column(kind, numbers=values, missing=int(np.isnan(values).sum()))


def category(codes: NDArray[np.int32], *names: str) -> Column:
    return Column(Kind.CATEGORY, texts=Texts(np.array(["", *names], object), codes))


def rules(labels: NDArray[np.int8], *columns: Column, **marks: bool) -> Rules:
    guesses = [
        Guess(
            Feature(
                f"x{i}",
                f"x{i}",
                column.kind or Kind.NUMBER,
                personal=marks.get("personal", False),
                protected=marks.get("protected", False),
            ),
            0.0,
            (),
            leak=marks.get("leak", False),
        )
        for i, column in enumerate(columns)
    ]
    return guess_rules(guesses, list(columns), labels, np.arange(len(labels)))


def drawn(probability: NDArray[np.float64]) -> NDArray[np.int8]:
    return (RANDOM.random(len(probability)) < probability).astype(np.int8)


def test_a_threshold_is_found_and_readable() -> None:
    tenure = RANDOM.integers(0, 72, ROWS).astype(float)
    found = rules(drawn(np.where(tenure < 13, 0.6, 0.1)), number(tenure, Kind.INTEGER))
    assert len(found.adjustments) == 1
    first = found.adjustments[0]
    assert (first.below is None) != (first.at_least is None)
    cut = first.below if first.below is not None else first.at_least
    assert cut is not None
    assert 7 <= cut <= 22
    assert float(f"{cut:.2g}") == cut
    assert (first.add > 0) == (first.below is not None)


def test_a_category_a_flag_and_a_gap_are_found() -> None:
    codes = RANDOM.integers(1, 4, ROWS).astype(np.int32)
    flag = RANDOM.integers(0, 2, ROWS).astype(float)
    gaps = np.where(RANDOM.random(ROWS) < 0.3, np.nan, RANDOM.random(ROWS))
    labels = drawn(0.1 + 0.35 * (codes == 2) + 0.25 * flag + 0.25 * np.isnan(gaps))
    found = rules(labels, category(codes, "a", "b", "c"), number(flag, Kind.FLAG), number(gaps))
    by_name = {a.feature: a for a in found.adjustments}
    assert by_name["x0"].equals == "b"
    assert by_name["x1"].equals is True
    # a gap and the values beside it are two sides of one split
    assert by_name["x2"].missing == (by_name["x2"].add > 0)
    assert all(abs(a.add) > 0.05 for a in found.adjustments)


def test_a_missing_category_is_a_condition_of_its_own() -> None:
    codes = RANDOM.integers(0, 2, ROWS).astype(np.int32)
    found = rules(drawn(np.where(codes == 0, 0.7, 0.2)), category(codes, "a"))
    assert found.adjustments[0] in {
        Adjustment("x0", found.adjustments[0].add, missing=True),
        Adjustment("x0", found.adjustments[0].add, equals="a"),
    }


def test_noise_gives_the_base_rate_alone() -> None:
    labels = np.zeros(ROWS, np.int8)
    labels[::4] = 1
    found = rules(labels, number(np.tile([1.0, 2.0, 3.0, 4.0, 5.0], ROWS // 5)))
    assert found == Rules(0.25, ())


@pytest.mark.parametrize("mark", ["leak", "personal", "protected"])
def test_what_should_not_decide_gives_no_rule(mark: str) -> None:
    flag = RANDOM.integers(0, 2, ROWS).astype(float)
    assert rules(drawn(0.1 + 0.7 * flag), number(flag, Kind.FLAG), **{mark: True}).adjustments == ()


def test_rare_conditions_give_no_rule() -> None:
    flag = (np.arange(ROWS) < 20).astype(float)
    assert rules(np.maximum(flag, np.arange(ROWS) % 2 == 0).astype(np.int8), number(flag, Kind.FLAG)).adjustments == ()


def test_at_most_three_features_each_once() -> None:
    columns = [RANDOM.random(ROWS) for _ in range(6)]
    high = np.sum(np.stack(columns) > 0.5, axis=0).astype(np.float64)
    found = rules(drawn(0.05 + 0.14 * high), *map(number, columns))
    assert 2 <= len(found.adjustments) <= 3
    assert len({a.feature for a in found.adjustments}) == len(found.adjustments)
    assert all(-1 <= a.add <= 1 for a in found.adjustments)


def test_columns_of_infinities_or_gaps_only_are_survived() -> None:
    labels = drawn(np.full(ROWS, 0.3))
    odd = np.where(RANDOM.random(ROWS) < 0.5, np.inf, np.nan)
    assert isinstance(rules(labels, number(odd)), Rules)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_score_ranks_better_than_chance_on_fresh_rows(seed: int) -> None:
    random = np.random.default_rng(seed)
    tenure, flag = random.integers(0, 60, 1_500).astype(float), random.integers(0, 2, 1_500).astype(float)
    probability = 0.05 + 0.4 * (tenure < 20) + 0.3 * flag
    labels = (random.random(1_500) < probability).astype(np.int8)
    found = rules(labels[:1_000], number(tenure[:1_000]), number(flag[:1_000], Kind.FLAG))
    scores = np.array([rules_score(found, {"x0": t, "x1": f}) for t, f in zip(tenure, flag, strict=True)])
    fresh = slice(1_000, None)
    assert scores[fresh][labels[fresh] == 1].mean() > scores[fresh][labels[fresh] == 0].mean() + 0.05
    assert ((scores >= 0) & (scores <= 1)).all()
