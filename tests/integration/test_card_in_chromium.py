"""The card in a real browser: nothing is asked for, nothing hangs over a phone's edge, and everything can be read."""

import re
from typing import Any

import pytest

from tests.fakes.cards import drafted, robustness, search_of, story, strain, trial, with_contract
from tests.fakes.made_contracts import contract_text
from tests.integration.chromium import Browser, browser
from training.card import card

__all__ = ["browser"]

LONG = "x" * 4000

MEASURE = """
addEventListener("load", () => {
  const rgb = (e, what) => getComputedStyle(e)[what];
  let smallest = 99, least = "";
  for (const e of document.querySelectorAll("main *")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || e.tagName === "title" || !e.getClientRects().length) continue;
    const scale = e.getScreenCTM ? e.getScreenCTM().a : 1;
    const size = parseFloat(getComputedStyle(e).fontSize) * scale;
    if (size < smallest) { smallest = size; least = e.outerHTML.slice(0, 80); }
  }
  parent.document.title = JSON.stringify({
    inner: innerWidth, page: document.documentElement.scrollWidth, smallest, least,
    fetched: performance.getEntriesByType("resource").map(e => e.name),
    drawn: [...document.querySelectorAll("svg.plot")].map(e => e.getBoundingClientRect().width),
    unread: [...document.querySelectorAll("svg[role=img]")].filter(e => !e.getAttribute("aria-label")).length,
    paper: rgb(document.body, "backgroundColor"), ink: rgb(document.body, "color"),
    sheet: rgb(document.querySelector(".tile"), "backgroundColor"),
    soft: rgb(document.querySelector(".soft"), "color"), line: rgb(document.querySelector("polyline.main"), "stroke"),
  });
});
"""


def opened(page: str) -> str:
    """The page with all its folds open."""
    return page.replace("<details>", "<details open>")


def small() -> str:
    return drafted()[0].files["card.html"].decode()


def stuffed() -> str:
    """A card of what is longest and strangest, all of it open."""
    metrics = story().metrics
    features = [f'name = "f{j}_{"y" * 50}"; kind = "number"; description = "{"z" * 500}"' for j in range(230)]
    segments = [{**metrics["segments"][0], "feature": LONG, "name": LONG} for _ in range(30)]
    fairness = [{**metrics["fairness"][0], "feature": LONG, "not_judged": [{"name": LONG, "rows": 3}], "too_small": 1}]
    trials = [trial(LONG, 0.5 + i / 100, "complete" if i % 2 else "failed", at=i) for i in range(120)]
    told = story(
        segments=segments,
        fairness=fairness,
        search=search_of(*trials, curve=[(100, 0.6), (9000, 0.5)]),
        robustness=robustness(*[strain(LONG) for _ in range(20)]),
        notes=[LONG, f"warning: {LONG}"],
    )
    return opened(card(with_contract(told, contract_text(*features))))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("make", [small, stuffed])
def test_on_a_phone(browser: Browser, make: Any, dark: bool) -> None:
    told = browser.measured(make(), MEASURE, width=390, dark=dark)
    assert told["inner"] == 390
    assert told["page"] <= 390
    assert told["smallest"] >= 14, told["least"]
    assert told["fetched"] == []
    assert told["unread"] == 0
    assert min(told["drawn"]) > 250
    for text, ground in (("ink", "paper"), ("ink", "sheet"), ("soft", "paper"), ("soft", "sheet"), ("line", "sheet")):
        assert contrast(told[text], told[ground]) >= 4.5, (text, ground)
    assert (luminance(told["paper"]) < 0.2) is dark


@pytest.mark.parametrize("make", [small, stuffed])
def test_on_a_desk(browser: Browser, make: Any) -> None:
    told = browser.measured(make(), MEASURE, width=1200)
    assert told["page"] <= told["inner"] == 1200
    assert told["smallest"] >= 14, told["least"]


@pytest.mark.parametrize("make", [small, stuffed])
def test_nothing_is_asked_for(browser: Browser, make: Any) -> None:
    told = browser.measured(make(), MEASURE)
    assert told["fetched"] == []
    assert browser.proxy.others() == []


def test_whatever_is_asked_for_is_found_out(browser: Browser) -> None:
    telling = small().replace("<main>", '<main><img src="http://card-probe.invalid/x.png" alt="">')
    told = browser.measured(telling, MEASURE)
    assert told["fetched"] == ["http://card-probe.invalid/x.png"]
    assert any("card-probe.invalid" in line for line in browser.proxy.others())
    browser.proxy.asked.clear()


def test_it_prints_what_is_folded(browser: Browser) -> None:
    content = card(story())
    without = content.replace("details::details-content", "details.none")
    assert without != content
    assert printed_pages(browser, content) > printed_pages(browser, without)


def printed_pages(browser: Browser, content: str) -> int:
    copy, printed = browser.folder / "print.html", browser.folder / "print.pdf"
    copy.write_text(content, encoding="utf-8")
    browser.run(copy, f"--print-to-pdf={printed}", "--no-pdf-header-footer")
    return len(re.findall(rb"/Type /Page\b", printed.read_bytes()))


def luminance(colour: str) -> float:
    """Relative luminance of an rgb() text (WCAG 2.2)."""
    parts = [float(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
