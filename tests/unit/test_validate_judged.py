"""Figures judged by kind: the same verdicts as each expectation's bounds by themselves; nothing unknown holds."""

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.contract import Contract
from ebb.features.inputs import Inputs
from ebb.release.reference import make_reference
from tests.fakes.made_contracts import contract_of
from tests.unit.validate_case import DAY, NOW, good, made_contract
from training.dataset import Dataset, accept_table
from training.validation import gx, judged, validate
from training.validation.expected import COUNTED, Expected, Kind, Verdict
from training.validation.judged import bounds, keep
from training.validation.measured import OTHERS, measure
from training.validation.question import edges_of
from training.validation.results import results_of

BOUND = st.none() | st.floats(-1e6, 1e6) | st.integers(0, 3).map(float)
FIGURE = BOUND | st.just(math.inf) | st.just(math.nan)
CASE = st.tuples(st.sampled_from(list(Kind)), BOUND, BOUND, FIGURE)


def alone(expected: Expected, told: float | None) -> bool:
    """What the bounds say of one figure, without any library."""
    least, most = bounds(expected)
    if least is None and most is None:
        return True
    if told is None or math.isnan(told):
        return False
    return (least is None or told >= least) and (most is None or told <= most)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(CASE, min_size=1, max_size=40))
def test_figures_judged_together_are_judged_as_each_alone(
    cases: list[tuple[Kind, float | None, float | None, float | None]],
) -> None:
    suite, figures = [], []
    for i, (kind, least, most, told) in enumerate(cases):
        low = 0.0 if kind not in COUNTED and least is None and most is None else least
        suite.append(Expected(kind, f"c{i}", "warning", minimum=low, maximum=most))
        figures.append(told)
    assert keep(suite, figures).tolist() == [alone(e, told) for e, told in zip(suite, figures, strict=True)]


def test_one_broken_row_among_a_thousand_columns_is_the_only_one_told() -> None:
    suite = [Expected(Kind.RANGE, f"c{i}", "critical", minimum=0.0, maximum=float(i)) for i in range(1_000)]
    figures: list[float | None] = [0.0] * 1_000
    figures[617] = 1.0
    figures[20] = None
    assert np.flatnonzero(~keep(suite, figures)).tolist() == [20, 617]


def test_an_empty_suite_holds() -> None:
    assert keep([], []).tolist() == []


def test_bounds_that_cross_hold_nowhere() -> None:
    """A class can have 50 rows and 50 fewer than all only where there are 100."""
    suite = [Expected(Kind.CLASSES, "y", "critical", minimum=50, maximum=-10)]
    assert not keep(suite, [30.0]).any()


def accepted(contract: Contract, columns: dict[str, object]) -> Dataset:
    return accept_table(contract, pa.table(columns), labelled=True, source="t")


def test_accepted_rows_are_measured() -> None:
    data = accepted(made_contract(), good())
    told = measure(made_contract(), data, np.arange(data.rows), now=NOW, edges={"n": (0.25, 0.5)})
    numbers = data.inputs.numbers[:, 0]
    known = numbers[~np.isnan(numbers)]
    assert told.rows == 2_000
    assert told.columns["n"].figures == {
        "filled": len(known), "unreadable": 0, "distinct": len(np.unique(known)), "least": float(np.min(known)),
        "most": float(np.max(known)), "outside": 0, "example": None, "fractions": len(known),
    }  # fmt: skip
    assert told.columns["n"].above == [int((known >= 0.25).sum()), int((known >= 0.5).sum())]
    texts = data.inputs.categories[:, 0]
    assert told.columns["k"].texts == {name: int((texts == name).sum()) for name in told.columns["k"].texts}
    assert set(told.columns["k"].texts) == {"a", "b"}
    assert told.columns["id"].figures["distinct"] == 1_000
    assert data.labels is not None
    assert told.columns["y"].texts == {"1": int(np.sum(data.labels == 1)), OTHERS: int(np.sum(data.labels == 0))}
    assert told.repeated == 0
    assert told.immature == 0
    assert told.filled == {"id", "at", "i", "l", "t", "y"}


