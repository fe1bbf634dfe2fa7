"""Run a tiny plan in the foreground: `python tiny_cloud.py STATE GATEWAY_PORT TASK_ROOT`.

A program of its own, since the tests kill and interrupt it. Its one function is `tiny.handle` in TASK_ROOT.
"""

import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pg8000.native import Connection

from ebb.errors import DataError, EbbError
from local.executor.function import Function
from local.gateway.routes import Route
from local.supervisor.plan import Plan
from local.supervisor.schedules import Schedule
from local.supervisor.servers import Servers
from local.supervisor.state import State
from local.supervisor.supervisor import run


def prepare(servers: Servers) -> None:
    """Write to Postgres; or block, or fail, as EBB_TEST_PREPARE says."""
    how = os.environ.get("EBB_TEST_PREPARE")
    if how == "fail":
        raise DataError("The table cannot be loaded; choose another.")
    if how == "block":
        sys.stderr.write("blocking\n")
        time.sleep(60)
    connection = Connection(
        servers.postgres.user,
        host=servers.postgres.host,
        port=servers.postgres.port,
        database=servers.postgres.database,
        password=servers.postgres.password,
    )
    try:
        connection.run("CREATE TABLE IF NOT EXISTS kept (value text)")
        connection.run("INSERT INTO kept VALUES ('here')")
    finally:
        connection.close()


def announce(state: State) -> None:
    """Say where it serves."""
    sys.stdout.write(f"up {state.url}\n")
    sys.stdout.flush()


def main(folder: str, port: str, task_root: str) -> int:
    """Run until a signal; an error is printed as its sentence."""
    logging.basicConfig(level=logging.WARNING)

    def functions(servers: Servers) -> Sequence[Function]:
        environment = {"VALKEY_PORT": str(servers.valkey_port), "EBB_TEST_MARK": os.environ.get("EBB_TEST_MARK", "")}
        return [Function("tiny", "tiny.handle", environment, Path(task_root), environments=2)]

    plan = Plan(
        state_folder=Path(folder),
        functions=functions,
        routes=[Route("GET", "/open", "tiny", authorized=False), Route("GET", "/closed", "tiny")],
        prepare=prepare,
        schedules=[Schedule("tiny", {"task": "fill"}, 60.0, {"valkey": {"task": "fill"}})],
        gateway_port=int(port),
        contract="tiny",
        release="0123456789ab",
        durable=False,
    )
    try:
        run(plan, announce)
    except EbbError as error:
        sys.stderr.write(f"ebb: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
