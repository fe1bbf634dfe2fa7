"""The data docs in a real browser: nothing runs, nothing is asked for, nothing hangs over a phone's edge."""

import numpy as np
import pyarrow as pa
import pytest

from tests.fakes.made_contracts import contract_of
from tests.integration.chromium import Browser, browser
from training.dataset import accept_table
from training.validation import validate
from training.validation.docs import PAGE

__all__ = ["browser"]

ROWS = 300
HOSTILE = '"><img src=http://evil.test/a onerror=top.hit=1><script>top.hit=1</script>{{ 7*7 }}' + "w" * 300
LOOK = """
addEventListener("load", () => {
  const over = [...document.querySelectorAll("body *")].filter(e => {
    const box = e.getBoundingClientRect();
    return box.width && box.right > innerWidth + 1 && !e.closest(".scroll, .ge-section");
  });
  parent.document.title = JSON.stringify({
    inner: innerWidth, page: document.documentElement.scrollWidth, hit: !!top.hit,
    fetched: performance.getEntriesByType("resource").map(e => e.name),
    over: over.map(e => e.outerHTML.slice(0, 80)),
    scripts: document.scripts.length, images: document.images.length,
    ticks: [...document.querySelectorAll(".text-success")].map(e => getComputedStyle(e, "::before").content)[0],
    text: document.body.innerText,
  });
});
"""


def page() -> str:
    contract = contract_of(
        f'name = "x"; kind = "number"; column = {HOSTILE!r}; min = 0',
        'name = "who"; kind = "category"; categories = ["a"]; personal = true',
        'name = "open"; kind = "category"; categories = ["a"]',
    )
    random = np.random.default_rng(0)
    columns = {
        HOSTILE: random.random(ROWS),
        "who": ["her secret" if i % 5 else "a" for i in range(ROWS)],
        "open": [HOSTILE[:200] if i % 5 else "a" for i in range(ROWS)],
        "y": random.integers(0, 2, ROWS),
    }
    data = accept_table(contract, pa.table(columns), labelled=True, source="t")
    return validate(contract, data, f"{HOSTILE}.csv", docs=True).docs[PAGE].decode()


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1200, True)])
def test_the_page_lies_within_its_window_and_is_nothing_but_text(browser: Browser, width: int, *, dark: bool) -> None:
    before = len(browser.proxy.others())
    told = browser.measured(page(), LOOK, width=width, dark=dark)
    assert told["inner"] == width
    assert told["page"] <= width
    assert told["over"] == []
    assert not told["hit"]
    assert told["fetched"] == []
    assert (told["scripts"], told["images"]) == (1, 0)  # the one that measures
    assert browser.proxy.others()[before:] == []
    assert told["ticks"] == '"✓"'
    assert "her secret" not in told["text"]
    assert "{{ 7*7 }}" in told["text"]
    assert "Every expectation, by column" in told["text"]
    assert "holds what the contract does not list in 240 rows" in told["text"]
