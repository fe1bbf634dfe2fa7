"""Every promised figure, guarded: fails when one is missed by more than half (see `tests.load.figures`)."""

import time
from pathlib import Path

import pytest

from local.servers.cluster import data_folder, processes_of
from tests.home import ROOT, Home
from tests.load.bench import ROWS
from tests.load.cloud_figures import cloud_figures, overhead_figures, prepare
from tests.load.figures import Figure
from tests.load.guard import guard
from tests.load.page import page
from tests.load.quality_figures import parity_figure, quality_figures, tables
from tests.load.stopped_valkey import stopped_valkey_figures
from tests.load.store_figures import cache_figures


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with as many customers as the figures speak of."""
    made = Home(tmp_path_factory.mktemp("figures"))
    prepare(made, ROWS)
    return made


@pytest.mark.timeout(600)
def test_the_local_cloud(home: Home) -> None:
    guard(cloud_figures(home))


@pytest.mark.timeout(300)
def test_a_stopped_valkey_fails_no_prediction(home: Home) -> None:
    guard(stopped_valkey_figures(home))


def test_a_hit_of_the_cache() -> None:
    guard(cache_figures())


def test_the_overhead_of_gateway_and_runtime_client() -> None:
    guard(overhead_figures(2_000))


def test_parity_on_synthetic_customers(home: Home) -> None:
    for contract, dataset in tables(None, home.folder / "data/customers.parquet"):
        guard([parity_figure(contract, dataset)])


@pytest.mark.real_data
@pytest.mark.timeout(900)
def test_parity_and_quality_on_real_tables(trained: Home, shared_data: Path) -> None:
    for contract, dataset in tables(shared_data, trained.folder / "data/customers.parquet"):
        if contract.name != "synthetic":
            guard([parity_figure(contract, dataset), *quality_figures(contract, dataset)])


@pytest.mark.timeout(600)
def test_the_demo_takes_less_than_three_minutes(tmp_path: Path) -> None:
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    start = time.perf_counter()
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("training", "lambdas", "local"):
        (checkout / name).symlink_to(ROOT / name)
    done = subprocess.run(
        [sys.executable, "-m", "local.demo"], cwd=checkout, capture_output=True, text=True, check=False, timeout=550
    )
    assert done.returncode == 0, done.stderr
    assert "Done in" in done.stdout
    assert not (checkout / "demo/.ebb/up.json").exists()
    assert processes_of(data_folder(checkout / "demo/.ebb/postgres")) == []
    guard([Figure("`make demo`, packages installed", "s", time.perf_counter() - start, 180, "100,000 rows")])


def _figure(measured: float, **more: float | bool) -> Figure:
    return Figure("f", "s", measured, 10.0, "how", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("figure", "kept", "tolerable"),
    [
        (_figure(9), True, True),
        (_figure(14), False, True),
        (_figure(16), False, False),
        (_figure(16, slowness=2.0), False, True),
        (_figure(16, slowness=0.1), False, False),
        (_figure(7, at_least=True), False, True),
        (_figure(6, at_least=True), False, False),
        (_figure(9.9, at_least=True, tolerated=1.0), False, False),
        (_figure(10.1, tolerated=1.0), False, False),
        (Figure("left", "", 1, 0, "how"), False, False),
        (Figure("left", "", 0, 0, "how"), True, True),
        (Figure("beside", "s", 99, None, "how"), None, True),
    ],
)
def test_a_figure_is_judged_as_it_says(figure: Figure, kept: bool | None, tolerable: bool) -> None:
    assert (figure.kept, figure.tolerable) == (kept, tolerable)


def test_the_page_names_every_figure() -> None:
    made = page("Figures", "About them.", [_figure(9), _figure(16)])
    assert "| f | 9 s | at most 10 s | yes | how |" in made
    assert "| f | 16 s | at most 10 s | no | how |" in made
