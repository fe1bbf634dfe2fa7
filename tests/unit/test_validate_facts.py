"""What a profile says of each expectation, by hand; and the figures of accepted rows against pandas."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.features.inputs import Inputs
from tests.fakes.made_contracts import contract_of
from tests.unit.validate_case import DAY, NOW
from training.dataset import Dataset
from training.validation import CRITICAL
from training.validation.drift import Bins, count_numbers, ks, psi
from training.validation.expected import Expected, Kind, Verdict
from training.validation.facts import binned, figure, judge_profile
from training.validation.measured import OTHERS, measure
from training.validation.profile import ColumnProfile, Profile
from training.validation.results import results_of

BINS = Bins((40, 40, 20), (1.0,), (), (0, 1, 2), is_category=False)
NAMED = Bins((40, 40, 10, 10), (), ("a", "b"), (0, 1, 2, 3), is_category=True)
COLUMNS = {
    "n": ColumnProfile(
        {"filled": 80, "unreadable": 5, "distinct": 60, "least": -2.0, "most": 9.0, "outside": 3, "example": -2.0},
        above=[50],
    ),
    "i": ColumnProfile({"filled": 100, "unreadable": 0, "distinct": 1, "outside": 0, "fractions": 4, "example": None}),
    "k": ColumnProfile({"filled": 90, "unreadable": 0, "distinct": 4}, texts={"a": 50, "b": 30, "z": 8, "q": 2}),
    "f": ColumnProfile({"filled": 99, "unreadable": 1, "distinct": 3, "outside": 7, "example": 2.0}),
    "y": ColumnProfile({"filled": 100, "unreadable": 0, "distinct": 3}, texts={"0": 60, "1": 30, "1.0": 10}),
    "at": ColumnProfile({"filled": 98, "unreadable": 0, "most": NOW, "outside": 2}),
    "id": ColumnProfile({"filled": 97, "unreadable": 0, "distinct": 96}),
}
PROFILE = Profile(100, COLUMNS, repeated=2.0, immature=11)


def expected(kind: Kind, column: str, **asked: Any) -> Expected:
    return Expected(kind, column, CRITICAL, **asked)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (expected(Kind.EXISTS, "n"), 1.0),
        (expected(Kind.EXISTS, "gone"), 0.0),
        (expected(Kind.RANGE, "gone"), None),
        (expected(Kind.READABLE, "n"), 5.0),
        (expected(Kind.READABLE, "k"), 0.0),
        (expected(Kind.PRESENT, "n"), 15.0),
        (expected(Kind.PRESENT, "f"), 0.0),
        (expected(Kind.FILLED, "n"), 80.0),
        (expected(Kind.MISSING_RATE, "n"), 0.85),
        (expected(Kind.VARIES, "i"), 1.0),
        (expected(Kind.GROUPED, "k"), 4.0),
        (expected(Kind.WHOLE, "i"), 4.0),
        (expected(Kind.WHOLE, "n"), None),
        (expected(Kind.RANGE, "n"), 3.0),
        (expected(Kind.LISTED, "k", among=("a", "b")), 10.0),
        (expected(Kind.LISTED, "k", among=("a", "b", "q", "z")), 0.0),
        (expected(Kind.LISTED, "f", among=(0.0, 1.0)), 7.0),
        (expected(Kind.KEY, "id"), 2.0),
        (expected(Kind.LABEL_VALUES, "y"), 2.0),
        (expected(Kind.LABEL_POSITIVE, "y", among=("1",)), 40.0),
        (expected(Kind.LABEL_POSITIVE, "y", among=("yes",)), 0.0),
        (expected(Kind.LABEL_RATE, "y", among=("1",)), 0.4),
        (expected(Kind.CLASSES, "y", among=("1",)), 40.0),
        (expected(Kind.NOT_AHEAD, "at"), 2.0),
        (expected(Kind.MATURE, "at"), 11.0),
        (expected(Kind.FRESH, "at"), NOW),
        (expected(Kind.PSI, "n"), None),
    ],
)
def test_figures_by_hand(asked: Expected, told: float | None) -> None:
    assert figure(asked, PROFILE) == told


def test_every_kind_has_a_figure() -> None:
    for kind in Kind:
        column = {"LISTED": "k", "WHOLE": "i", "KEY": "id", "FRESH": "at"}.get(kind.name, "n")
        asked = expected(kind, "y" if kind.name.startswith(("LABEL", "CLASSES")) else column, among=("1",), bins=BINS)
        assert figure(asked, PROFILE) is not None, kind


def test_drift_counts_what_cannot_be_read_as_missing() -> None:
    """Eighty values, fifty of them at or above 1, twenty rows missing or unreadable."""
    assert binned(COLUMNS["n"], 100, BINS).tolist() == [30, 50, 20]
    assert figure(expected(Kind.PSI, "n", bins=BINS), PROFILE) == psi(np.array([30.0, 50.0, 20.0]), BINS)
    assert figure(expected(Kind.KS, "n", bins=BINS), PROFILE) == ks(np.array([30.0, 50.0, 20.0]), BINS)


def test_drift_of_categories_knows_others_and_missing() -> None:
    assert binned(COLUMNS["k"], 100, NAMED).tolist() == [50, 30, 10, 10]
    assert binned(ColumnProfile({"filled": 0}), 100, NAMED).tolist() == [0, 0, 0, 100]


@given(st.lists(st.floats(-5, 5, width=32) | st.just(float("nan")), max_size=40))
def test_counts_above_edges_are_counts_in_bins(values: list[float]) -> None:
    bins = Bins((1, 1, 1, 1), (-1.0, 2.0), (), (0, 1, 2, 3), is_category=False)
    column = np.array(values, np.float64)
    known = column[~np.isnan(column)]
    held = ColumnProfile({"filled": len(known)}, above=[int((known >= edge).sum()) for edge in bins.edges])
    assert binned(held, len(column), bins).tolist() == count_numbers(column, bins).tolist()


def test_an_empty_table_has_no_rates() -> None:
    nothing = Profile(0, {name: ColumnProfile({"filled": 0, "unreadable": 0}) for name in ("n", "y")})
    assert figure(expected(Kind.MISSING_RATE, "n"), nothing) is None
    assert figure(expected(Kind.LABEL_RATE, "y", among=("1",)), nothing) is None
    assert figure(expected(Kind.PRESENT, "n"), nothing) == 0


def judged(*asked: Expected) -> list[Verdict]:
    return judge_profile(PROFILE, asked)


def test_verdicts_carry_what_was_observed_and_an_example() -> None:
    told = judged(
        expected(Kind.RANGE, "n"),
        expected(Kind.RANGE, "n", personal=True),
        expected(Kind.LISTED, "k", among=("a", "b")),
        expected(Kind.LISTED, "k", among=("a", "b"), personal=True),
        expected(Kind.LISTED, "f", among=(0.0, 1.0)),
        expected(Kind.WHOLE, "i"),
    )
    assert [v.value for v in told] == ["-2.0", "", "z", "", "2.0", ""]
    assert [v.observed for v in told] == [3.0, 3.0, 10.0, 10.0, 7.0, 4.0]
    assert not any(v.passed for v in told)


def test_a_missing_rate_is_told_as_missing_and_what_has_no_figure_as_none() -> None:
    rate, there, gone, positive = judged(
        expected(Kind.MISSING_RATE, "n", minimum=0.0, maximum=0.1),
        expected(Kind.EXISTS, "n"),
        expected(Kind.EXISTS, "gone"),
        expected(Kind.LABEL_POSITIVE, "y", among=("1",)),
    )
    assert rate.observed == pytest.approx(0.15)
    assert not rate.passed
    assert [(v.passed, v.observed) for v in (there, gone, positive)] == [(True, None), (False, None), (True, None)]


def test_columns_in_which_nothing_is_missing() -> None:
    assert PROFILE.filled == {"i", "y"}


CONTRACT = contract_of(
    'name = "n"; kind = "number"; min = 0; max = 1; missing = true',
    'name = "i"; kind = "integer"; missing = true',
    'name = "f"; kind = "flag"; missing = true',
    'name = "k"; kind = "category"; missing = true',
    entity="id",
    event_time="at",
)
CELL = st.tuples(
    st.sampled_from([float("nan"), 0.0, 1.0, 0.5, -0.5, 2.0]),
    st.sampled_from([float("nan"), 1.0, 2.0, 2.5]),
    st.sampled_from([float("nan"), 0.0, 1.0, 3.0]),
    st.sampled_from(["", "a", "b"]),
    st.sampled_from(["e1", "e2", "e3"]),
    st.sampled_from([NOW, NOW - DAY, NOW - 90 * DAY, NOW + 2 * DAY]),
    st.integers(0, 1),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(CELL, min_size=1, max_size=30))
def test_accepted_rows_are_measured_as_pandas_measures_them(cells: list[tuple[Any, ...]]) -> None:
    frame = pd.DataFrame(cells, columns=["n", "i", "f", "k", "id", "at", "y"])
    inputs = Inputs(frame[["n", "i", "f"]].to_numpy(np.float32), frame[["k"]].to_numpy(object))
    data = Dataset(inputs, frame["y"].to_numpy(np.int8), frame["id"].to_numpy(object), "", (), frame["at"].to_numpy())
    rows = np.arange(len(frame))
    told = measure(CONTRACT, data, rows, now=NOW, edges={"n": (0.5,)})
    for name, low, high in (("n", 0.0, 1.0), ("i", -1e9, 1e9), ("f", 0.0, 1.0)):
        known, figures = frame[name].dropna(), told.columns[name].figures
        outside = ~known.isin([0.0, 1.0]) if name == "f" else ~known.between(low, high)
        assert (figures["filled"], figures["distinct"]) == (len(known), known.nunique())
        assert figures["outside"] == int(outside.sum())
        assert figures["fractions"] == int((known % 1 != 0).sum())
        assert (figures["least"], figures["most"]) == ((known.min(), known.max()) if len(known) else (None, None))
    assert told.columns["n"].above == [int((frame["n"] >= 0.5).sum())]
    texts = frame["k"][frame["k"] != ""]
    assert told.columns["k"].texts == texts.value_counts().to_dict()
    assert list(told.columns["k"].texts.values()) == sorted(told.columns["k"].texts.values(), reverse=True)
    assert told.repeated == int(frame[["id", "at"]].duplicated(keep=False).sum())
    days = CONTRACT.label.window_days
    assert told.immature == int(((frame["y"] == 0) & (frame["at"] > NOW - days * DAY)).sum())
    assert told.columns["at"].figures["outside"] == int((frame["at"] > NOW + DAY).sum())
    counts = {"1": int((frame["y"] == 1).sum()), OTHERS: int((frame["y"] == 0).sum())}
    assert told.columns["y"].texts == {name: count for name, count in counts.items() if count}


@settings(max_examples=30, deadline=None)
@given(st.lists(CELL, min_size=4, max_size=30), st.data())
def test_some_rows_are_measured_as_a_table_of_them(cells: list[tuple[Any, ...]], data: st.DataObject) -> None:
    frame = pd.DataFrame(cells, columns=["n", "i", "f", "k", "id", "at", "y"])
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, len(frame) - 1), min_size=1))))

    def of(part: pd.DataFrame) -> Dataset:
        inputs = Inputs(part[["n", "i", "f"]].to_numpy(np.float32), part[["k"]].to_numpy(object))
        return Dataset(inputs, part["y"].to_numpy(np.int8), part["id"].to_numpy(object), "", (), part["at"].to_numpy())

    some = measure(CONTRACT, of(frame), rows, now=NOW, edges={})
    alone = measure(CONTRACT, of(frame.iloc[rows]), np.arange(len(rows)), now=NOW, edges={})
    assert some == alone


def test_results_count_rows_and_show_examples() -> None:
    verdicts = judged(expected(Kind.LISTED, "k", among=("a",)), expected(Kind.WHOLE, "i"))
    verdicts[0] = replace(verdicts[0], value="z")
    listed, whole = results_of(verdicts, 100)
    assert (listed.result["unexpected_count"], listed.result["unexpected_percent"]) == (40, 40.0)
    assert listed.result["partial_unexpected_list"] == ["z"]
    assert (whole.result["element_count"], whole.result["unexpected_count"]) == (100, 4)
    assert results_of(verdicts, 0)[0].result["unexpected_percent"] == 0.0
