"""What every test may ask for."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from tests.home import ROOT, Home

ROWS = 4_000

# The same examples in every run: who changes the code meets what they find, and nobody who comes later.
# Another thousand: `pytest --hypothesis-profile=default`. No example is judged by its time: the machine may be busy.
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")

# A shell's background job has SIGINT ignored, which every process that a test starts and interrupts would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data beside the checkout; tests that need it are skipped loudly without it."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir() and os.environ.get("EBB_REQUIRE_DATA"):
        pytest.fail("EBB_REQUIRE_DATA is set, but the folder ../shared/data beside the checkout is missing")
    if not folder.is_dir():
        pytest.skip("REAL DATA ABSENT: the folder ../shared/data beside the checkout is missing, nothing was proved")
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with customers and a release trained on them."""
    home = Home(tmp_path_factory.mktemp("home"))
    home.ok("synthesize", "--rows", str(ROWS), "--out", "data")
    contract = str(ROOT / "training/contracts/synthetic.toml")
    # On so few rows a line may win; what serves in these tests is what serves mostly: trees.
    words = ("--contract", contract, "--data", "data/customers.parquet", "--out", "releases", "--families", "boosted")
    home.ok("train", *words)
    return home


@pytest.fixture(scope="session")
def cloud(trained: Home) -> Iterator[Home]:
    """The same home with its local cloud up and the customers' features loaded."""
    trained.ok("up", "--data", "data/customers.parquet", "--port", "0", "--detach")
    yield trained
    assert trained.ebb("down").returncode == 0


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Start an empty Postgres; a test that writes keeps to tables of its own."""
    server = Postgres.start(tmp_path_factory.mktemp("postgres"), durable=False)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """Start an empty Valkey; a test that writes keeps to keys of its own."""
    server = Valkey.start(tmp_path_factory.mktemp("valkey"))
    try:
        yield server
    finally:
        server.stop()
