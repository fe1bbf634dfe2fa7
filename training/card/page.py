"""The page itself: templates filled with a story."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ebb.decision import expected_profit
from training.card import curves, searched, strips, wording
from training.card.concerns import WARNING, concerns
from training.card.story import Story
from training.card.weak import weak_segments

MOST_LISTED = 100
"""Rows of one list; what is left out stands in `metrics.json`."""


def card(story: Story) -> str:
    """Return the card's HTML; it loads nothing from anywhere, and the same story gives the same text."""
    metrics, contract = story.metrics, story.contract
    asked = [gate for gate in metrics["gates"] if gate["verdict"] != "not judged"]
    return (
        _pages()
        .get_template("card.html.j2")
        .render(
            story=story,
            contract=contract,
            decision=contract.decision,
            m=metrics,
            table=story.table,
            asked=asked,
            left=[gate for gate in metrics["gates"] if gate not in asked],
            failed=[gate for gate in asked if gate["verdict"] == "failed"],
            concerns=concerns(contract, metrics),
            notes=[note for note in metrics["notes"] if not note.startswith(WARNING)],
            weak=weak_segments(metrics),
            worth=expected_profit(contract.decision, 1.0) + contract.decision.action_cost,
            plots=_plots(metrics),
            told=searched,
            strip=_drawn(strips.strip),
            bar=_drawn(strips.bar),
            most=MOST_LISTED,
        )
    )


@cache
def _pages() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    for name in ("figure", "decimals", "amount", "percent", "count", "points", "day", "short"):
        pages.filters[name] = getattr(wording, name)
    pages.filters["words"] = wording.model_of
    pages.tests["known"] = wording.known
    pages.tests["sure"] = wording.has_interval
    return pages


def _plots(metrics: Mapping[str, Any]) -> dict[str, Markup]:
    search = metrics["search"]
    drawn = {
        "roc": curves.roc(metrics),
        "precision_recall": curves.precision_recall(metrics),
        "reliability": curves.reliability(metrics),
        "profit": curves.profit(metrics),
        "trials": searched.trials_over_time(search),
        "learning": searched.learning_curve(search),
    }
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 - our own SVG, its texts escaped


def _drawn(draw: Any) -> Any:
    def markup(*args: Any, **kwargs: Any) -> Markup:
        return Markup(draw(*args, **kwargs))  # noqa: S704 - as above

    return markup
