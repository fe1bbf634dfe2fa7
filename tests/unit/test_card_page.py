"""The card is one page that loads nothing, and says what the release is."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.fakes.cards import NOTE, TEXT, drafted, robustness, search_of, story, strain, trial, with_contract
from tests.fakes.made_contracts import contract_text
from training.card import card

VOID = {"meta", "br", "link", "img", "hr", "input", "wbr"}


class Loads(HTMLParser):
    """Collects everything that a browser would fetch, and checks that tags are closed in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.fetched.extend(
            f"{tag} {name}={value}" for name, value in attrs if name in {"src", "href", "srcset", "data", "action"}
        )
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page() -> str:
    return drafted()[0].files["card.html"].decode()


def check(content: str) -> None:
    """A page that loads nothing, whose tags are closed, and that shows no figure that is none."""
    loads = Loads()
    loads.feed(content)
    assert loads.open == []
    assert loads.fetched == []
    assert not loads.tags & {"script", "link", "iframe", "img", "object", "embed", "form", "base"}
    assert not re.search(r"https?:|url\(|@import|//[a-z]", content)
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b|Undefined", content)
    for drawn in re.findall(r"<svg.*?</svg>", content, re.DOTALL):
        ET.fromstring(drawn)  # noqa: S314 - our own


def test_it_loads_nothing() -> None:
    check(page())


def test_it_is_made_for_phones() -> None:
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page()


def test_no_text_is_smaller_than_14_pixels() -> None:
    sizes = [(float(size), unit) for size, unit in re.findall(r"font(?:-size)?:[^;}]*?([\d.]+)(rem|px)", page())]
    assert sizes
    assert all(size * (16 if unit == "rem" else 1) >= 14 for size, unit in sizes)


def test_it_says_what_the_release_is() -> None:
    content, draft = page(), drafted()[0]
    for said in (
        f"small/{draft.version}",
        "f" * 64,
        "AUC",
        "min_<wbr>auc",
        "0123456789ab",
        "acted on",
        "from the fitted model",
    ):
        assert said in content
    assert "scikit-learn by" not in content


def test_the_verdict_comes_first_then_money_quality_fairness_limits_and_details() -> None:
    titles = re.findall(r"<h2>(.*?)</h2>", page())
    assert titles == [
        "What it answers, and for whom",
        "Money",
        "How well it answers",
        "Whom it treats how",
        "Limits",
        "Details",
    ]
    assert page().index("It may serve") < page().index("<h2>")


def test_lineage_and_the_way_back() -> None:
    content = card(story())
    for said in ("e" * 64, "f" * 64, "abc123", "numpy 2.0", "ebb rollback", "run_id"):
        assert said in content


def test_it_says_what_it_was_made_as_and_where_its_role_stands() -> None:
    challenger = card(story())
    cheap = card(story(made_as={"role": "cheap", "beside": "0123456789ab"}))
    assert "made as\na challenger for the champion's place" in challenger
    assert "made as\nthe cheap release beside <code>0123456789ab</code>" in cheap
    for page in (challenger, cheap):
        assert "<code>ebb releases</code> tells who is champion" in page
    assert "<code>ebb rollback</code>" in challenger
    assert "<code>ebb rollback</code>" not in cheap
    assert "<code>ebb route set</code> without <code>--cheap</code>" in cheap


def test_texts_are_escaped() -> None:
    content = page()
    assert "<script>" not in content
    assert "a note with &lt;script&gt;" in content
    assert "&lt;b&gt;&amp;" in content


def test_a_note_that_warns_stands_in_the_verdict() -> None:
    content = card(story(notes=["warning: 3 lines <b>", NOTE]))
    assert content.index("3 lines &lt;b&gt;") < content.index("<h2>") < content.index("a note with")


def test_the_same_story_gives_the_same_bytes() -> None:
    assert card(story()) == card(story())


def test_the_version_does_not_depend_on_the_card() -> None:
    draft = drafted()[0]
    other = {**draft.files, "card.html": b"another"}
    assert type(draft)(draft.contract, draft.data_sha256, other, {}, {}).version == draft.version


def test_a_release_that_fails_a_gate_is_told_so_first() -> None:
    gates = [dict(gate) for gate in story().metrics["gates"]]
    gates[0].update(verdict="failed", value=0.4)
    content = card(story(gates=gates))
    assert "It must not serve: it fails 1 of the 3 gates" in content
    assert "It fails min_auc." in content


def test_flags_and_owners_of_the_features() -> None:
    content = page()
    features = content[content.index("<h3>Features</h3>") :]
    for said in ("billing", "personal", "protected", "1 personal"):
        assert said in features


def test_a_feature_that_is_often_missing_is_told() -> None:
    missing = story().table.missing
    assert set(missing) == {"n0", "c0"}
    assert all(0.05 < share < 0.2 for share in missing.values())
    assert f"{missing['n0']:.1%}" in page()


def test_the_span_of_time_and_the_rows_that_judge() -> None:
    told = story(rows=300, search={**story().metrics["search"], "folds": {"count": 3, "temporal": True}})
    table = replace(told.table, first=1_704_067_200.0, last=1_740_000_000.0, entities=120)
    content = card(replace(told, table=table))
    check(content)
    for said in ("2024-01-01 to 2025-02-19", "500 of 120 entities", "of which 300 were held out", "held out by time"):
        assert said in content
    assert "not judged on rows that are later" not in content


def test_what_a_part_of_the_work_came_to_stands_in_brackets() -> None:
    content = card(story(search=search_of(trial("a", 0.4321), trial("b", 0.1234, "pruned"))))
    assert "(0.1234)" in content
    assert "(0.4321)" not in content


