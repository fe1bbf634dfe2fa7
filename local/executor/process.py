"""Starting one environment's process: its variables, its log file, its binding to the executor's life."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from dataclasses import dataclass
from pathlib import Path

from local.executor.function import Function

LAUNCH = Path(__file__).with_name("launch.py")
STAND_IN = Path(__file__).with_name("runtime")
VERSION = "$LATEST"


@dataclass(frozen=True)
class Account:
    """The AWS account that this machine pretends to be.

    Attributes:
        region: its region.
        number: its account id.
    """

    region: str = "us-east-1"
    number: str = "123456789012"

    def function_arn(self, name: str) -> str:
        """Return the ARN of a function."""
        return f"arn:aws:lambda:{self.region}:{self.number}:function:{name}"


def variables(function: Function, account: Account, runtime_api: str, log_stream: str) -> dict[str, str]:
    """Return the whole environment of a process: Lambda's variables and the function's own, nothing inherited.

    See "Defined runtime environment variables" in the Lambda developer guide. As in a container image,
    AWS_EXECUTION_ENV is not set: told of python3.12 or newer, the runtime client starts a thread for each
    invocation's wait, which costs 0.2 ms of its CPU (375 against 150 microseconds a request). Unless the function wants
    the native one, our stand-in for the runtime client's native module is the first on the path.
    """
    path = [function.task_root] if function.native_client else [STAND_IN, function.task_root]
    return {
        "AWS_DEFAULT_REGION": account.region,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": VERSION,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_REGION": account.region,
        "LAMBDA_TASK_ROOT": str(function.task_root),
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONUNBUFFERED": "1",
        "TZ": ":UTC",
        "_HANDLER": function.handler,
        **function.environment,
    }


async def spawn(function: Function, account: Account, runtime_api: str, log: Path | None, log_stream: str) -> Process:
    """Start `python -m awslambdaric HANDLER`.

    Standard output and error are appended to `log`, or dropped when it is None.

    Raises:
        OSError: the process or its log file cannot be had.
    """
    output = DEVNULL if log is None else os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            # Isolated and without site packages: the launcher needs neither, and starts in half the time.
            "-IS",
            str(LAUNCH),
            str(os.getpid()),
            function.handler,
            cwd=function.task_root,
            env=variables(function, account, runtime_api, log_stream),
            stdin=DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    finally:
        if output != DEVNULL:
            os.close(output)
