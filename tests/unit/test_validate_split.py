"""Tests that overlap, time that runs backwards, outcomes known too early: against plain loops, row by row."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.features.inputs import Inputs
from tests.fakes.made_contracts import contract_of
from tests.unit.validate_case import DAY
from training.dataset import Dataset
from training.validation import CRITICAL, WARNING
from training.validation.order import Learned, Wrong, judge_split, learned_of, outcomes_told, wrong_outcomes

TIMED = contract_of('name = "x"; kind = "number"', entity="id", event_time="at")
KEYED = contract_of('name = "x"; kind = "number"', entity="id")
IDS = st.lists(st.sampled_from([f"e{i}" for i in range(12)]), min_size=1, max_size=12)
TIMES = st.lists(st.integers(0, 20).map(float), min_size=1, max_size=12)


def dataset(ids: list[str], times: list[float] | None = None) -> Dataset:
    inputs = Inputs(np.zeros((len(ids), 1), np.float32), np.empty((len(ids), 0), object))
    moments = None if times is None else np.array(times)
    return Dataset(inputs, np.zeros(len(ids), np.int8), np.array(ids, object), "", (), moments)


@given(IDS, IDS)
def test_rows_of_entities_in_both_are_counted_as_a_loop_counts_them(train: list[str], test: list[str]) -> None:
    both = sum(name in train for name in test)
    found = judge_split(KEYED, learned_of(dataset(train)), dataset(test))
    assert [(f.severity, f.column, f.count) for f in found] == ([(CRITICAL, "id", both)] if both else [])
    if both:
        assert f"in {both:,} of {len(test):,} rows of the test: split by entity" in found[0].reason


@given(TIMES, TIMES)
def test_a_test_before_the_end_is_counted_as_a_loop_counts_it(train: list[float], test: list[float]) -> None:
    learned = learned_of(dataset([f"a{i}" for i in range(len(train))], train))
    found = judge_split(TIMED, learned, dataset([f"b{i}" for i in range(len(test))], test))
    before = sum(moment <= max(train) for moment in test)
    if not before:
        assert found == []
        return
    (told,) = found
    assert (told.column, told.count) == ("at", before)
    assert told.severity == (CRITICAL if before == len(test) else WARNING)


def test_the_moment_that_the_training_ends_is_named() -> None:
    learned = Learned(np.array([], object), 1_700_000_000.0)
    (told,) = judge_split(TIMED, learned, dataset(["b"], [1_600_000_000.0]))
    assert told.reason == "runs backwards: the whole test lies before the end of the training (2023-11-14 22:13)"
    some = judge_split(TIMED, learned, dataset(["b", "c"], [1_600_000_000.0, 1_800_000_000.0]))
    assert [f.reason for f in some] == ["lies before the end of the training (2023-11-14 22:13) in 1 of 2 test rows"]


def test_tables_without_moments_have_no_order() -> None:
    assert judge_split(KEYED, learned_of(dataset(["a"])), dataset(["b"], [0.0])) == []
    assert judge_split(TIMED, learned_of(dataset(["a"], [5.0])), dataset(["b"])) == []


def test_keys_are_compared_as_texts() -> None:
    train = dataset(["a"])
    numbers = Dataset(train.inputs, train.labels, np.array([17], object), "", ())
    assert [f.count for f in judge_split(KEYED, learned_of(numbers), dataset(["17", "18"]))] == [1]


MOMENTS = st.lists(
    st.tuples(st.integers(0, 60).map(float), st.integers(-5, 100).map(float) | st.just(float("nan"))),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60)
@given(MOMENTS, st.integers(1, 39))
def test_outcomes_are_counted_as_a_loop_counts_them_whole_or_in_parts(
    days: list[tuple[float, float]], cut: int
) -> None:
    events = np.array([event for event, _ in days]) * DAY
    outcomes = np.array([outcome for _, outcome in days]) * DAY
    window = TIMED.label.window_days
    early = sum(outcome < event for event, outcome in days)
    late = sum(outcome > event + window for event, outcome in days)
    whole = wrong_outcomes(TIMED, events, outcomes)
    assert whole == Wrong(early, late)
    assert whole == wrong_outcomes(TIMED, events[:cut], outcomes[:cut]) + wrong_outcomes(
        TIMED, events[cut:], outcomes[cut:]
    )


def test_outcomes_at_the_ends_of_the_window_are_right() -> None:
    events = np.zeros(2)
    assert wrong_outcomes(TIMED, events, np.array([0.0, 30 * DAY])) == Wrong()
    assert wrong_outcomes(TIMED, events, np.array([-1.0, 30 * DAY + 1])) == Wrong(1, 1)


def test_the_sentences_of_outcomes() -> None:
    told = outcomes_told(TIMED, "left_at", Wrong(1_200, 34))
    assert [(f.severity, f.reason) for f in told] == [
        (CRITICAL, "is before 'at' in 1,200 rows: the outcome was known when the features were"),
        (
            WARNING,
            "is after the label's window of 30 days in 34 rows: are these rows positive by mistake?",
        ),
    ]
    assert outcomes_told(TIMED, "left_at", Wrong()) == []
