"""Each group's share stands with its interval, as far as these rows can tell."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ebb.contract import Contract
from ebb.features.inputs import Inputs
from tests.fakes.made_contracts import contract_of
from training.evaluation.fair_groups import Fairness
from training.evaluation.fairness import Answers, fairness
from training.evaluation.resample import Resampler
from training.fit.coded import code

CONTRACT: Contract = contract_of('name = "g"; kind = "category"; protected = true; missing = true')


def compared(
    groups: list[str], labels: NDArray[np.int8], acted: NDArray[np.bool_], entities: NDArray[np.intp] | None = None
) -> Fairness:
    texts = np.array(groups, object).reshape(-1, 1)
    coded = code(Inputs(np.empty((len(groups), 0), np.float32), texts))
    answers = Answers(np.where(acted, 0.9, 0.1), labels, acted)
    return fairness(CONTRACT, coded, answers, Resampler(len(labels), entities))[0]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_an_interval_holds_its_share(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    labels = (rng.random(400) < 0.5).astype(np.int8)
    found = compared(["a", "b"] * 200, labels, rng.random(400) < share)
    for group in found.groups:
        assert group.acted_on_interval is not None
        assert group.found_interval is not None
        assert group.found is not None
        assert 0 <= group.acted_on_interval.low <= group.acted_on <= group.acted_on_interval.high <= 1
        assert 0 <= group.found_interval.low <= group.found <= group.found_interval.high <= 1


def test_it_is_as_wide_as_chance_makes_it() -> None:
    acted = np.arange(2000) % 4 < 2
    found = compared(["a", "b"] * 1000, (np.arange(2000) % 3 == 0).astype(np.int8), acted)
    for group in found.groups:
        interval = group.acted_on_interval
        assert interval is not None
        width = interval.high - interval.low
        assert 0.8 < width / (2 * 1.96 * np.sqrt(0.25 / 1000)) < 1.2


def test_rows_of_one_entity_are_no_evidence_of_their_own() -> None:
    rng = np.random.default_rng(0)
    once = rng.random(100) < 0.5
    acted, labels = np.repeat(once, 20), np.repeat(rng.random(100) < 0.5, 20).astype(np.int8)
    groups = ["a"] * 1000 + ["b"] * 1000
    alone = compared(groups, labels, acted).groups[0].acted_on_interval
    together = compared(groups, labels, acted, np.repeat(np.arange(100), 20)).groups[0].acted_on_interval
    assert alone is not None
    assert together is not None
    assert together.high - together.low > 3 * (alone.high - alone.low)


def test_a_group_with_too_few_positive_rows_has_a_share_acted_on_alone() -> None:
    labels = np.zeros(200, np.int8)
    labels[1::2] = 1
    found = compared(["a", "b"] * 100, labels, np.arange(200) % 3 == 0)
    assert next(group.found for group in found.groups) is None
    assert next(group.found_interval for group in found.groups) is None
    assert all(group.acted_on_interval for group in found.groups)


def test_too_few_entities_tell_no_interval() -> None:
    entities = np.arange(200) % 5
    found = compared(["a", "b"] * 100, (np.arange(200) % 4 < 2).astype(np.int8), np.arange(200) % 3 == 0, entities)
    assert all(group.acted_on_interval is None and group.found_interval is None for group in found.groups)


def test_no_group_is_large_enough() -> None:
    found = compared([f"g{i}" for i in range(100)], (np.arange(100) % 2).astype(np.int8), np.arange(100) % 3 == 0)
    assert found.groups == ()
    assert found.too_small == 100
