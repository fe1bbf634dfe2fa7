"""The supervisor: brings everything up, keeps it up, and takes it down again in reverse order."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Any

import uvloop

from ebb.errors import Unavailable
from local.servers.lock import FolderLock
from local.servers.ports import require_free
from local.servers.process_id import ProcessId
from local.supervisor.backing import Backing
from local.supervisor.blocking import call
from local.supervisor.chores import keep_doing
from local.supervisor.failure import failure_kept
from local.supervisor.front import Front
from local.supervisor.plan import Plan
from local.supervisor.state import Ports, State, make_state_folder, refuse_second, remove_state, write_state

_log = logging.getLogger(__name__)
_REFRESH_SECONDS = 0.5
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _silent(_state: State) -> None:
    """Announce nothing."""


class Supervisor:
    """Runs one plan in the foreground of this process.

    Args:
        plan: what to run.
        announce: called once with the state when the gateway answers.
    """

    def __init__(self, plan: Plan, announce: Callable[[State], None] = _silent) -> None:
        self._plan, self._announce = plan, announce
        self._backing = Backing(plan)
        self._front: Front | None = None
        self._stop = asyncio.Event()
        self._unwritten = ""
        self._state = State(
            phase="starting",
            supervisor=ProcessId.of(os.getpid()) or ProcessId(os.getpid(), 0),
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            contract=plan.contract,
            release=plan.release,
            releases=plan.releases,
        )

    async def run(self) -> None:
        """Run until SIGTERM, SIGINT or SIGHUP; everything is down again when this returns or raises.

        Raises:
            EbbError: something could not start; the sentence says what and why.
        """
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._stop.set)
        async with AsyncExitStack() as stack:
            stack.callback(remove_state, self._plan.state_folder, self._state.supervisor)
            await self._unless_stopped(self._bring_up(stack))
            if not self._stop.is_set():
                self._announce(self._state)
                await self._unless_stopped(self._keep_up())

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Await some work, and cancel it when a signal asks to stop."""
        task, stop = asyncio.create_task(work), asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            if not task.done():
                task.cancel()
            (ended,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(ended, BaseException) and not isinstance(ended, asyncio.CancelledError):
            raise ended

    async def _bring_up(self, stack: AsyncExitStack) -> None:
        self._note()
        stack.push_async_callback(self._backing.stop)
        servers = await self._backing.start()
        replica = servers.replica_port or 0
        ports = Ports(postgres=servers.postgres.port, valkey=servers.valkey_port, replica=replica)
        self._note(ports=ports, children=self._backing.processes())
        await call(partial(self._plan.prepare, servers))
        self._front = Front(self._plan, self._plan.functions(servers))
        ports = await self._front.start(stack, ports)
        self._note(phase="up", ports=ports, **self._running())

    async def _keep_up(self) -> None:
        async with asyncio.TaskGroup() as group:
            for name in self._backing.names:
                group.create_task(self._backing.keep(name, self._came_back))
            if self._front is not None:
                group.create_task(self._front.schedules.run())
            for chore in self._plan.chores:
                group.create_task(keep_doing(chore, self._backing.servers()))
            while True:
                await asyncio.sleep(_REFRESH_SECONDS)
                self._note_running()

    async def _came_back(self, name: str) -> None:
        self._note_running()
        if self._front is not None:
            self._front.schedules.came_back(name)

    def _running(self) -> dict[str, Any]:
        front = self._front
        return {
            "children": self._backing.processes() | (front.processes() if front else {}),
            "functions": front.functions() if front else {},
            "restarts": dict(self._backing.restarts),
        }

    def _note_running(self) -> None:
        """Keep the state current; that it cannot be written is no reason to stop serving."""
        try:
            self._note(**self._running())
            self._unwritten = ""
        except Unavailable as error:
            if str(error) != self._unwritten:
                _log.warning("%s", error)
            self._unwritten = str(error)

    def _note(self, **changes: Any) -> None:
        """Take changes into the state; the first note is always written."""
        state = self._state.model_copy(update=changes)
        if state != self._state or not changes:
            write_state(self._plan.state_folder, state)
            self._state = state


def run(plan: Plan, announce: Callable[[State], None] = _silent) -> None:
    """Run a plan in the foreground until SIGTERM, SIGINT or SIGHUP; blocks.

    A gateway port in use is refused before anything is started.

    Args:
        plan: what to run.
        announce: called once with the state when the gateway answers.

    Raises:
        Misuse: a supervisor runs on this state folder already.
        EbbError: something could not start; nothing runs then.
    """
    folder = plan.state_folder
    make_state_folder(folder)
    refuse_second(folder)
    lock = FolderLock.take(folder, "Ebb")
    try:
        with failure_kept(folder):
            require_free(plan.gateway_port)
            uvloop.run(Supervisor(plan, announce).run())
    finally:
        lock.release()
