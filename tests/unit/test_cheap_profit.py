"""What the cheap release loses: nothing where it agrees, all of it where it is wrong, less with a margin."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from ebb.contract.model import Decision
from ebb.decision import decide
from ebb.errors import Misuse
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.load import load_release
from local.cheap_profit import compare_cheap, policy
from local.cli import app
from tests.fakes.releases import tiny_release, version_in
from training.progress import Silent

DECISION = Decision(10.0, 200.0, 0.25, "EUR")  # acting pays from 0.2
PROBABILITIES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 1)), min_size=2, max_size=40)


@given(rows=PROBABILITIES, weight=st.floats(0.01, 1), margin=st.floats(0, 1))
def test_the_profit_is_what_the_decisions_earn(
    rows: list[tuple[float, float, int]], weight: float, margin: float
) -> None:
    champion, cheap, labels = (np.array(column) for column in zip(*rows, strict=True))

    def earned(probability: float, label: int) -> float:
        return (label * 0.25 * 200 - 10) if decide(DECISION, probability) == "act" else 0.0

    expected = 0.0
    for best, quick, label in rows:
        answering = quick if abs(quick - 0.2) >= margin else best
        expected += (1 - weight) * earned(best, label) + weight * earned(answering, label)
    judged = policy(DECISION, champion, cheap, labels, weight=weight, margin=margin)
    assert judged.profit == pytest.approx(expected / len(rows), abs=1e-9)
    assert judged.lost_low <= judged.lost <= judged.lost_high
    assert 0 <= judged.cheap_share <= weight


def test_releases_that_agree_lose_nothing_and_a_margin_of_one_leaves_all_to_the_champion() -> None:
    generator = np.random.default_rng(1)
    champion, labels = generator.random(500), generator.integers(0, 2, 500)
    assert policy(DECISION, champion, champion, labels, weight=0.5, margin=0.0).lost == 0.0
    cautious = policy(DECISION, champion, 1 - champion, labels, weight=0.5, margin=1.0)
    assert (cautious.lost, cautious.cheap_share) == (0.0, 0.0)


def test_a_wider_margin_answers_fewer_cheaply() -> None:
    generator = np.random.default_rng(2)
    champion, cheap, labels = generator.random(500), generator.random(500), generator.integers(0, 2, 500)
    shares = [
        policy(DECISION, champion, cheap, labels, weight=1.0, margin=margin).cheap_share for margin in (0, 0.1, 0.3)
    ]
    assert shares[0] == 1.0
    assert shares == sorted(shares, reverse=True)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    generator = np.random.default_rng(3)
    lines = ["id,tenure,Monthly  spend,paperless,plan,city,left"]
    for number in range(400):
        tenure, leaves = int(generator.integers(0, 100)), generator.random() < 0.3
        lines.append(f"c-{number},{tenure},{generator.random() * 50:.2f},1,basic,Ghent,{'yes' if leaves else 'no'}")
    path = tmp_path / "customers.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def versions(tmp_path: Path) -> tuple[str, str]:
    store = FolderReleases(tmp_path / "releases")
    made = []
    for bias in (0.0, 1.5):
        files = tiny_release(bias)
        made.append(version_in(files))
        store.write("tiny", made[-1], files)
    store.set_champion("tiny", made[0])
    return made[0], made[1]


def test_two_releases_on_a_table(tmp_path: Path, table: Path, versions: tuple[str, str]) -> None:
    store = FolderReleases(tmp_path / "releases")
    best, quick = (load_release(store, "tiny", version, OnnxScorer) for version in versions)
    report = compare_cheap(best, quick, table, Silent(), weight=0.5, margins=[0.2, 0.0])
    assert report.rows == 400
    assert [p.margin for p in report.policies] == [0.0, 0.2]
    everything, easy = report.policies
    assert everything.cheap_share == 0.5
    assert easy.cheap_share < 0.5
    assert everything.graph_ms == pytest.approx(0.5 * report.cheap_ms + 0.5 * report.champion_ms)
    assert easy.cheap_share > 0
    # A hard case is scored twice: the cheap release looked at every entity of its half.
    hard = 0.5 - easy.cheap_share
    assert easy.graph_ms == pytest.approx(0.5 * report.cheap_ms + (0.5 + hard) * report.champion_ms)
    assert report.champion_profit - everything.profit == pytest.approx(everything.lost)
    with pytest.raises(Misuse, match="--weight"):
        compare_cheap(best, quick, table, Silent(), weight=0.0, margins=[0.0])


def test_the_command(tmp_path: Path, table: Path, versions: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["route", "profit", str(table), "--cheap", f"releases/tiny/{versions[1]}", "--weight", "0.3"]
    told = CliRunner().invoke(app, arguments)
    assert told.exit_code == 0, told.output
    assert "champion for all earns" in told.output
    assert f"ebb route set --cheap {versions[1]}=0.3" in told.output
    document = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert document["cheap"].endswith(versions[1])
    assert len(document["policies"]) == 6
