"""Fairness of groups, by hand, and with fairlearn's MetricFrame as the second opinion."""

import warnings

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, selection_rate, true_positive_rate
from numpy.typing import NDArray

from ebb.contract import Contract, parse_contract
from ebb.features.inputs import Inputs
from tests.fakes.made_contracts import contract_text
from training.evaluation.fair_groups import Fairness, TooSmall
from training.evaluation.fairness import Answers, fairness
from training.evaluation.groups import MISSING
from training.evaluation.resample import Resampler
from training.fit import code


def contract(smallest: int | None = None) -> Contract:
    text = contract_text(
        'name = "g"; kind = "category"; missing = true; protected = true', 'name = "x"; kind = "flag"; missing = true'
    )
    gate = "" if smallest is None else f"smallest_group = {smallest}\n"
    return parse_contract(text.replace("[gates]\n", f"[gates]\n{gate}"))


def judged(
    names: NDArray[np.object_],
    labels: NDArray[np.int8],
    probabilities: NDArray[np.float64],
    *,
    smallest: int | None = None,
    groups: NDArray[np.intp] | None = None,
) -> Fairness:
    inputs = Inputs(np.zeros((len(names), 1), np.float32), names[:, None])
    answers = Answers(probabilities, labels, probabilities >= 0.5)
    (found,) = fairness(contract(smallest), code(inputs), answers, Resampler(len(names), groups))
    return found


def biased(rows: int) -> tuple[NDArray[np.object_], NDArray[np.int8], NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    names = rng.choice(np.array(["a", "b", "c"], object), rows, p=[0.5, 0.3, 0.2])
    truth = np.clip(rng.random(rows) + np.where(names == "b", 0.2, 0), 0, 1)
    labels = (rng.random(rows) < truth).astype(np.int8)
    return names, labels, np.clip(truth - np.where(names == "c", 0.15, 0), 0, 1)


def test_groups_by_hand() -> None:
    names = np.array(["a"] * 60 + ["b"] * 60 + ["rare"] * 49 + [""] * 50, object)
    acted = np.isin(names, ["a", "rare"]) | (np.arange(len(names)) < 90)
    labels = (np.arange(len(names)) % 2).astype(np.int8)
    found = judged(names, labels, np.where(acted, 0.9, 0.1))
    assert {g.name: (g.rows, g.acted_on) for g in found.groups} == {"a": (60, 1.0), "b": (60, 0.5), MISSING: (50, 0.0)}
    assert found.gap == 1.0
    assert found.parity is not None
    assert found.parity.value == 1.0
    assert found.rows == 170
    assert found.not_judged == (TooSmall("rare", 49),)
    assert found.opportunity is None  # no group has fifty positive rows
    assert found.calibration is not None
    assert found.calibration.value == pytest.approx(0.4)  # all of a were answered 0.9, half are positive


def test_a_protected_group_of_three_rows_is_named_and_not_judged() -> None:
    names, labels, answers = biased(400)
    names[:3] = "of three"
    found = judged(names, labels, answers)
    assert found.not_judged == (TooSmall("of three", 3),)
    assert "of three" not in {g.name for g in found.groups}
    assert found.too_small == 1


def test_the_contract_says_which_group_is_too_small() -> None:
    names, labels, answers = biased(400)
    names[:3] = "of three"
    assert "of three" in {g.name for g in judged(names, labels, answers, smallest=3).groups}
    none = judged(names, labels, answers, smallest=1_000)
    assert (none.groups, none.parity, none.opportunity, none.calibration) == ((), None, None, None)
    assert (none.too_small, none.gap, none.rows) == (4, 0.0, 0)


def test_of_thousands_of_small_groups_twenty_are_named() -> None:
    names = np.array([f"g{i}" for i in range(900)], object)
    labels = (np.arange(900) % 2).astype(np.int8)
    found = judged(names, labels, np.full(900, 0.4))
    assert (found.too_small, len(found.not_judged)) == (900, 20)


def test_fairlearn_says_the_same() -> None:
    names, labels, answers = biased(3_000)
    found = judged(names, labels, answers)
    acted = answers >= 0.5
    metrics = {"acted": selection_rate, "found": true_positive_rate}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own libraries; not what is tested here
        frame = MetricFrame(metrics=metrics, y_true=labels, y_pred=acted, sensitive_features=names.astype(str))
    told = frame.by_group
    for group in found.groups:
        assert group.acted_on == pytest.approx(told.loc[group.name, "acted"])
        assert group.found == pytest.approx(told.loc[group.name, "found"])
    apart = frame.difference()
    assert found.parity is not None
    assert found.opportunity is not None
    assert found.parity.value == pytest.approx(apart["acted"])
    assert found.opportunity.value == pytest.approx(apart["found"])
    assert found.opportunity_rows == labels.sum()


def test_intervals_narrow_with_rows_and_hold_a_known_bias() -> None:
    few, many = judged(*biased(1_000)), judged(*biased(40_000))
    for found in (few, many):
        assert found.calibration is not None
        assert found.calibration.low is not None
        assert found.calibration.high is not None
        assert found.calibration.low <= 0.14 <= found.calibration.high  # 0.15, less where it was cut at 0
    assert few.parity is not None
    assert many.parity is not None
    assert few.parity.low is not None
    assert few.parity.high is not None
    assert many.parity.low is not None
    assert many.parity.high is not None
    assert few.parity.high - few.parity.low > 3 * (many.parity.high - many.parity.low)


def test_rows_of_one_entity_have_gaps_without_intervals() -> None:
    names, labels, answers = biased(500)
    found = judged(names, labels, answers, groups=np.zeros(500, np.intp))
    assert found.parity is not None
    assert found.parity.low is None


def test_a_category_that_is_named_missing_stays_apart_from_the_missing_ones() -> None:
    names = np.array(["missing"] * 60 + [""] * 80, object)
    found = judged(names, (np.arange(140) % 2).astype(np.int8), np.full(140, 0.4))
    assert sorted(g.rows for g in found.groups) == [60, 80]
