"""MiniStack from its own environment: S3, Step Functions and other services of AWS, in memory, on loopback.

It is an emulator, not AWS: what it leaves out of Step Functions is added by `local.ministack`; what is relied on is
held by tests/integration/test_ministack.py.
"""

import json
import os
import secrets
import signal
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event
from typing import Self

from ebb.errors import Unavailable
from local.servers.child import Child, start_child
from local.servers.ports import LOOPBACK
from local.servers.process_id import ProcessId
from local.servers.starting import on_port, wait_ready

_ROOT = Path(__file__).resolve().parents[2]
_READY_SECONDS = 60.0
REGION = "us-east-1"


@dataclass(frozen=True)
class MiniStack:
    """One running MiniStack.

    Attributes:
        port: the loopback port that all its services listen on.
        child: its process.
    """

    port: int
    child: Child

    @classmethod
    def start(
        cls, folder: Path, port: int = 0, *, sagemaker: str = "", waits: float = 1.0, abort: Event | None = None
    ) -> Self:
        """Start it and wait until it answers.

        Args:
            folder: where its log and whatever else it writes goes; made when absent.
            port: loopback port; 0 for a free one.
            sagemaker: address of who runs the processing jobs of its state machines; without one these tasks fail.
            waits: share of the seconds between attempts and in Wait states that its state machines really wait.
            abort: give the start up when this is set.

        Raises:
            Aborted: `abort` was set.
            Unavailable: it is not installed, cannot run or did not answer; the sentence says why.
        """
        python = _ROOT / ".tools" / "ministack" / "bin" / "python"
        if not python.exists():
            raise Unavailable("MiniStack is not installed; run `sh local/setup.sh ministack`.")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        said = {"SFN_WAIT_SCALE": str(waits), **({"AWS_ENDPOINT_URL_SAGEMAKER": sagemaker} if sagemaker else {})}
        return on_port(port, lambda chosen: cls._start_on(folder.absolute(), python, chosen, said, abort))

    @classmethod
    def _start_on(cls, folder: Path, python: Path, port: int, said: Mapping[str, str], abort: Event | None) -> Self:
        mark = secrets.token_hex(8)
        environment = {**_environment(folder, port, mark), **said}
        command = [str(python), "-m", "local.ministack"]
        log = folder / "ministack.log"
        child = start_child("MiniStack", command, log=log, environment=environment, folder=folder)
        with ExitStack() as undo:
            undo.callback(child.stop, ((signal.SIGTERM, 1.0),))
            wait_ready(child, lambda: _answers(port, mark), port=port, seconds=_READY_SECONDS, abort=abort)
            undo.pop_all()
        return cls(port, child)

    @property
    def url(self) -> str:
        """The address of all its services."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def id(self) -> ProcessId:
        """Its pid and start time."""
        return self.child.id

    def stop(self) -> None:
        """End it, when it still runs; all it held is gone."""
        self.child.stop(((signal.SIGTERM, 3.0),))


def _environment(folder: Path, port: int, mark: str) -> Mapping[str, str]:
    """Return an environment in which it listens on loopback only, reaches nobody and knows no account of yours."""
    foreign = ("AWS_", "DOCKER_", "LOCALSTACK_", "MINISTACK_", "PYTHON", "SFN_", "S3_")
    ways = {f"{way}_proxy" for way in ("http", "https", "all", "no")}
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(foreign) and name.lower() not in ways
    }
    return {
        **kept,
        "AWS_EC2_METADATA_DISABLED": "true",
        "BIND_HOST": LOOPBACK,
        "DOCKER_HOST": f"unix://{folder}/no-docker",
        "GATEWAY_PORT": str(port),
        "HOME": str(folder),
        "MINISTACK_REGION": REGION,
        "MINISTACK_VERSION": mark,
        "PYTHONPATH": str(_ROOT),
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(folder),
    }


def _answers(port: int, mark: str) -> bool:
    """Say whether the one that answers is the one just started, not another that had the port before."""
    connection = HTTPConnection(LOOPBACK, port, timeout=5.0)
    try:
        with suppress(OSError, HTTPException, ValueError):
            connection.request("GET", "/_ministack/health")
            return bool(json.loads(connection.getresponse().read()).get("version") == mark)
    finally:
        connection.close()
    return False
