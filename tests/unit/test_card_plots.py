"""Plots stay inside their frame, leave out what is not known, and are read aloud."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tests.fakes.cards import search_of, story, trial
from training.card import curves, searched
from training.card.axis import Axis, round_axis
from training.card.drawing import Band, Bars, Dots, Line, Whiskers, plot
from training.card.strips import bar, strip


def test_a_plot_keeps_lines_inside_and_escapes_titles() -> None:
    x, y = Axis("a < b", 0, 1), Axis("y", 0, 2)
    drawn = plot("t < u", x, y, [Line(np.array([-1.0, 0.5, 9.0]), np.array([0.0, 1.0, 5.0]))])
    points = re.search(r'polyline class="main" points="([^"]+)"', drawn)
    assert points is not None
    assert points[1].split() == ["50.0,234.0", "193.0,132.0", "336.0,30.0"]
    assert "a &lt; b" in drawn
    assert ET.fromstring(drawn).get("aria-label") == "t < u"  # noqa: S314 - our own


def test_what_is_not_known_is_left_out() -> None:
    x = np.array([0.0, np.nan, 0.5, np.inf])
    y = np.array([0.0, 1.0, np.nan, 1.0])
    drawn = plot("t", Axis("x", 0, 1), Axis("y", 0, 1), [Line(x, y), Dots(x, y), Whiskers(x, y, y), Bars(y[:3])])
    assert "nan" not in drawn
    assert "inf" not in drawn
    assert drawn.count("<circle") == 1


def test_a_band_without_interval_is_not_drawn() -> None:
    nothing = Band(np.zeros(3), np.empty(0), np.empty(0))
    assert "polygon" not in plot("t", Axis("x", 0, 1), Axis("y", 0, 1), [nothing])


def test_an_axis_without_span_still_draws() -> None:
    assert "nan" not in plot("t", Axis("x", 0, 0), Axis("y", 0, 0), [Line(np.zeros(2), np.zeros(2))])


@settings(deadline=None)
@given(
    npst.arrays(np.float64, st.integers(0, 8), elements=st.floats(allow_nan=True, allow_infinity=True)),
    st.floats(-1e6, 1e6),
    st.floats(0, 1e6),
)
def test_points_never_leave_the_frame(
    values: np.ndarray[tuple[int], np.dtype[np.float64]], low: float, width: float
) -> None:
    axis = round_axis("t", low, low + width)
    drawn = plot("t", axis, axis, [Dots(values, values)])
    for cx, cy in re.findall(r'cx="([^"]+)" cy="([^"]+)"', drawn):
        assert 50 <= float(cx) <= 336
        assert 30 <= float(cy) <= 234


@pytest.mark.parametrize(
    ("low", "high", "start", "end"),
    [(-5.92, 6.22, -8, 8), (0, 20.1, 0, 24), (0, 19.9, 0, 20), (-1.5, 0, -1.6, 0), (0, 112_127, 0, 120_000)],
)
def test_a_round_axis_covers_its_span(low: float, high: float, start: float, end: float) -> None:
    axis = round_axis("t", low, high)
    assert (axis.low, axis.high) == (start, end)


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_a_round_axis_always_covers(low: float, width: float) -> None:
    axis = round_axis("t", low, low + width)
    assert axis.low <= low + 1e-6
    assert axis.high >= (low + width) - 1e-6 * max(1, abs(low + width))


def test_the_plots_of_a_real_card() -> None:
    metrics = story().metrics
    assert "polygon" in curves.roc(metrics)
    assert "polygon" in curves.precision_recall(metrics)
    assert curves.reliability(metrics).count("<rect") == 10
    assert curves.reliability(metrics).count("whisker") == len(metrics["reliability"]["after"]["bins"])


def test_the_profit_plot_shows_the_champion_and_the_best_threshold() -> None:
    assert "rival" in curves.profit(story().metrics)
    assert 'class="span"' in curves.profit(story().metrics)
    assert "rival" not in curves.profit(story(champion=None).metrics)


def test_a_profit_that_is_never_positive() -> None:
    money = story().metrics["money"]
    lost = {**money, "threshold": 1.7, "curve": {"x": [0.0, 1.0], "y": [-5.0, 0.0], "low": [], "high": []}}
    drawn = curves.profit(story(money=lost, profit_everyone=-5.0, champion=None).metrics)
    ET.fromstring(drawn)  # noqa: S314 - our own
    assert "nan" not in drawn


def test_trials_are_drawn_by_their_end() -> None:
    told = search_of(
        trial("a", 0.5, at=1), trial("b", 0.6, "pruned", at=2), trial("c", 0.4, at=3), trial("d", None, "failed")
    )
    drawn = searched.trials_over_time(told)
    assert drawn.count('class="dot"') == 2
    rings = re.findall(r'class="ring" cx="[^"]+" cy="([^"]+)"', drawn)
    assert rings == ["234.0", "234.0"]  # at the foot: a part cannot be compared with the whole
    assert searched.trials_over_time(search_of(trial("a", 0.5))) == ""


def test_without_a_complete_trial_there_is_nothing_to_draw() -> None:
    given_up = search_of(trial("a", 0.5, "pruned"), trial("b", 0.5, "pruned", at=0))
    assert searched.trials_over_time(given_up) == ""


def test_trials_far_above_the_best_are_drawn_at_the_top() -> None:
    drawn = searched.trials_over_time(search_of(trial("a", 0.40), trial("b", 0.41), trial("c", 9.0)))
    assert re.findall(r'class="dot" cx="[^"]+" cy="([^"]+)"', drawn)[2] == "30.0"


def test_what_more_rows_would_bring() -> None:
    assert searched.more_rows(search_of(trial("a", 0.5), curve=[(100, 0.6), (200, 0.5)])).startswith("More rows would")
    assert "hardly help" in searched.more_rows(search_of(trial("a", 0.5), curve=[(100, 0.5), (200, 0.5)]))
    assert searched.more_rows(search_of(trial("a", 0.5))) == ""
    assert searched.learning_curve(search_of(trial("a", 0.5))) == ""


@pytest.mark.parametrize(("saved", "said"), [(None, "no budget"), (0.0, "nothing better"), (0.01, "by 0.01")])
def test_what_the_last_tenth_bought(saved: float | None, said: str) -> None:
    assert said in searched.last_tenth({"last_tenth": saved})


@settings(deadline=None)
@given(st.one_of(st.none(), st.floats()), st.one_of(st.none(), st.floats()), st.floats(0, 1))
def test_strips_and_bars_draw_whatever_comes(value: float | None, low: float | None, top: float) -> None:
    for drawn in (strip("a < b", value, low, low, top=top), bar("a", value, top)):
        assert ET.fromstring(drawn).get("role") == "img"  # noqa: S314 - our own
        assert "nan" not in drawn
