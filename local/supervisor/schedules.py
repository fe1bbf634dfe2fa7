"""EventBridge schedules, emulated: functions invoked without a caller, every so often and when a server returns."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from ebb.errors import Misuse
from local.executor.invocation import Invocation, Kind

_log = logging.getLogger(__name__)

Invoke = Callable[[str, bytes], Awaitable[Invocation]]


@dataclass(frozen=True)
class Schedule:
    """When one function is invoked, and with what.

    Attributes:
        function: its name.
        event: what it is given each time.
        every_seconds: from the end of one invocation to the begin of the next.
        on_return: what it is given at once when a server came back, by the server's name.
    """

    function: str
    event: Mapping[str, Any]
    every_seconds: float
    on_return: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Schedules:
    """Runs schedules, each one invocation at a time; what fails is logged once, until it works again.

    Args:
        schedules: what to run.
        invoke: invokes a function and waits for the end.
    """

    def __init__(self, schedules: Sequence[Schedule], invoke: Invoke) -> None:
        self._schedules = tuple(_Running(schedule, invoke) for schedule in schedules)

    async def run(self) -> None:
        """Run all of them until cancelled."""
        await asyncio.gather(*(running.run() for running in self._schedules))

    def came_back(self, server: str) -> None:
        """Invoke at once what waits for this server."""
        for running in self._schedules:
            running.came_back(server)


class _Running:
    """One schedule, and what went wrong with it last."""

    def __init__(self, schedule: Schedule, invoke: Invoke) -> None:
        self._schedule, self._invoke = schedule, invoke
        self._due: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._failed = False

    def came_back(self, server: str) -> None:
        event = self._schedule.on_return.get(server)
        if event is not None:
            self._due.put_nowait(event)

    async def run(self) -> None:
        event = self._schedule.event
        while True:
            await self._once(event)
            try:
                async with asyncio.timeout(self._schedule.every_seconds):
                    event = await self._due.get()
            except TimeoutError:
                event = self._schedule.event

    async def _once(self, event: Mapping[str, Any]) -> None:
        """Invoke; neither the answer nor the error is logged, since both come from a function that reads subjects."""
        try:
            kind = (await self._invoke(self._schedule.function, orjson.dumps(event))).kind
        except Misuse:  # a plan that schedules what it does not run must not take the servers down
            kind = Kind.CRASHED
        failed = kind is not Kind.ANSWERED
        if failed and not self._failed:
            how = kind.name.lower().replace("_", " ")
            _log.warning("the scheduled function %s: %s; it is invoked again as planned", self._schedule.function, how)
        self._failed = failed