def test_rows_that_acceptance_would_not_let_in_are_measured_all_the_same() -> None:
    """Nothing is taken on trust: the figures would tell if acceptance failed."""
    data = accepted(made_contract(), good())
    assert data.event_times is not None
    numbers, ids, times = data.inputs.numbers.copy(), data.entity_ids.copy(), data.event_times.copy()
    numbers[3, 0], numbers[4, 0], numbers[5, 1], numbers[6, 2] = 7.0, -2.0, 1.5, 3.0
    ids[1], times[1] = ids[0], times[0]
    times[7] = NOW + 2 * DAY
    data = replace(data, inputs=Inputs(numbers, data.inputs.categories), entity_ids=ids, event_times=times)
    labels = data.labels
    assert labels is not None
    found = validate(made_contract(), data, "t", now=NOW)
    broken = {(v.expected.kind, v.expected.column): v.observed for v in found.verdicts if not v.passed}
    assert broken == {
        (Kind.RANGE, "n"): 2, (Kind.WHOLE, "i"): 1, (Kind.LISTED, "f"): 1, (Kind.KEY, "id"): 2,
        (Kind.NOT_AHEAD, "at"): 1,
        **({} if labels[7] else {(Kind.MATURE, "at"): 1}),
    }  # fmt: skip
    reasons = [f.reason for f in found if f.column == "n"]
    assert reasons == ["is outside 0 to 1 in 2 rows, such as '-2.0'"]


def test_drift_of_accepted_rows_is_judged_against_the_reference() -> None:
    data = accepted(made_contract(), good(seed=1))
    assert data.labels is not None
    reference = make_reference(made_contract(), data.inputs, data.labels, np.zeros(data.rows, np.float32))
    assert set(edges_of(made_contract(), reference)) == {"n", "i", "f", "t"}
    assert list(validate(made_contract(), data, "t", reference=reference, now=NOW)) == []
    columns = good(seed=5)
    columns["t"] = [str(float(text) + 1.0) for text in columns["t"]]
    moved = validate(made_contract(), accepted(made_contract(), columns), "t", reference=reference, now=NOW)
    assert {f.column for f in moved} == {"t"}
    assert "has moved against the reference: PSI" in moved.findings[0].reason


@pytest.mark.parametrize("columns", [230])
def test_a_wide_table_is_asked_as_few_things_as_a_narrow_one(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    judge = gx.judge

    def counted(frame: object, expectations: list[object], name: str, **rest: object) -> object:
        asked.append(len(expectations))
        return judge(frame, expectations, name, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(judged, "judge", counted)
    random = np.random.default_rng(0)
    contract = contract_of(*(f'name = "x{i}"; kind = "number"; missing = true; min = -{i}' for i in range(columns)))
    made = {f"x{i}": random.random(200) for i in range(columns)} | {"y": random.integers(0, 2, 200)}
    found = validate(contract, accepted(contract, made), "t", now=NOW)
    assert len(found.verdicts) > 5 * columns
    assert list(found) == []
    assert sum(asked) < 2 * len(Kind)


def test_verdicts_become_results_that_a_page_can_show() -> None:
    kinds = [
        Verdict(Expected(Kind.RANGE, "a", "critical", minimum=0.0, maximum=1.0), passed=False, observed=3.0, value="7"),
        Verdict(Expected(Kind.MISSING_RATE, "a", "warning", minimum=0.0, maximum=0.9), passed=True, observed=0.25),
        Verdict(Expected(Kind.EXISTS, "b", "critical"), passed=False, observed=None),
    ]
    shown = results_of(kinds, 12)
    assert [result.success for result in shown] == [False, True, False]
    assert shown[0].result["unexpected_percent"] == 25.0
    assert shown[0].result["partial_unexpected_list"] == ["7"]
    assert shown[1].result == {"observed_value": 0.75}
    assert shown[2].expectation_config.type == "expect_column_to_exist"
