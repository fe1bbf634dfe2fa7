"""Swaps under load and the memory they leave, guarded; and that these measurements see what they should."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ebb.features.inputs import accept_row, encode
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.golden import golden_from_bytes
from ebb.release.load import load_release
from ebb.release.manifest import GOLDEN
from tests.home import Home
from tests.load.cloud_figures import prepare
from tests.load.guard import guard
from tests.load.memory_figures import Held, memory_figures, swaps_figures
from tests.load.paced import Sent, release_of
from tests.load.swap_case import CONTRACT
from tests.load.swap_figures import Swapped, figures_of, swap_figures
from tests.load.variants import write_variants

ROWS = 100_000
OLD, NEW = "0" * 12, "1" * 12


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a champion as large as the promise speaks of."""
    made = Home(tmp_path_factory.mktemp("swaps"))
    prepare(made, ROWS)
    return made


@pytest.mark.timeout(900)
def test_twenty_swaps_under_load(home: Home, tmp_path: Path) -> None:
    guard(list(swap_figures(home, tmp_path)))


@pytest.mark.timeout(600)
def test_memory_of_one_environment(home: Home, tmp_path: Path) -> None:
    guard(list(memory_figures(home, tmp_path)))


@pytest.mark.timeout(600)
def test_variants_are_releases_that_answer_differently(trained: Home, tmp_path: Path) -> None:
    source = FolderReleases(trained.folder / "releases")
    versions = write_variants(
        trained.folder / "releases", CONTRACT, source.champion(CONTRACT) or "", 4, tmp_path / "releases"
    )
    store = FolderReleases(tmp_path / "releases")
    assert len(set(versions)) == len(versions) == 4
    examples = golden_from_bytes(store.read(CONTRACT, versions[0])[GOLDEN])
    answers = set()
    for version in versions:
        release = load_release(store, CONTRACT, version, OnnxScorer)  # golden examples answered
        rows = [accept_row(release.contract, example.features) for example in examples]
        answers.add(tuple(release.scorer.score(encode(release.contract, rows)).tolist()))
    assert len(answers) == 4


def _swapped(took: Sequence[float], releases: Sequence[str], complaint: str = "") -> Swapped:
    """Return a load of a request each 10 ms, measured from 0 s on, with one swap after 5 of 10 s."""
    began = [number / 100 for number in range(len(took))]
    sent = Sent(began, list(took), list(releases), complaint)
    return Swapped(sent, 0.0, 5.0, 10.0, [(5.0, NEW)])


def test_latencies_before_and_beside_a_swap_are_told_apart() -> None:
    took = [0.001] * 500 + [0.020] * 10 + [0.002] * 490
    figures = {f.name.partition(",")[0]: f for f in figures_of(_swapped(took, [OLD] * 510 + [NEW] * 490), "here")}
    assert figures["p99 before swaps"].measured == pytest.approx(1.0)
    assert figures["p99 beside a load"].measured == pytest.approx(20.0, abs=0.1)
    assert figures["p99 while swapping"].measured == pytest.approx(20.0, abs=1.0)
    assert figures["p99 while swapping over p99 before"].kept is False
    assert figures["requests failed"].measured == 0
    assert figures["seconds until a new champion answers alone"].measured == pytest.approx(0.11)


def test_a_failure_is_counted_and_shown() -> None:
    releases = [OLD] * 510 + [""] + [NEW] * 489
    failed = figures_of(_swapped([0.001] * 1_000, releases, "HTTP/1.1 500 Oh"), "here")[0]
    assert (failed.measured, failed.kept, failed.tolerable) == (1, False, False)
    assert "HTTP/1.1 500 Oh" in failed.name


@pytest.mark.parametrize(
    ("answer", "release"),
    [
        (b'HTTP/1.1 200 OK\r\n\r\n{"release":"synthetic/0123456789ab","degraded":false}', "0123456789ab"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"release":null,"degraded":true}', ""),
        (b'HTTP/1.1 200 OK\r\n\r\n{"release":"synthetic/0123456789ab","degraded":true}', ""),
        (b'HTTP/1.1 503 Service Unavailable\r\n\r\n{"detail":"no"}', ""),
    ],
)
def test_only_a_releases_own_answer_counts(answer: bytes, release: str) -> None:
    assert release_of(answer) == release


@pytest.mark.parametrize(
    ("swaps", "above", "flat"),
    [
        ([60.0] * 20, True, True),
        ([60.0 + 0.5 * number for number in range(20)], True, False),
        ([80.0] + [60.0] * 19, False, True),
        ([60.0 + number % 2 for number in range(20)], True, True),
    ],
)
def test_memory_that_grows_is_told_from_memory_that_is_large(swaps: Sequence[float], above: bool, flat: bool) -> None:
    assert [figure.kept for figure in swaps_figures(Held(60.0, swaps))] == [above, flat]
