"""A supervisor in a process of its own, for tests that kill, interrupt and question it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from local.servers.ports import is_listening
from local.servers.process_id import ProcessId, living
from local.supervisor.state import State, read_state

TINY = """
import os
import time

import redis


def handle(event, context):
    if event.get("task") == "fill":
        with redis.Redis(port=int(os.environ["VALKEY_PORT"])) as valkey:
            valkey.set("filled", str(time.time()))
        return {}
    return {"statusCode": 200, "body": event["rawPath"] + " " + os.environ["VALKEY_PORT"]}
"""


class TinyCloud:
    """A supervisor in a process of its own, with one tiny function, and all that it started.

    Attributes:
        folder: its state folder.
        mark: a variable in the environment of everything it starts.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "state"
        self.log = folder / "cloud.log"
        self.mark = f"EBB_TEST_MARK={uuid4().hex}"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.code = folder / "code"
        self.code.mkdir()
        (self.code / "tiny.py").write_text(TINY)

    def command(self, port: int = 0) -> list[str]:
        """Return the command that runs it in the foreground."""
        program = str(Path(__file__).with_name("tiny_cloud.py"))
        return [sys.executable, program, str(self.folder), str(port), str(self.code)]

    def environment(self) -> dict[str, str]:
        """Return the environment that marks everything it starts."""
        name, _, value = self.mark.partition("=")
        return {**os.environ, name: value}

    def start(self, port: int = 0) -> subprocess.Popen[bytes]:
        """Start it and return at once."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self.command(port), stdout=log, stderr=log, env=self.environment(), start_new_session=True
            )
        self.processes.append(process)
        return process

    def up(self, port: int = 0) -> tuple[subprocess.Popen[bytes], State]:
        """Start it and wait until it is up."""
        process = self.start(port)
        assert self.poll(lambda: self.is_up() or process.poll() is not None), self.log.read_text()
        assert process.poll() is None, self.log.read_text()
        return process, self.state()

    def is_up(self) -> bool:
        """Say whether its state says so."""
        state = read_state(self.folder)
        return state is not None and state.alive() and state.phase == "up"

    def state(self) -> State:
        """Return its state, which must be there."""
        state = read_state(self.folder)
        assert state is not None
        return state

    def running(self) -> list[int]:
        """Return the pids of everything alive that carries the mark."""
        found = []
        for pid in living():
            with suppress(OSError):
                marked = self.mark.encode() in Path(f"/proc/{pid}/environ").read_bytes()
                if marked and ProcessId.of(pid) is not None:
                    found.append(pid)
        return found

    def nothing_left(self, state: State | None = None) -> bool:
        """Wait until no process of it lives and no port of `state` listens."""
        ports = [] if state is None else [port for _, port in state.ports if port]
        return self.poll(lambda: not self.running() and not any(map(is_listening, ports)))

    @staticmethod
    def poll(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
        """Wait until a condition holds, at most so many seconds; say whether it does."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def end(self) -> None:
        """End whatever is left, by id."""
        for process in self.processes:
            process.kill()
            process.wait()
        for pid in self.running():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
