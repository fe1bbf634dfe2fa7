"""The card is one page that loads nothing, and says what the release is."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.features.inputs import Inputs
from ebb.onnx import OnnxScorer
from tests.fakes.made_contracts import contract_of
from tests.fakes.searched import searched
from tests.fakes.tables import TINY, fit_model, make_table
from training.calibrate import crossfit_platt
from training.draft import make_draft
from training.evaluation.compare import Comparison
from training.evaluation.evaluate import evaluate
from training.evaluation.gates import judge
from training.export import export
from training.export.parity import Parity
from training.judgement import Judgement
from training.labelled import Labelled
from training.plots import Axis, Line, plot, round_axis
from training.report import figure

CONTRACT = contract_of(
    'name = "n0"; kind = "number"; missing = true',
    'name = "c0"; kind = "category"; missing = true; protected = true; description = "<b>&"',
)
NOTE = "a note with <script>alert(1)</script> in it"


def page(note: str = NOTE) -> str:
    inputs, labels = make_table(500, 1, 1)
    found = searched(inputs, labels, [TINY])
    model = fit_model(inputs, labels)
    graph = export(model, 1, 1)
    probabilities = crossfit_platt(found.best.raw, labels, found.fold)
    evaluation = evaluate(CONTRACT, inputs, labels, probabilities)
    champion = Comparison("0123456789ab", 1.25, "its own figure", may_have_seen=False)
    close = Parity(1_000, 1e-7)
    gates = judge(CONTRACT, evaluation, close, 0.02, champion)
    judgement = Judgement(
        model, graph, OnnxScorer(graph), probabilities, evaluation, close, latency=0.02, champion=champion, gates=gates
    )
    data = Labelled(Inputs(inputs.numbers, inputs.categories), labels, "f" * 64)
    draft = make_draft(CONTRACT, b"", data, found, judgement, seed=0, notes=[note])
    return draft.files["card.html"].decode()


class Loads(HTMLParser):
    """Collects everything that a browser would fetch, and checks that tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.fetched.extend(
            f"{tag} {name}={value}" for name, value in attrs if name in {"src", "href", "srcset", "data"}
        )


def test_it_loads_nothing() -> None:
    content = page()
    loads = Loads()
    loads.feed(content)
    assert loads.fetched == []
    assert not loads.tags & {"script", "link", "iframe", "img", "object", "embed"}
    assert not re.search(r"https?://|url\(|@import", content)


def test_it_is_made_for_phones() -> None:
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page()


def test_it_says_what_the_release_is() -> None:
    content = page()
    for said in ("small/", "f" * 64, "AUC", "min_auc", "0123456789ab", "acted on", "scikit-learn", "tiny", "Limits"):
        assert said in content


def test_texts_are_escaped() -> None:
    content = page()
    assert "<script>" not in content
    assert "a note with &lt;script&gt;" in content


def test_three_plots_that_are_well_formed() -> None:
    plots = re.findall(r"<svg.*?</svg>", page(), re.DOTALL)
    assert len(plots) == 3
    for drawn in plots:
        assert "nan" not in drawn
        assert ET.fromstring(drawn).get("aria-label")  # noqa: S314 - our own


def test_a_plot_keeps_lines_inside_and_escapes_titles() -> None:
    x, y = Axis("a < b", 0, 1), Axis("y", 0, 2)
    drawn = plot("t", x, y, [Line(np.array([-1.0, 0.5, 9.0]), np.array([0.0, 1.0, 5.0]))])
    points = re.search(r'points="([^"]+)"', drawn)
    assert points is not None
    assert points[1].split() == ["52.0,226.0", "200.0,119.0", "348.0,12.0"]
    assert "a &lt; b" in drawn


def test_an_axis_without_span_still_draws() -> None:
    assert "nan" not in plot("t", Axis("x", 0, 0), Axis("y", 0, 0), [Line(np.zeros(2), np.zeros(2))])


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (112126.98, "112,127"), (0.84719, "0.8472"), (9.7e-8, "9.7e-08"), (0, "0")]
)
def test_figures(value: float | None, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("low", "high", "start", "end"),
    [(-5.92, 6.22, -8, 8), (0, 20.1, 0, 24), (0, 19.9, 0, 20), (-1.5, 0, -1.6, 0), (0, 112_127, 0, 120_000)],
)
def test_a_round_axis_covers_its_span(low: float, high: float, start: float, end: float) -> None:
    axis = round_axis("t", low, high)
    assert (axis.low, axis.high) == (start, end)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_a_round_axis_always_covers(low: float, width: float) -> None:
    axis = round_axis("t", low, low + width)
    assert axis.low <= low + 1e-6
    assert axis.high >= (low + width) - 1e-6 * max(1, abs(low + width))
