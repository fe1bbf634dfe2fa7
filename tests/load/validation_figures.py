"""What validating costs: a profile of all rows of 5 GB of events, and the suite of a table of 230 columns.

`python -m tests.load.validation_figures` makes the events first, which takes minutes; `... 500MB` makes less, and
`... FOLDER` takes what `ebb synthesize` has made.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from ebb.errors import Misuse
from local.terminal import print_table
from tests.fakes.made_contracts import contract_of
from tests.home import ROOT
from tests.load.figures import Figure, rows_of
from tests.load.watched import watch
from training.dataset import accept_table
from training.synthesize import parse_size
from training.validation import validate
from training.validation.gx import load

SIZE = "5GB"
ROWS, SECONDS, GB = 380e6, 30.0, 3.0
WIDE_ROWS, WIDE_COLUMNS, WIDE_SECONDS = 5_000, 230, 2.0
LIBRARY_SECONDS = 6.0
"""Of a process's start and the library's import, which do not shrink with the rows."""

_CONTRACT = ROOT / "training" / "contracts" / "synthetic_events.toml"
_TEXTS = np.array(["a", "b", "c", "d"], object)


def validation_figures(world: str = SIZE) -> Iterator[Figure]:
    """Measure both.

    Args:
        world: a folder that `ebb synthesize` has made, or the size of one that is made and gone afterwards.

    Raises:
        Misuse: the disk has not twice the room.
    """
    if Path(world).is_dir():
        yield from profile_figures(Path(world))
    else:
        if shutil.disk_usage(tempfile.gettempdir()).free < 2 * parse_size(world):
            raise Misuse(f"{tempfile.gettempdir()} has no room for twice {world}: set TMPDIR to another disk")
        with tempfile.TemporaryDirectory(prefix="ebb-validation-") as folder:
            made = Path(folder) / "world"
            watch(["synthesize", "--size", world, "--workers", 2, "--out", made])
            yield from profile_figures(made)
    yield from wide_figures()


def profile_figures(world: Path) -> Iterator[Figure]:
    """Profile every row of the events in a folder, through the command.

    The seconds are the command's, from its start to its end: 30 for 380 million rows, in proportion for fewer, and
    beside them what the process and the library take to start.
    """
    ran = watch(["validate", world / "events", "--contract", _CONTRACT, "--profile"])
    if ran.told["engine"] != "profile" or not ran.told["rows"]:
        raise RuntimeError(f"{world / 'events'} was not profiled: {json.dumps(ran.told)[:300]}")
    rows = ran.told["rows"]
    size = sum(file.stat().st_size for file in (world / "events").rglob("*.parquet"))
    of = f"{rows / 1e6:,.0f} million rows, {size / 1e9:.2f} GB of zstd parquet, `ebb validate --profile`"
    limit = min(SECONDS, LIBRARY_SECONDS + SECONDS * rows / ROWS)
    yield Figure("validation profile of all rows", "s", ran.seconds, limit, of)
    yield Figure("validation profile, memory", "GB", ran.peak / 1e9, GB, f"its most; {of}", tolerated=1.0)


def wide_figures() -> Iterator[Figure]:
    """Validate an accepted table of many columns, with its data docs, as `ebb train` does."""
    random = np.random.default_rng(0)
    features, columns = [], {}
    for j in range(WIDE_COLUMNS):
        texts = j % 3 == 2
        kind = 'kind = "category"; categories = ["a", "b", "c", "d"]' if texts else 'kind = "number"; min = 0'
        features.append(f'name = "x{j}"; missing = true; {kind}')
        columns[f"x{j}"] = random.choice(_TEXTS, WIDE_ROWS) if texts else random.random(WIDE_ROWS)
    columns["y"] = (random.random(WIDE_ROWS) < 0.3).astype(int)
    contract = contract_of(*features)
    dataset = accept_table(contract, pa.table(columns), labelled=True, source="wide")
    started = time.process_time()
    load()
    loaded = time.process_time()
    found = validate(contract, dataset, "wide", docs=True)
    ended = time.process_time()
    of = f"{WIDE_ROWS:,} rows x {WIDE_COLUMNS} columns, {len(found.verdicts):,} expectations, with data docs"
    yield Figure("validation of a wide table", "CPU s", ended - loaded, WIDE_SECONDS, of)
    yield Figure("Great Expectations, imported", "CPU s", loaded - started, None, "once a process")


def main() -> int:
    """Measure and print; exit code 1 when a promise is not kept."""
    figures = list(validation_figures(*sys.argv[1:2]))
    print_table("Validation", ["figure", "measured", "promised", "kept", "how"], rows_of(figures))
    return int(any(figure.kept is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
