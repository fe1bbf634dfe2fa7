"""Batch scoring in figures: rows a second a core, Parquet to Parquet, and memory that does not grow with the rows."""

import json
import pickle
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ebb.features.inputs import Inputs
from ebb.onnx import OnnxScorer
from ebb.release import manifest as m
from ebb.release.load import LoadedRelease
from ebb.release.reference import make_reference
from tests.fakes.fitted import fit_family
from tests.fakes.made_contracts import contract_of
from tests.home import ROOT
from tests.load.figures import Figure
from tests.load.guard import show
from tests.load.reference_work import start_slowness
from training.batch.scorer import WORTH_COMPILING
from training.export import export

NUMBERS, CATEGORIES = 24, 8
ROWS, FIT_ROWS = 2_000_000, 20_000
ROWS_A_SECOND = 100_000.0
_CHUNK = 100_000
_NEVER = 1 << 40
_TEXTS = (4, 4, 6, 10, 20, 50, 100, 1_000)
"""Distinct texts of each category."""


@dataclass(frozen=True)
class Packed:
    """A release as it travels to the process that is measured."""

    model: bytes

    def __call__(self) -> LoadedRelease:
        """Load it."""
        scorer = OnnxScorer(self.model)
        features = [f'name = "n{j}"; kind = "number"; missing = true' for j in range(NUMBERS)]
        features += [f'name = "c{j}"; kind = "category"; missing = true' for j in range(CATEGORIES)]
        contract = contract_of(*features, name="figures", entity="id")
        files = {m.MODEL: m.digest(self.model)}
        manifest = m.Manifest("figures", files[m.MODEL][:12], files, "0" * 64, "", {}, "", "", "")
        some = made_rows(100, 0)
        reference = make_reference(contract, some, np.ones(100, np.int8), scorer.score(some))
        return LoadedRelease(contract, manifest, reference, scorer, m.digest(manifest.to_bytes()))


def made_rows(rows: int, seed: int) -> Inputs:
    """Return rows of 24 numbers and 8 categories, 3 % of both missing."""
    rng = np.random.default_rng(seed)
    numbers = np.round(rng.normal(size=(rows, NUMBERS)) * 100, 2).astype(np.float32)
    numbers[rng.random(numbers.shape) < 0.03] = np.nan
    texts = [np.array(["", *(f"text {k}" for k in range(count))], object) for count in _TEXTS]
    columns = [pool[rng.integers(1, len(pool), rows) * (rng.random(rows) >= 0.03)] for pool in texts]
    return Inputs(numbers, np.stack(columns, axis=1))


def made_release(trees: int, leaves: int) -> Packed:
    """Fit so many trees of so many leaves."""
    inputs = made_rows(FIT_ROWS, 1)
    rng = np.random.default_rng(2)
    raw = np.sin(np.nan_to_num(inputs.numbers) / 60).sum(axis=1) + rng.logistic(size=FIT_ROWS)
    model = fit_family("boosted", inputs, (raw > 0).astype(np.int8), trees=trees, leaves=leaves)
    return Packed(export(model, NUMBERS, CATEGORIES))


def write_table(path: Path, rows: int) -> None:
    """Write a parquet file of 32 features and a key, zstd, 100,000 rows a group."""
    writer: pq.ParquetWriter | None = None
    for start in range(0, rows, _CHUNK):
        inputs = made_rows(min(_CHUNK, rows - start), 3 + start)
        columns: dict[str, Any] = {"id": [f"c-{start + i:09d}" for i in range(len(inputs))]}
        for j in range(NUMBERS):
            values = inputs.numbers[:, j].astype(np.float64).round(2)
            columns[f"n{j}"] = pa.array(values, mask=np.isnan(values))
        columns |= {f"c{j}": [text or None for text in inputs.categories[:, j]] for j in range(CATEGORIES)}
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()


def batch_figures(folder: Path, rows: int = ROWS) -> list[Figure]:
    """Score tables of 32 features, each in a process of its own.

    Args:
        folder: empty; holds tables and graphs.
        rows: of the long table; the short one has a quarter.
    """
    slow = start_slowness()
    long, short = folder / "long.parquet", folder / "short.parquet"
    write_table(long, rows)
    write_table(short, rows // 4)
    promised, larger = folder / "promised", folder / "larger"
    promised.write_bytes(pickle.dumps(made_release(300, 31)))
    larger.write_bytes(pickle.dumps(made_release(600, 63)))
    told = score(promised, long)
    part = score(promised, short)
    whole = score(promised, short, compile_from=_NEVER)
    big = score(larger, long)
    two = score(promised, long, workers=2)
    what = f"{rows:,} rows x 32 features, Parquet to Parquet"
    unit = "rows/s"
    return [
        Figure(
            "batch scoring, a core, 300 trees of 31 leaves",
            unit,
            told["rows"] / told["cpu"],
            ROWS_A_SECOND,
            f"{what}, by seconds of CPU, the compiler's among them",
            at_least=True,
            slowness=slow,
        ),
        Figure("batch scoring, a core, 600 trees of 63 leaves", unit, big["rows"] / big["cpu"], None, what),
        Figure(
            "batch scoring, a core, trees walked by ONNX Runtime",
            unit,
            whole["rows"] / whole["cpu"],
            None,
            "300 trees of 31 leaves where there is no compiler (numba)",
        ),
        Figure("batch scoring, two processes, by the clock", unit, two["rows"] / two["seconds"], None, what),
        Figure("batch scoring, peak memory", "MB", told["peak_mb"], None, what),
        Figure(
            "batch scoring, peak memory against that of a quarter of the rows",
            "",
            told["peak_mb"] / part["peak_mb"],
            1.25,
            f"{rows // 4:,} rows: {part['peak_mb']:,.0f} MB",
            tolerated=1.0,
        ),
    ]


def score(release: Path, source: Path, *, workers: int = 1, compile_from: int = WORTH_COMPILING) -> Any:
    """Score a table in a process of its own, and return what that took."""
    arguments = [str(release), str(source), str(source.with_suffix(".scored.parquet")), str(workers), str(compile_from)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.load.batch_process", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="ebb-bench-") as folder:
        show(batch_figures(Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
