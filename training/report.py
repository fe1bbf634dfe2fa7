"""The model card: one self-contained page for the people who decide whether a release may act."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from ebb.contract.model import Contract
from training.evaluation.evaluate import BINS, reliability
from training.evaluation.fairness import SMALLEST_GROUP
from training.evaluation.gates import Gate
from training.evaluation.money import profit_curve
from training.plots import Axis, Line, plot, round_axis
from training.provenance import git_commit, library_versions

_POINTS = 101
_THOUSAND = 1000


@dataclass(frozen=True)
class Story:
    """What the card tells.

    Attributes:
        contract: of the release.
        version: of the release.
        data_sha256: of the training data.
        labels: 0 or 1, [N].
        probabilities: out of fold, [N].
        metrics: as in `metrics.json`.
        gates: with their verdicts.
    """

    contract: Contract
    version: str
    data_sha256: str
    labels: NDArray[np.int8]
    probabilities: NDArray[np.float64]
    metrics: Mapping[str, Any]
    gates: Sequence[Gate]


def card(story: Story) -> str:
    """Return the card's HTML; it loads nothing from anywhere."""
    loader = FileSystemLoader(Path(__file__).parent)
    pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    pages.filters["percent"] = lambda share: f"{share:.1%}"
    pages.filters["figure"] = figure
    return pages.get_template("card.html.j2").render(
        contract=story.contract,
        version=story.version,
        data_sha256=story.data_sha256,
        m=story.metrics,
        gates=story.gates,
        roc=Markup(_roc(story)),  # noqa: S704 - our own SVG, its texts escaped
        calibration=Markup(_calibration(story)),  # noqa: S704 - as above
        profit=Markup(_profit(story)),  # noqa: S704 - as above
        git_commit=git_commit(),
        libraries=library_versions(),
        smallest_group=SMALLEST_GROUP,
    )


def figure(value: float | None) -> str:
    """Return four significant digits, thousands in full, and a dash for nothing."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= _THOUSAND else f"{value:.4g}"


def _roc(story: Story) -> str:
    false_rate, true_rate, _ = roc_curve(story.labels, story.probabilities)
    at = np.linspace(0, 1, _POINTS)
    chance = Line(np.array([0.0, 1.0]), np.array([0.0, 1.0]), "plain")
    found = Line(np.concatenate([[0.0], at]), np.concatenate([[0.0], np.interp(at, false_rate, true_rate)]))
    x, y = Axis("false positives", 0, 1, "{:.0%}"), Axis("positives found", 0, 1, "{:.0%}")
    return plot("ROC curve", x, y, [chance, found])


def _calibration(story: Story) -> str:
    bins = np.array(reliability(story.probabilities, story.labels))
    rows = np.histogram(story.probabilities, BINS, (0, 1))[0] / len(story.labels)
    ideal = Line(np.array([0.0, 1.0]), np.array([0.0, 1.0]), "plain")
    found = Line(bins[:, 0], bins[:, 1], dots=True)
    x, y = Axis("probability answered", 0, 1, "{:.0%}"), Axis("share that was positive", 0, 1, "{:.0%}")
    return plot("Reliability diagram", x, y, [ideal, found], rows)


def _profit(story: Story) -> str:
    at = np.linspace(0, 1, _POINTS)
    earned = profit_curve(story.contract.decision, story.probabilities, story.labels, at)
    low, high = min(0.0, float(np.min(earned))), max(0.0, float(np.max(earned)))
    low = max(low, -2 * high) if high > 0 else low
    pays_from = min(1.0, float(story.metrics["threshold"]))
    threshold = Line(np.array([pays_from, pays_from]), np.array([low, high]), "mark")
    nothing = Line(np.array([0.0, 1.0]), np.array([0.0, 0.0]), "plain")
    x = Axis("acting at and above this probability", 0, 1, "{:.0%}")
    y = round_axis(f"{story.contract.decision.currency} per entity", low, high)
    return plot("Profit by threshold", x, y, [nothing, threshold, Line(at, earned)])
