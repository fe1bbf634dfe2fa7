"""The prediction handler in process, everything on: CPU a prediction, and a row of a batch."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from ebb.errors import Unavailable
from tests.home import ROOT
from tests.load.figures import Figure
from tests.load.peers.handler_process import Order, Spent

HANDLER_US, BATCH_ROW_US = 350.0, 40.0
"""What is promised, on the machine of record."""
RECORDED_REFERENCE_US = 64.0
"""CPU of the reference work on the machine of record: 2 cores of a shared x86-64 server."""
BATCH = 1_000
_UNLIMITED = {
    "EBB_CLIENT_RATE": "1e6",
    "EBB_CLIENT_BURST": "1e6",
    "EBB_PLANS": json.dumps({"default": {"rate": 1e6, "burst": 1e6, "daily": None}}),
}
"""A handler in a loop asks faster than any client may; the limit is asked for all the same."""
_SECONDS = 240.0


def measured(environment: Mapping[str, str], order: Order) -> Spent:
    """Run the handler as ordered, with the variables of a function; its log goes to `/dev/null`.

    Raises:
        Unavailable: it did not answer; carries its last words.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EBB_")}
    variables = {**inherited, "OMP_NUM_THREADS": "1", **environment, **_UNLIMITED}
    with tempfile.TemporaryDirectory(prefix="ebb-bench-") as folder:
        result = Path(folder) / "spent.json"
        done = subprocess.run(
            [sys.executable, "-m", "tests.load.peers.handler_process", str(result)],
            cwd=ROOT,
            env=variables,
            input=json.dumps(asdict(order)).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
            timeout=_SECONDS,
        )
        if done.returncode:
            raise Unavailable(f"the handler could not be measured: {done.stderr.decode(errors='replace')[-800:]}")
        return Spent(**json.loads(result.read_text()))


def handler_figures(environment: Mapping[str, str], entities: Sequence[str], calls: int = 1_000) -> list[Figure]:
    """Measure the handler alone, one prediction a call and a batch a call.

    Args:
        environment: of the function, with its servers up.
        entities: whose features are stored; at least as many as a batch has.
        calls: each of seven rounds.
    """
    spent = measured(environment, Order(entities, calls, 7, BATCH))
    reference = median(spent.reference)
    slow = reference / RECORDED_REFERENCE_US
    how = f"in process, real Valkey, log to /dev/null, {calls:,} calls, median of 7 rounds"
    figures = [
        Figure("handler alone, CPU a prediction", "us", median(spent.handler), HANDLER_US, how, slowness=slow),
        Figure(
            "the reference work of the same rounds, CPU",
            "us",
            reference,
            None,
            "a bare pipeline of two commands and JSON",
        ),
    ]
    if spent.batch_row:
        row, many = median(spent.batch_row), f"{BATCH:,} entities a call, events included"
        figures.append(Figure("batch, CPU a row in the handler", "us", row, BATCH_ROW_US, many, slowness=slow))
        packed, how = median(spent.packed_row), "the same, of a caller that takes gzip"
        figures.append(Figure("batch, CPU a row with its answer compressed", "us", packed, None, how))
    return figures
