"""The local cloud in figures: how soon it answers, that its answers are the graph's bits, what it leaves behind."""

import time
from pathlib import Path
from statistics import median

import httpx
import numpy as np
import pyarrow.parquet

from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.load import load_champion
from local.servers.ports import is_listening
from tests.home import ROOT, Home
from tests.load import overhead
from tests.load.figures import Figure
from tests.load.reference_work import echo_slowness, start_slowness
from training.dataset import read_dataset

CONTRACT = ROOT / "training" / "contracts" / "synthetic.toml"
BITS = 1_000
ROUNDS = 3


def prepare(home: Home, rows: int) -> Path:
    """Make customers and a release in a home; return the table."""
    home.ok("synthesize", "--rows", str(rows), "--out", "data")
    home.ok("train", "--contract", str(CONTRACT), "--data", "data/customers.parquet", "--out", "releases")
    return home.folder / "data/customers.parquet"


def cloud_figures(home: Home) -> list[Figure]:
    """Bring the cloud of a prepared home up and down a few times, and score over HTTP."""
    slow = start_slowness()
    ups, downs, wrong, left = [], [], 0, 0
    for number in range(ROUNDS):
        start = time.perf_counter()
        data = ["--data", "data/customers.parquet"] if number == 0 else []
        home.ok("up", "--release", "releases", "--port", "0", "--detach", *data)
        _first_prediction(home)
        ups.append(time.perf_counter() - start)
        state = home.state
        if number == 0:
            wrong = _different_bits(home)
        start = time.perf_counter()
        home.ok("down")
        downs.append(time.perf_counter() - start)
        left += sum(process.alive() for process in state.children.values())
        left += sum(is_listening(port) for _, port in state.ports)
    loaded = "`ebb up --detach` typed until the first prediction is answered"
    return [
        Figure("first prediction after `ebb up`, features loaded first", "s", ups[0], 10, loaded, slowness=slow),
        Figure("first prediction after `ebb up`", "s", median(ups[1:]), 10, loaded, slowness=slow),
        Figure("`ebb down`", "s", median(downs), None, "typed until it returns"),
        Figure("processes and ports left after `ebb down`", "", left, 0, f"{ROUNDS} rounds"),
        Figure("answers over HTTP that differ from the graph", "", wrong, 0, f"{BITS:,} customers, to the last bit"),
    ]


def overhead_figures(requests: int) -> list[Figure]:
    """Measure what gateway and runtime client add to a handler."""
    slow = echo_slowness()
    found = overhead.measure(requests)
    how = f"one client, raw keep-alive socket, one environment, {requests:,} requests, RS256 token"
    return [
        Figure("overhead p50, cached token", "ms", found["cached_p50_ms"], 0.5, how, slowness=slow),
        Figure("overhead p99, cached token", "ms", found["cached_p99_ms"], None, how),
        Figure("overhead p50, token never seen before", "ms", found["uncached_p50_ms"], None, how),
        Figure("overhead p99, token never seen before", "ms", found["uncached_p99_ms"], None, how),
    ]


def _client(home: Home) -> httpx.Client:
    token = home.ok("token", "--client", "figures").strip()
    return httpx.Client(base_url=home.state.url, headers={"authorization": f"Bearer {token}"}, timeout=30)


def _ids(home: Home) -> list[str]:
    found: list[str] = pyarrow.parquet.read_table(home.folder / "data/customers.parquet")[0].to_pylist()
    return found


def _first_prediction(home: Home) -> None:
    with _client(home) as client:
        response = client.post("/v1/predictions", json={"entity_id": _ids(home)[0]})
    assert response.status_code == 200, response.text


def _different_bits(home: Home) -> int:
    release = load_champion(FolderReleases(home.folder / "releases"), "synthetic", OnnxScorer)
    dataset = read_dataset(home.folder / "data/customers.parquet", release.contract, labelled=False)
    expected = release.scorer.score(dataset.inputs.rows(slice(0, BITS))).astype(np.float64)
    with _client(home) as client:
        served = [
            client.post("/v1/predictions", json={"entity_id": who}).json()["probability"] for who in _ids(home)[:BITS]
        ]
    return int(np.sum(np.array(served) != expected))
