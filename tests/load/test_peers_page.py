"""What becomes of the measurements: ratios, table, picture, and the sections of one page."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.features.inputs import Inputs
from tests.load.figures import Figure
from tests.load.page import page, put_section, section
from tests.load.peers.asking import differing
from tests.load.peers.case import Case
from tests.load.peers.comparison import GATEWAY, comparison_figures, comparison_section, shares
from tests.load.peers.ebb_path import NAME
from tests.load.peers.known import MLSERVER, MLSERVER_PARALLEL, PEERS
from tests.load.peers.plot import draw
from tests.load.peers.rounds import Measured, Sample
from tests.load.peers.wire import INFERENCE, MLFLOW, PLAIN, Wire, ebb


def _measured(name: str, *cpu: float, rate: float = 1_000.0, **parts: float) -> Measured:
    return Measured(name, tuple(Sample(one, one * 1.1, rate, rate * 1.5, 3.0, 9.0, parts) for one in cpu))


def _all() -> dict[str, Measured]:
    ours = _measured(NAME, 500, 600, 700, rate=1_200, Valkey=90.0, Postgres=1.0)
    theirs = [_measured(peer.name, 450 + 100 * i, 500, 650, rate=900 + i) for i, peer in enumerate(PEERS)]
    return {one.name: one for one in [ours, *theirs]}


def _named(figures: list[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures}


def test_a_ratio_is_the_median_of_the_rounds_and_not_of_the_figures() -> None:
    measured = {
        NAME: _measured(NAME, 100, 900, 300, Valkey=10.0),
        MLSERVER.name: _measured(MLSERVER.name, 100, 300, 600),
    }
    found = _named(comparison_figures(measured))["CPU a request of the whole path against MLServer"]
    assert found.measured == 1.0
    assert found.target == 1.2
    assert found.kept


def test_only_mlserver_is_promised_and_the_better_of_its_two_counts() -> None:
    measured = _all()
    figures = _named(comparison_figures(measured))
    promised = [name for name, figure in figures.items() if figure.target is not None]
    assert len(promised) == 2
    assert all("MLServer" in name for name in promised)
    rate = figures["requests a second on all cores against the better of MLServer's two"]
    assert rate.at_least
    assert rate.measured == pytest.approx(1_200 / 901)
    assert MLSERVER_PARALLEL.name in rate.how
    assert len([name for name in figures if "against" in name]) == len(PEERS) + 1


def test_the_parts_are_the_whole_with_the_gateway_as_the_rest() -> None:
    found = shares(_measured(NAME, 500, Valkey=90.0, Postgres=10.0))
    assert found == {GATEWAY: 400.0, "Valkey": 90.0, "Postgres": 10.0}
    assert shares(_measured(NAME, 50, Valkey=90.0))[GATEWAY] == 0


def test_the_section_tells_of_every_server_and_every_round() -> None:
    measured = _all()
    text = comparison_section(measured, comparison_figures(measured), ["Ray Serve was left out: why"])
    for name in measured:
        assert f"{name} |" in text or f"**{name}** |" in text
        assert f"| {name} | p99, one core, ms | 9, 9, 9 |" in text
    assert "600 us [500, 700]" in text
    assert "mlserver (peer) 1.7.1" in text
    assert "- Ray Serve was left out: why" in text
    assert "over 3 rounds" in " ".join(text.split())
    without = {NAME: measured[NAME]}
    assert "(peer)" not in comparison_section(without, comparison_figures(without), [])


def test_the_picture_is_the_same_for_the_same_figures(tmp_path: Path) -> None:
    measured, one, two = _all(), tmp_path / "one.svg", tmp_path / "two.svg"
    for target in (one, two):
        draw(list(measured.values()), shares(measured[NAME]), target)
    assert one.read_bytes() == two.read_bytes()
    assert one.read_text().count("<svg") == 1
    assert list(tmp_path.iterdir()) == [one, two] or list(tmp_path.iterdir()) == [two, one]


FIGURE = Figure("f", "s", 9.0, 10.0, "how")


@pytest.mark.parametrize("order", list(itertools.permutations(["peers", "figures"])))
def test_sections_come_to_the_same_page_in_any_order(tmp_path: Path, order: tuple[str, ...]) -> None:
    target = tmp_path / "page.md"
    for name in order:
        put_section(target, "Page", name, f"## {name}\n\ntext of {name}\n")
    text = target.read_text()
    assert text.index("text of peers") < text.index("text of figures")
    assert text.startswith("# Page\n\n<!-- peers: begin -->\n\n## peers\n")
    for name in order:
        put_section(target, "Page", name, f"## {name}\n\ntext of {name}\n")
    assert target.read_text() == text


def test_a_section_replaces_itself_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "page.md"
    target.write_text("# Old\n\nwritten before there were sections\n")
    put_section(target, "Page", "figures", section("Figures", "About.", [FIGURE]))
    put_section(target, "Page", "peers", "first")
    put_section(target, "Page", "peers", "second")
    text = target.read_text()
    assert "| f | 9 s | at most 10 s | yes | how |" in text
    assert "second" in text
    assert "first" not in text
    assert "written before" not in text


def test_a_page_of_its_own_has_the_same_table() -> None:
    whole, part = page("Figures", "About.", [FIGURE]), section("Figures", "About.", [FIGURE])
    assert whole.splitlines()[-1] == part.splitlines()[-1]
    assert whole.startswith("# Figures\n")
    assert part.startswith("## Figures\n")


def _plain(body: Any) -> tuple[Any, Any]:
    return body["numbers"], body["categories"]


def _inference(body: Any) -> tuple[Any, Any]:
    numbers, categories = body["inputs"]
    assert numbers["shape"] == [1, len(numbers["data"])]
    return numbers["data"], categories["data"]


def _mlflow(body: Any) -> tuple[Any, Any]:
    return body["inputs"]["numbers"][0], body["inputs"]["categories"][0]


READ = ((PLAIN, _plain), (INFERENCE, _inference), (MLFLOW, _mlflow))
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(FLOATS, min_size=1, max_size=5), st.lists(st.text(max_size=8), min_size=1, max_size=4))
def test_a_row_arrives_at_every_peer_as_its_float32_and_texts(numbers: list[float], categories: list[str]) -> None:
    inputs = Inputs(np.array([numbers], np.float32), np.array([categories], object))
    case = Case(Path("graph"), ("who",), inputs, np.array([0.5], np.float32))
    for wire, read in READ:
        head, _, body = wire.request(case, 0).partition("\r\n\r\n")
        assert f"content-length: {len(body.encode())}\r\n" in f"{head}\r\n"
        found, texts = read(orjson.loads(body))
        assert np.array_equal(np.array(found, np.float32), inputs.numbers[0])
        assert texts == categories


@pytest.mark.parametrize(
    ("wire", "answer"),
    [
        (PLAIN, {"entity_id": "who", "probability": 0.5}),
        (INFERENCE, {"outputs": [{"name": "probability", "data": [0.5]}]}),
        (MLFLOW, {"predictions": {"probability": [0.5]}}),
        (ebb("token"), {"probability": 0.5, "release": "x"}),
    ],
)
def test_a_probability_counts_to_its_last_bit(wire: Wire, answer: dict[str, object]) -> None:
    inputs = Inputs(np.zeros((1, 1), np.float32), np.array([["a"]], object))
    case = Case(Path("graph"), ("who",), inputs, np.array([0.5], np.float32))
    assert differing(wire, case, [answer]) == 0
    near = Case(Path("graph"), ("who",), inputs, np.nextafter(case.expected, np.float32(1)))
    assert differing(wire, near, [answer]) == 1


def test_ebb_gets_a_name_and_a_token() -> None:
    inputs = Inputs(np.zeros((1, 1), np.float32), np.array([["a"]], object))
    request = ebb("secret").request(Case(Path("graph"), ("who",), inputs, np.zeros(1, np.float32)), 0)
    assert "authorization: Bearer secret\r\n" in request
    assert request.endswith('{"entity_id":"who"}')
