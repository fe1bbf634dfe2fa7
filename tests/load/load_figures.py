"""The bulk load in figures: how long, in how much memory, and what a concurrent reader notices."""

import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import redis

from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from local.supervisor.plan import Servers
from tests.home import ROOT
from tests.load.figures import Figure

ENTITIES, NUMBERS, CATEGORIES = 1_000_000, 16, 4
SECONDS, PEAK_MB, READ_MS = 90.0, 500.0, 10.0
_CHUNK = 50_000
_TEXTS = ("alpha", "beta", "gamma", "delta")
_HEAD = """\
name = "bulk"
[entity]
column = "entity_id"
[label]
column = "left"
positive = "1"
[decision]
action_cost = 1.0
retained_value = 10.0
success_rate = 0.5
[gates]
min_auc = 0.5
max_calibration_error = 0.5
[rules]
base = 0.3
"""


def write_table(folder: Path, entities: int) -> tuple[Path, Path]:
    """Write a table of 16 numbers and 4 categories an entity, and its contract; return both paths."""
    rng = np.random.default_rng(0)
    numbers, categories = [f"number_{i:02d}" for i in range(NUMBERS)], [f"category_{i}" for i in range(CATEGORIES)]
    data, contract = folder / "bulk.parquet", folder / "bulk.toml"
    features = [f'[[features]]\nname = "{name}"\nkind = "number"\n' for name in numbers]
    features += [f'[[features]]\nname = "{name}"\nkind = "category"\n' for name in categories]
    contract.write_text(_HEAD + "".join(features))
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
    """Load a table into fresh servers, as safe as those of `ebb up`, while another process's reads are timed.

    Args:
        folder: empty; holds table and servers.
        entities: rows of the table; seconds are promised for a million, and for fewer in proportion.
    """
    data, contract = write_table(folder, entities)
    postgres = Postgres.start(folder / "postgres")
    try:
        valkey = Valkey.start(folder / "valkey", memory_mib=2048)
        try:
            with _Reader(valkey.port) as reader:
                told = _load(data, contract, folder / "loads", _servers(postgres, valkey))
            with redis.Redis(port=valkey.port) as client:
                held, used = client.dbsize(), client.info("memory")["used_memory"]
        finally:
            valkey.stop()
    finally:
        postgres.stop()
    how = f"{entities:,} entities x {NUMBERS + CATEGORIES} features, parquet into Postgres and Valkey"
    slowest, p99 = max(reader.milliseconds), float(np.percentile(reader.milliseconds, 99))
    return [
        Figure("bulk load", "s", told["seconds"], SECONDS * entities / ENTITIES, how),
        Figure("bulk load, peak memory of the loading process", "MB", told["peak_mb"], PEAK_MB, how, tolerated=1.0),
        Figure("bulk load, Valkey's own memory", "MB", used / 1e6, None, how),
        Figure("bulk load, entities that Valkey lacks", "", entities - held, 0, how, tolerated=1.0),
        Figure("bulk load, batches left to repair", "", told["unrepaired"], 0, how, tolerated=1.0),
        Figure("bulk load, p99 of concurrent reads of Valkey", "ms", p99, None, f"{len(reader.milliseconds):,} GETs"),
        Figure("bulk load, slowest concurrent read of Valkey", "ms", slowest, None, "on shared cores; see the next"),
        Figure("bulk load, longest command inside Valkey", "ms", reader.longest_script_ms, READ_MS, "its slow log"),
    ]


def _servers(postgres: Postgres, valkey: Valkey) -> Servers:
    return Servers(
        valkey.port, postgres.port, postgres.user, postgres.password, postgres.database, postgres.dsn
    )  # fmt: skip


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


class _Reader:
    """Reads one key again and again, and keeps how long each read took, and the server's own slow log."""

    def __init__(self, port: int) -> None:
        self.milliseconds: list[float] = []
        self.longest_script_ms = 0.0
        self._client = redis.Redis(port=port)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._client.config_set("slowlog-log-slower-than", 500)
        self._client.slowlog_reset()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        slow = self._client.slowlog_get(128)
        self.longest_script_ms = max((entry["duration"] for entry in slow), default=0) / 1e3
        self._client.close()

    def _read(self) -> None:
        while not self._over.wait(0.002):
            start = time.perf_counter()
            self._client.get("f:c-00000000")
            self.milliseconds.append((time.perf_counter() - start) * 1e3)
