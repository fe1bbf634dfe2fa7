"""Figures as people read them, and what a card says is to be weighed."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.cards import story
from training.card import figure, wording
from training.card.concerns import concerns
from training.card.weak import weak_segments


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (float("nan"), "-"), (112126.98, "112,127"), (0.84719, "0.8472"), (9.7e-8, "9.7e-08"), (0, "0")],
)
def test_figures(value: float | None, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (wording.percent(0.4783), "47.8%"),
        (wording.percent(None), "-"),
        (wording.points(-0.00001), "0.0"),
        (wording.amount(-0.001), "0.00"),
        (wording.amount(1234.5), "1,234"),
        (wording.decimals(-0.0001), "0.000"),
        (wording.count(7043), "7,043"),
        (wording.day(0), "1970-01-01"),
        (wording.day(1e300), "-"),
        (wording.day(None), "-"),
        (wording.compact(1.5e6), "1.5M"),
        (wording.compact(120_000), "120k"),
        (wording.compact(-8), "-8"),
        (wording.short(" a\n b "), "a b"),
    ],
)
def test_wording(written: str, text: str) -> None:
    assert written == text


@settings(deadline=None)
@given(st.one_of(st.none(), st.floats()))
def test_no_figure_is_ever_written_as_nan(value: float | None) -> None:
    for write in (
        figure,
        wording.decimals,
        wording.amount,
        wording.percent,
        wording.count,
        wording.points,
        wording.day,
    ):
        assert not {"nan", "inf", "None"} & {str(write(value))}


@settings(deadline=None)
@given(st.text(), st.integers(2, 80))
def test_a_short_text_is_one_line_and_never_longer(text: str, longest: int) -> None:
    cut = wording.short(text, longest)
    assert len(cut) <= longest
    assert "\n" not in cut


def said(**metrics: Any) -> str:
    told = story(**metrics)
    return " ".join(concerns(told.contract, told.metrics))


def measured(value: float, low: float | None, high: float | None) -> dict[str, float | None]:
    return {"value": value, "low": low, "high": high}


def test_a_profit_that_may_be_nothing() -> None:
    money = story().metrics["money"]
    assert "may earn nothing" in said(money={**money, "profit": measured(1.0, -0.5, 2.0)})
    assert "may earn nothing" not in said(money={**money, "profit": measured(1.0, 0.5, 2.0)})


def test_no_better_than_everyone() -> None:
    money = {**story().metrics["money"], "over_everyone": measured(0.1, -0.5, 0.7)}
    assert "no more than acting on everyone" in said(money=money, profit_everyone=3.0)


def test_acting_that_never_pays() -> None:
    money = {**story().metrics["money"], "threshold": 1.2}
    assert "never pays" in said(money=money)
    assert "no answer reaches" in said(acted_on=0.0)


def test_a_champion_that_earns_more() -> None:
    champion = {**story().metrics["champion"], "profit": 99.0}
    assert "no more than the champion" in said(champion=champion)


def test_a_feature_on_which_the_model_rests_alone() -> None:
    single = {"feature": "n0", "auc": 0.8, "importance": 0.72, "suspected": False}
    found = {"rows": 500, "singles": [single], "entities_in_two_folds": 0, "by_time": False}
    assert "72% of the model's worth rests on “n0” alone" in said(leakage=found)


def test_a_gap_without_a_bound_is_for_people() -> None:
    assert "people have to decide" in said()
    told = story()
    bounded = replace(told.contract.gates, max_fairness_gap=0.9, max_opportunity_gap=0.9)
    contract = replace(told.contract, gates=bounded)
    assert "people have to decide" not in " ".join(concerns(contract, told.metrics))


def test_probabilities_further_off_than_chance() -> None:
    reliability = story().metrics["reliability"]
    after = {**reliability["after"], "error": measured(0.2, 0.15, 0.25), "error_if_perfect": 0.01}
    assert "further off than chance" in said(reliability={**reliability, "after": after})


def test_an_auc_that_could_fall_below_its_gate() -> None:
    intervals = {**story().metrics["intervals"], "auc": {"low": 0.4, "high": 0.99}}
    assert "could fall below the gate" in said(intervals=intervals)


def test_candidates_that_were_skipped_or_failed() -> None:
    search = {**story().metrics["search"], "skipped": ["large"], "states": {"failed": 2}}
    assert "too short to try large" in said(search=search)
    assert "2 candidates failed" in said(search=search)


def segment(name: str, **other: Any) -> dict[str, Any]:
    usual = {
        "feature": "n0",
        "name": name,
        "rows": 100,
        "auc": 0.8,
        "profit": measured(1.0, 0.5, 1.5),
        "calibration": measured(0.0, -0.01, 0.01),
    }
    return {**usual, **other}


def test_weak_segments_are_ranked_by_what_they_cost() -> None:
    segments = [
        segment("fine"),
        segment("blind", auc=0.55),
        segment("one class", auc=None),
        segment("off", calibration=measured(-0.03, -0.05, -0.01)),
        segment("loses", profit=measured(-2.0, -3.0, -1.0)),
    ]
    found = weak_segments(story(segments=segments).metrics)
    assert [one["name"] for one, _ in found] == ["loses", "off", "blind"]
    assert [told for _, told in found] == [
        "acting there loses 2.00 USD per entity".replace("USD", story().metrics["money"]["currency"]),
        "answers are 3.0 points too low",
        "hardly ranks (AUC 0.550)",
    ]


def test_eight_weak_segments_at_most() -> None:
    assert len(weak_segments(story(segments=[segment(str(i), auc=0.5) for i in range(50)]).metrics)) == 8
