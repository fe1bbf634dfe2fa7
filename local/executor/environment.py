"""One execution environment: a process, its Runtime API port, and the one invocation it holds."""

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from local.executor import error_bodies
from local.executor.freezer import Freezer
from local.executor.function import Function
from local.executor.invocation import Kind, Pending
from local.executor.process import Account
from local.executor.runtime_api import RuntimeConnection
from local.executor.state import EnvironmentStatus, State
from local.executor.tracing import Sampler

if TYPE_CHECKING:
    from asyncio.subprocess import Process


class Owner(Protocol):
    """The pool an environment belongs to."""

    def free(self, environment: "Environment") -> None:
        """The environment can take an invocation."""

    def gone(self, environment: "Environment") -> None:
        """The environment can take no invocation until it is free again."""


class Environment:
    """The state of one environment; `Lifecycle` starts, buries and restarts its process."""

    def __init__(self, function: Function, account: Account, owner: Owner, log: Path | None) -> None:
        self.function = function
        self.owner = owner
        self.log = log
        self.arn = account.function_arn(function.name).encode()
        self.state = State.DEAD
        self.process: Process | None = None
        self.waiting: RuntimeConnection | None = None
        self.current: Pending | None = None
        self.connections: set[RuntimeConnection] = set()
        self.deadline: float | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.invocations = self.served_by_process = self.starts = 0
        self.failed_starts = 0
        self.initialised = False
        self.init_error: str | None = None
        self.last_error: str | None = None
        self.freezer = Freezer()
        self.sampler = Sampler(function.sampled)
        self.leaving = False

    def begin(self) -> None:
        """A process is about to be started for this environment."""
        self.starts += 1
        self.process = None
        self.served_by_process = 0
        self.initialised = False
        self.init_error = None
        self.freezer.forget()
        self.state = State.STARTING
        self.watch(self.function.init_seconds)

    @property
    def ready(self) -> bool:
        """Whether its process has asked for an invocation and is still in service."""
        return self.state in {State.IDLE, State.BUSY}

    def connect(self) -> RuntimeConnection:
        """Return the protocol for a new connection to this environment's port."""
        connection = RuntimeConnection(self)
        self.connections.add(connection)
        return connection

    def asked(self, connection: RuntimeConnection) -> None:
        """The runtime client waits for an invocation."""
        if self.state is State.DEAD or self.current is not None:
            # The last words of a process that was killed, or a client that skipped its answer.
            connection.transport.abort()
            return
        self.waiting = connection
        self.deadline = None
        self.failed_starts = 0
        self.initialised = True
        self.state = State.IDLE
        self.owner.free(self)
        if self.function.freeze and self.waiting is not None:
            self._freeze()

    def _freeze(self) -> None:
        """Let nothing run until the next invocation: the last answer is here, and its client waits for an event."""
        if self.process is not None and self.process.returncode is None and not self.leaving:
            self.freezer.freeze(self.process.pid)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        if self.process is not None and self.process.returncode is None:
            self.freezer.thaw(self.process.pid)

    def leave(self) -> None:
        """Ask the process to end; a frozen one could not hear it."""
        self.leaving = True
        if self.process is not None and self.process.returncode is None:
            self.thaw()
            self.process.terminate()

    def give(self, pending: Pending) -> None:
        """Hand an invocation to the waiting client."""
        connection = self.waiting
        if connection is None:
            raise RuntimeError("an environment that does not wait was given an invocation")
        self.waiting = None
        self.current = pending
        pending.began = True
        self.state = State.BUSY
        self.watch(self.function.timeout_seconds)
        self.thaw()
        now = time.time()
        identity = pending.request_id.encode()
        connection.deliver(
            b"Lambda-Runtime-Aws-Request-Id: %b\r\nLambda-Runtime-Deadline-Ms: %d\r\n"
            b"Lambda-Runtime-Invoked-Function-Arn: %b\r\nLambda-Runtime-Trace-Id: %b\r\n"
            % (
                identity,
                int((now + self.function.timeout_seconds) * 1000),
                self.arn,
                self.sampler.header(int(now), identity),
            ),
            pending.payload,
        )

    def ended(self, connection: RuntimeConnection, request_id: str, body: bytes, *, error: bool) -> None:
        """The client posts the end of an invocation."""
        pending = self.current
        if pending is None or pending.request_id != request_id:
            connection.refuse_id()
            return
        self.current = None
        # It must ask again: one that never does would be neither free nor dead.
        self.watch(self.function.timeout_seconds)
        self.invocations += 1
        self.served_by_process += 1
        if len(body) > error_bodies.RESPONSE_LIMIT:
            connection.refuse_size()
            pending.end(Kind.FUNCTION_ERROR, error_bodies.too_large())
            return
        connection.accept()
        pending.end(Kind.FUNCTION_ERROR if error else Kind.ANSWERED, body)

    def failed_init(self, body: bytes) -> None:
        """The client says why it cannot start; it leaves by itself."""
        self.init_error = error_bodies.init_sentence(body)

    def lost(self, connection: RuntimeConnection) -> None:
        """A connection closed; a client that hung up while it waited is of no more use."""
        self.connections.discard(connection)
        if self.waiting is connection:
            self.kill()

    def watch(self, seconds: float) -> None:
        """Kill the environment unless it is done within `seconds`; one timer serves many invocations."""
        loop = asyncio.get_running_loop()
        self.deadline = loop.time() + seconds
        if self.timer is None or self.timer.when() > self.deadline:
            if self.timer is not None:
                self.timer.cancel()
            self.timer = loop.call_at(self.deadline, self._look)

    def _look(self) -> None:
        self.timer = None
        if self.deadline is None:
            return
        left = self.deadline - asyncio.get_running_loop().time()
        if left > 0:
            self.watch(left)
        else:
            self._overdue()

    def _overdue(self) -> None:
        self.deadline = None
        pending, self.current = self.current, None
        if pending is None and self.initialised:
            self.last_error = f"{self.function.name} did not ask for its next invocation in time and was killed"
        elif pending is None:
            self.init_error = f"it did not ask for an invocation within {self.function.init_seconds:g} s and was killed"
        else:
            seconds = self.function.timeout_seconds
            self.last_error = f"an invocation of {self.function.name} took longer than {seconds:g} s and was killed"
            self.served_by_process += 1
            self.invocations += 1
            pending.end(Kind.TIMED_OUT, error_bodies.timed_out(pending.request_id, seconds))
        self.kill()

    def kill(self) -> None:
        """Take the environment out of service and end its process at once."""
        self.dead()
        if self.process is not None and self.process.returncode is None:
            # The group, so that whatever the function started ends with it.
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def sweep(self) -> None:
        """End what an ended process started and left behind; it is all in the process's group."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def dead(self) -> None:
        """Give the environment no invocation until its client asks again."""
        self.state = State.DEAD
        self.waiting = None
        self.owner.gone(self)

    def status(self) -> EnvironmentStatus:
        """Return what can be told about this environment."""
        alive = self.process is not None and self.process.returncode is None
        pid = self.process.pid if alive and self.process is not None else None
        pauses, frozen = self.freezer.pauses, alive and self.freezer.frozen
        return EnvironmentStatus(pid, self.state, self.invocations, self.starts, self.last_error, pauses, frozen)
