"""One bulk load in a process of its own, whose memory is its own: prints what it did, and its peak, as JSON."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from ebb.postgres.address import PostgresAddress
from local.loading.load import Table, load_table
from local.supervisor.servers import Servers
from training.contract_file import read_contract
from training.progress import Silent


def main(arguments: list[str]) -> None:
    """Load DATA by CONTRACT into the servers whose JSON comes on standard input."""
    data, contract, loads = (Path(argument) for argument in arguments)
    told = json.loads(sys.stdin.read())
    servers = Servers(told["valkey_port"], PostgresAddress(**told["postgres"]))
    start = time.perf_counter()
    loaded = load_table(Table(data, read_contract(contract)[0], loads), servers, Silent())
    seconds = time.perf_counter() - start
    told = {**asdict(loaded), "seconds": seconds, "peak_mb": peak_mb()}
    sys.stdout.write(json.dumps(told, default=str))


def peak_mb() -> float:
    """Return the most memory this process ever held, in MB of 1024 kB.

    `getrusage` would also count what its parent held when it was started: Linux keeps that across exec.
    """
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


if __name__ == "__main__":
    main(sys.argv[1:])
