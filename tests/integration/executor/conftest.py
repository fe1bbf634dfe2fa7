"""An executor under test: tiny functions in a temporary folder, real runtime clients, a loop with a deadline."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvloop

from local.executor.executor import Executor
from local.executor.function import Function

DEADLINE_SECONDS = 30.0
POLL_SECONDS = 0.01

ACT = '''
"""Does what the event says."""
import json
import os
import subprocess
import sys
import time


def handle(event, context):
    start = time.monotonic()
    what = event.get("do")
    if what == "exit":
        os._exit(event["code"])
    if what == "sleep":
        time.sleep(event["seconds"])
    if what == "raise":
        raise ValueError("no such luck")
    if what == "size":
        return "x" * event["size"]
    if what == "environment":
        return dict(os.environ)
    if what == "client":
        return sys.modules["runtime_client"].__file__
    if what == "child":
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid
    print("seen", flush=True)
    return {
        "pid": os.getpid(),
        "start": start,
        "end": time.monotonic(),
        "event": event,
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "name": context.function_name,
        "remaining": context.get_remaining_time_in_millis(),
    }


def http(event, context):
    if event.get("isBase64Encoded"):
        return {"statusCode": 200, "body": event["body"], "isBase64Encoded": True}
    asked = json.loads(event.get("body") or "{}")
    if asked.get("do") == "malformed":
        return {"statusCode": "two hundred"}
    if asked.get("do") == "event":
        return event
    result = handle(asked, context)
    return {"statusCode": 201, "headers": {"content-type": "application/json"}, "body": json.dumps(result)}
'''


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a module that says BOTH_CLIENTS with AWS's native module as well as with its stand-in."""
    if getattr(metafunc.module, "BOTH_CLIENTS", False) and "native_client" in metafunc.fixturenames:
        metafunc.parametrize("native_client", [False, True], ids=["stand-in", "native"])


@pytest.fixture
def executor_folder(tmp_path: Path) -> Path:
    """Return a task root with `act.py` (does what it is told) and modules that cannot start."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "act.py").write_text(ACT)
    (root / "missing.py").write_text("import there_is_no_such_module\n")
    (root / "leaves.py").write_text("import os\nos._exit(7)\n")
    (root / "stuck.py").write_text("import time\ntime.sleep(600)\n")
    return root


@pytest.fixture
def executor_run() -> Callable[[Coroutine[Any, Any, None]], None]:
    """Run a scenario on uvloop within a deadline."""

    def run(scenario: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(asyncio.wait_for(scenario, DEADLINE_SECONDS))

    return run


@pytest.fixture
def native_client() -> bool:
    """Whether environments use AWS's native module."""
    return False


@pytest.fixture
def executor_up(
    executor_folder: Path, tmp_path: Path, *, native_client: bool
) -> Callable[..., AbstractAsyncContextManager[Executor]]:
    """Start an executor for one function named "act", with the given fields, and stop it at the end."""

    @asynccontextmanager
    async def up(*, ready: bool = True, **fields: Any) -> AsyncIterator[Executor]:
        plain = Function("act", "act.handle", task_root=executor_folder, environments=1, native_client=native_client)
        function = replace(plain, **fields)
        executor = Executor([function], log_dir=tmp_path / "logs")
        await executor.start()
        try:
            if ready:
                await executor.ready("act")
            yield executor
        finally:
            await executor.stop()

    return up


@pytest.fixture
def executor_until() -> Callable[[Callable[[], bool]], Coroutine[Any, Any, None]]:
    """Poll until something holds, or fail at the deadline."""

    async def until(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS / 2
        while not holds():
            assert time.monotonic() < deadline, "it did not come to hold in time"
            await asyncio.sleep(POLL_SECONDS)

    return until


@pytest.fixture
def executor_alive() -> Callable[[int], bool]:
    """Tell whether a process runs; a zombie does not."""

    def alive(pid: int) -> bool:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] != "Z"

    return alive
