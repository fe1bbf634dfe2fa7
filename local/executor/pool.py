"""The environments of one function, and the queue before them."""

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path

from ebb.errors import Unavailable
from local.executor import error_bodies
from local.executor.environment import Environment
from local.executor.function import Function
from local.executor.invocation import Invocation, Kind, Pending, RequestIds
from local.executor.lifecycle import Lifecycle
from local.executor.process import Account
from local.executor.state import FunctionStatus

FAILED_STARTS = 2


class Pool:
    """Gives invocations to free environments, in the order they came."""

    def __init__(self, function: Function, account: Account, ids: RequestIds, log_dir: Path | None) -> None:
        self.function = function
        self.ids = ids
        logs = [log_dir and log_dir / f"{function.name}-{index}.log" for index in range(function.environments)]
        self.environments = [Environment(function, account, self, log) for log in logs]
        self.lifecycles = [Lifecycle(environment, account) for environment in self.environments]
        self.idle: list[Environment] = []
        self.queue: deque[Pending] = deque()
        self.expiry: asyncio.TimerHandle | None = None
        self.changed = asyncio.Event()
        self.throttled = 0
        self.stopping = False

    @property
    def error(self) -> str | None:
        """Why no environment starts, once each has failed to repeatedly; None otherwise."""
        if any(environment.failed_starts < FAILED_STARTS for environment in self.environments):
            return None
        return self.environments[0].last_error

    def invoke(self, payload: bytes, done: Callable[[Invocation], None]) -> str:
        """Start an invocation; `done` is called once with its end, maybe before this returns the request id."""
        pending = Pending(self.ids.take(), payload, done, 0.0)
        if self.idle:
            self.idle.pop().give(pending)
        elif self.stopping:
            pending.end(Kind.CRASHED, error_bodies.stopped(pending.request_id))
        elif (error := self.error) is not None:
            pending.end(Kind.CRASHED, error_bodies.not_started(pending.request_id, error))
        elif len(self.queue) >= self.function.queue_limit:
            self._throttle(pending)
        else:
            self._queue(pending)
        return pending.request_id

    def _throttle(self, pending: Pending) -> None:
        self.throttled += 1
        pending.end(Kind.THROTTLED, error_bodies.throttled())

    def _queue(self, pending: Pending) -> None:
        loop = asyncio.get_running_loop()
        pending.expires = loop.time() + self.function.timeout_seconds
        self.queue.append(pending)
        if self.expiry is None:
            self.expiry = loop.call_at(pending.expires, self._expire)

    def _expire(self) -> None:
        """Throttle what has waited as long as it may run: its caller is about to leave anyway."""
        loop = asyncio.get_running_loop()
        while self.queue and self.queue[0].expires <= loop.time():
            self._throttle(self.queue.popleft())
        self.expiry = loop.call_at(self.queue[0].expires, self._expire) if self.queue else None

    def free(self, environment: Environment) -> None:
        """Give the environment the next invocation, or let it wait."""
        if self.queue:
            environment.give(self.queue.popleft())
        else:
            self.idle.append(environment)
        if not self.changed.is_set():
            self.changed.set()

    def gone(self, environment: Environment) -> None:
        """Count on the environment no more; when none is left that starts, fail those who wait."""
        if environment in self.idle:
            self.idle.remove(environment)
        error = self.error
        if error is not None:
            self._fail_queue(lambda pending: error_bodies.not_started(pending.request_id, error))
        self.changed.set()

    def _fail_queue(self, body: Callable[[Pending], bytes]) -> None:
        while self.queue:
            pending = self.queue.popleft()
            pending.end(Kind.CRASHED, body(pending))

    async def start(self) -> None:
        """Start every environment; returns when their ports listen and their processes are spawned."""
        await asyncio.gather(*(lifecycle.start() for lifecycle in self.lifecycles))

    async def ready(self) -> None:
        """Wait until one environment has asked for its first invocation.

        Raises:
            Unavailable: no environment starts; the sentence says why and where its log is.
        """
        while not any(environment.ready for environment in self.environments):
            if self.stopping or self.error is not None:
                log = self.environments[0].log
                where = f"; its log is {log}" if log else ""
                raise Unavailable(f"function {self.function.name}: {self.error or 'the executor is stopping'}{where}")
            self.changed.clear()
            await self.changed.wait()

    async def stop(self) -> None:
        """End every environment; whoever waits is told."""
        self.stopping = True
        self.changed.set()
        self._fail_queue(lambda pending: error_bodies.stopped(pending.request_id))
        if self.expiry is not None:
            self.expiry.cancel()
        await asyncio.gather(*(lifecycle.stop() for lifecycle in self.lifecycles))

    def status(self) -> FunctionStatus:
        """Return what can be told about this function."""
        environments = tuple(environment.status() for environment in self.environments)
        return FunctionStatus(self.function.handler, environments, len(self.queue), self.throttled, self.error)