def test_bars_rank_what_was_strained() -> None:
    content = card(story(robustness=robustness(strain("n0"), strain("c0", "shifted", changed=0.1, auc_lost=None))))
    check(content)
    assert "n0 missing: 30.0% of the decisions change" in content
    assert content.count('class="full shifted"') == 1
    assert "It leans on n0" in content


@pytest.mark.parametrize("key", ["robustness", "leakage", "champion"])
def test_what_was_not_done_is_said(key: str) -> None:
    content = card(story(**{key: None}))
    check(content)
    assert {"robustness": "not tried", "leakage": "not looked for", "champion": "No champion"}[key] in content


def test_suspected_leaks_are_marked() -> None:
    single = {"feature": "n0", "auc": 0.99, "importance": None, "suspected": True}
    found = {"rows": 500, "singles": [single], "entities_in_two_folds": 7, "by_time": False}
    content = card(story(leakage=found))
    check(content)
    assert "suspected</span>" in content
    assert "7 entities stand in several" in content


def test_slices_in_which_the_champion_is_better() -> None:
    worse = {"feature": "c0", "name": "<c1>", "rows": 90, "measure": "log_loss"}
    worse_by = {"value": 0.02, "low": 0.01, "high": 0.03}
    slices = {
        "judged": 9,
        "confidence": 0.997,
        "basis": "both out of fold",
        "found": 1,
        "worse": [{**worse, "worse_by": worse_by}],
    }
    champion = {**story().metrics["champion"], "slices": slices, "over": {"value": -1.0, "low": -2.0, "high": 0.5}}
    content = card(story(champion=champion))
    check(content)
    for said in ("In 1 of 9 segments", "&lt;c1&gt;", "0.01 to 0.03", "both out of fold", "is not certain"):
        assert said in content


def test_groups_too_small_to_judge_are_named() -> None:
    feature = {**story().metrics["fairness"][0], "not_judged": [{"name": "<rare>", "rows": 3}], "too_small": 25}
    content = card(story(fairness=[feature]))
    check(content)
    assert "&lt;rare&gt;" in content
    assert "24 more groups have too few rows" in content


def test_no_protected_feature() -> None:
    content = card(story(fairness=[]))
    check(content)
    assert "marks no feature as protected" in content


def test_trials_of_every_end() -> None:
    ends = [trial("a", 0.4), trial("b", 0.5, "pruned"), trial("c", None, "failed"), trial("d", 0.45, "stopped", at=2)]
    content = card(story(search=search_of(*ends, curve=[(100, 0.6), (200, 0.5)])))
    check(content)
    for said in (
        "1 failed",
        "1 given up early",
        "memory &lt;b&gt;",
        "Trials over time",
        "Learning curve",
        "More rows would",
    ):
        assert said in content


def test_only_failed_trials_but_one() -> None:
    content = card(story(search=search_of(trial("a", None, "failed", at=0), trial("b", 0.5))))
    check(content)
    assert content.count('class="dot"') > content.count('class="ring"') > 0


@pytest.mark.parametrize("family", ["logistic", "lightgbm", "boosted"])
def test_every_family_is_told(family: str) -> None:
    chosen = {"name": "x", "family": family, "strength": 0.1, "leaves": 8, "rate": 0.05, "trees": 120}
    content = card(story(search={**search_of(trial("x", 0.4)), "chosen": chosen}))
    check(content)
    assert {"logistic": "logistic regression", "lightgbm": "(LightGBM)", "boosted": "gradient-boosted"}[
        family
    ] in content


def emptied(value: Any) -> Any:
    """A part of the metrics in which no interval is known."""
    if isinstance(value, dict):
        emptied_value = {key: emptied(part) for key, part in value.items()}
        ends = {"low", "high"} & set(value)
        return {**emptied_value, **{key: [] if isinstance(value[key], list) else None for key in ends}}
    return [emptied(part) for part in value] if isinstance(value, list) else value


def test_no_interval_anywhere() -> None:
    metrics = story().metrics
    without = {key: emptied(metrics[key]) for key in ("money", "roc", "precision_recall", "reliability", "segments")}
    nothing = dict.fromkeys(metrics["intervals"])
    groups = [
        {**g, "acted_on_interval": None, "found_interval": None, "found": None}
        for g in metrics["fairness"][0]["groups"]
    ]
    fairness = [{**emptied(metrics["fairness"][0]), "groups": groups}]
    content = card(story(**without, intervals=nothing, fairness=fairness))
    check(content)
    assert "no interval" in content
    assert "every figure could be chance" in content


def test_names_of_4000_letters_are_cut_and_kept_as_titles() -> None:
    name = "x" * 4000
    segment = {**story().metrics["segments"][0], "feature": name, "name": name}
    content = card(story(segments=[segment] * 30, robustness=robustness(strain(name))))
    check(content)
    assert f"{'x' * 59}…" in content
    assert f'title="{name}"' in content


def test_230_features_and_many_notes_are_folded() -> None:
    features = [f'name = "n{j}"; kind = "number"' for j in range(230)]
    told = with_contract(story(notes=[f"note {i}" for i in range(300)]), contract_text(*features))
    content = card(told)
    check(content)
    assert "<summary>All 230</summary>" in content
    assert "<details><summary>290 more" in content


def test_a_few_features_are_shown_at_once() -> None:
    assert "<details open><summary>All 2</summary>" in card(with_contract(story(), TEXT))
