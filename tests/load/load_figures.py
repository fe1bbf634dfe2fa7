"""The bulk load in figures: how long, in how much memory, and what a concurrent reader notices."""

import json
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import redis

from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from local.supervisor.servers import Servers
from tests.fakes.made_contracts import contract_text
from tests.home import ROOT
from tests.load.figures import Figure
from tests.load.reference_work import start_slowness

ENTITIES, NUMBERS, CATEGORIES = 1_000_000, 16, 4
SECONDS, PEAK_MB, READ_MS = 90.0, 500.0, 10.0
_CHUNK = 50_000
_TEXTS = ("alpha", "beta", "gamma", "delta")


def write_table(folder: Path, entities: int) -> tuple[Path, Path]:
    """Write a table of 16 numbers and 4 categories an entity, and its contract; return both paths."""
    rng = np.random.default_rng(0)
    numbers, categories = [f"number_{i:02d}" for i in range(NUMBERS)], [f"category_{i}" for i in range(CATEGORIES)]
    data, contract = folder / "bulk.parquet", folder / "bulk.toml"
    features = [f'name = "{name}"; kind = "number"' for name in numbers]
    features += [f'name = "{name}"; kind = "category"' for name in categories]
    contract.write_text(contract_text(*features, name="bulk", entity="entity_id", label="left"))
    writer: pq.ParquetWriter | None = None
    for start in range(0, entities, _CHUNK):
        count = min(_CHUNK, entities - start)
        columns: dict[str, Any] = {"entity_id": [f"c-{i:08d}" for i in range(start, start + count)]}
        columns |= {name: np.round(rng.normal(size=count) * 100, 2) for name in numbers}
        columns |= {name: rng.choice(_TEXTS, count) for name in categories}
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(data, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return data, contract


def load_figures(folder: Path, entities: int = ENTITIES) -> list[Figure]:
    """Load a table into fresh servers, as safe as those of `ebb up`, while reads of Valkey are timed.

    Args:
        folder: empty; holds table and servers.
        entities: rows of the table; seconds are promised for a million, and for fewer in proportion.
    """
    slow = start_slowness()
    data, contract = write_table(folder, entities)
    with ExitStack() as stack:
        postgres = Postgres.start(folder / "postgres")
        stack.callback(postgres.stop)
        valkey, idle = (Valkey.start(folder / name, memory_mib=2048) for name in ("valkey", "idle"))
        stack.callback(valkey.stop)
        stack.callback(idle.stop)
        with Reader(valkey.port) as busy, Reader(idle.port) as beside:
            told = _load(data, contract, folder / "loads", servers_of(postgres, valkey))
        with redis.Redis(port=valkey.port) as client:
            held, used = client.dbsize(), client.info("memory")["used_memory"]
            script = client.info("commandstats")["cmdstat_evalsha"]["usec_per_call"] / 1e3
            scripts = client.info("latencystats")["latency_percentiles_usec_evalsha"]
    how = f"{entities:,} entities x {NUMBERS + CATEGORIES} features, parquet into Postgres and Valkey"
    same = f"{len(busy.milliseconds):,} GETs of the loaded server"
    slower = max(0.0, busy.percentile(99) - beside.percentile(99))
    return [
        Figure("bulk load", "s", told["seconds"], SECONDS * entities / ENTITIES, how, slowness=slow),
        Figure("bulk load, peak memory of the loading process", "MB", told["peak_mb"], PEAK_MB, how, tolerated=1.0),
        Figure("bulk load, Valkey's own memory", "MB", used / 1e6, None, how),
        Figure("bulk load, entities that Valkey lacks", "", entities - held, 0, how, tolerated=1.0),
        Figure("bulk load, batches left to repair", "", told["unrepaired"], 0, how, tolerated=1.0),
        Figure("bulk load, one script of 64 records", "ms", script, READ_MS, "mean inside Valkey", tolerated=1.0),
        Figure("bulk load, p99 of the scripts", "ms", scripts["p99"] / 1e3, READ_MS, "so long may a read wait"),
        Figure("bulk load, p99.9 of the scripts", "ms", scripts["p99.9"] / 1e3, None, "with the cores' own pauses"),
        Figure("bulk load, p99 of reads, beyond an idle server's", "ms", slower, READ_MS, same),
        Figure("bulk load, p99 of reads", "ms", busy.percentile(99), None, same),
        Figure(
            "bulk load, p99 of reads of an idle server", "ms", beside.percentile(99), None, "on the same busy cores"
        ),
        Figure("bulk load, slowest read", "ms", max(busy.milliseconds), None, same),
        Figure("bulk load, slowest read of an idle server", "ms", max(beside.milliseconds), None, "as above"),
    ]


def servers_of(postgres: Postgres, valkey: Valkey) -> Servers:
    """Return what a load needs to know of running servers."""
    return Servers(valkey.port, postgres.address)


def _load(data: Path, contract: Path, loads: Path, servers: Servers) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tests.load.loading_process", str(data), str(contract), str(loads)],
        cwd=ROOT,
        input=json.dumps(asdict(servers)),
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Reader:
    """Reads a key again and again while it is entered, and keeps how long each read took."""

    def __init__(self, port: int) -> None:
        self.milliseconds: list[float] = []
        self._client = redis.Redis(port=port)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()

    def percentile(self, percent: float) -> float:
        """Return what this share of the reads took at most."""
        return float(np.percentile(self.milliseconds, percent))

    def _read(self) -> None:
        while not self._over.wait(0.005):
            start = time.perf_counter()
            self._client.get("f:c-00000000")
            self.milliseconds.append((time.perf_counter() - start) * 1e3)
