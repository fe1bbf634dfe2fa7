"""Keeping one environment alive: start its process, bury it when it ends, start the next."""

import asyncio
from asyncio.subprocess import Process
from contextlib import suppress
from uuid import uuid4

from local.executor import error_bodies
from local.executor.environment import Environment
from local.executor.invocation import Kind
from local.executor.process import Account, spawn

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 10.0
TERM_SECONDS = 2.0


class Lifecycle:
    """The life of one environment from start to stop."""

    def __init__(self, environment: Environment, account: Account) -> None:
        self.environment = environment
        self.account = account
        self.stopping = asyncio.Event()
        self.early_ends = 0
        self.runtime_api = ""
        self.server: asyncio.Server | None = None
        self.task: asyncio.Task[None] | None = None
        self.spawned = asyncio.Event()

    async def start(self) -> None:
        """Listen for the runtime client on a free port, and start the first process."""
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(self.environment.connect, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        self.runtime_api = f"127.0.0.1:{port}"
        self.task = loop.create_task(self._keep())
        await self.spawned.wait()

    async def _keep(self) -> None:
        while not self.stopping.is_set():
            process = await self._spawn()
            self.spawned.set()
            returncode = None if process is None else await process.wait()
            self.environment.sweep()
            self._bury(returncode)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), self._pause())

    async def _spawn(self) -> Process | None:
        environment = self.environment
        environment.begin()
        stream = f"[$LATEST]{uuid4().hex}"
        try:
            process = await spawn(environment.function, self.account, self.runtime_api, environment.log, stream)
        except OSError as error:
            environment.init_error = str(error)
            return None
        environment.process = process
        if self.stopping.is_set():
            environment.kill()
        return process

    def _bury(self, returncode: int | None) -> None:
        """Tell the caller whose invocation died, and count what this end means for the next start."""
        environment = self.environment
        pending, environment.current = environment.current, None
        environment.deadline = None
        for connection in tuple(environment.connections):
            connection.transport.abort()
        if pending is not None:
            body = error_bodies.exited(pending.request_id, returncode or 0)
            if self.stopping.is_set():
                body = error_bodies.stopped(pending.request_id)
            pending.end(Kind.CRASHED, body)
            environment.last_error = f"{error_bodies.reason(returncode or 0)} during an invocation"
        elif not environment.initialised:
            environment.failed_starts += 1
            why = environment.init_error or error_bodies.reason(returncode or 0)
            environment.last_error = f"{environment.function.handler} does not start: {why}"
        worked = pending is not None or environment.served_by_process > 0
        self.early_ends = 0 if worked else self.early_ends + 1
        environment.dead()

    def _pause(self) -> float:
        """Return the seconds until the next start: none after work was done, doubling after vain starts."""
        if self.early_ends == 0:
            return 0.0
        return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(self.early_ends - 1, 10))

    async def stop(self) -> None:
        """End the process: SIGTERM, then SIGKILL after 2 s; close the port."""
        self.stopping.set()
        environment = self.environment
        environment.leave()
        if self.task is not None:
            await asyncio.wait({self.task}, timeout=TERM_SECONDS)
            environment.kill()
            await self.task
        if environment.timer is not None:
            environment.timer.cancel()
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()
