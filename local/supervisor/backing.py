"""The servers behind the functions, kept up: restarted on the same port when they die."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from threading import Event
from time import monotonic

from ebb.errors import EbbError
from local.servers.postgres import Postgres
from local.servers.process_id import ProcessId
from local.servers.valkey import Valkey
from local.supervisor.blocking import ended, start_in_thread
from local.supervisor.plan import Plan
from local.supervisor.servers import Servers

_log = logging.getLogger(__name__)
_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS = 0.1, 5.0
# A server that lived this long before it died is restarted without a delay again.
_SETTLED_SECONDS = 10.0


class Backing:
    """Valkey, its replica where the plan asks for one, and Postgres of one supervisor.

    Attributes:
        names: of the servers.
        restarts: how often each was restarted, by name.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.names = ("postgres", "valkey", "replica") if plan.replica else ("postgres", "valkey")
        self._abort = Event()
        self._running: dict[str, Valkey | Postgres] = {}
        self.restarts: dict[str, int] = {}

    async def start(self) -> Servers:
        """Start Postgres and Valkey at the same time, then the replica.

        Raises:
            EbbError: one could not start; none runs then.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for name in ("postgres", "valkey"):
                    group.create_task(self._start(name, 0))
            if self._plan.replica:
                await self._start("replica", 0)
        except BaseExceptionGroup as failed:
            await self.stop()
            raise failed.exceptions[0] from None
        except (EbbError, asyncio.CancelledError):
            await self.stop()
            raise
        return self.servers()

    def servers(self) -> Servers:
        """Return where they listen."""
        postgres = self._running["postgres"]
        assert isinstance(postgres, Postgres)  # noqa: S101 (for the type checker)
        return Servers(
            valkey_port=self._running["valkey"].port,
            postgres=postgres.address,
            replica_port=self._running["replica"].port if self._plan.replica else None,
        )

    def processes(self) -> dict[str, ProcessId]:
        """Return the process of each server, by name."""
        return {name: server.id for name, server in sorted(self._running.items())}

    async def keep(self, name: str, came_back: Callable[[str], Awaitable[None]]) -> None:
        """Restart one server whenever it dies, until cancelled.

        Args:
            name: one of `names`.
            came_back: called with the name after each restart.
        """
        delay = 0.0
        while True:
            since = monotonic()
            server = self._running[name]
            await ended(server.id)
            if monotonic() - since > _SETTLED_SECONDS:
                delay = 0.0
            server.stop()
            code = server.child.exit_code()
            _log.warning("%s ended with code %s; starting it again on port %d", name, code, server.port)
            back = False
            while not back:
                await asyncio.sleep(delay)
                delay = min(max(delay * 2, _FIRST_DELAY_SECONDS), _LONGEST_DELAY_SECONDS)
                back = await self._restarted(name, server.port)
            await came_back(name)

    async def stop(self) -> None:
        """End them."""
        self._abort.set()
        running, self._running = self._running, {}
        await asyncio.gather(*(asyncio.to_thread(server.stop) for server in running.values()))

    async def _restarted(self, name: str, port: int) -> bool:
        try:
            await self._start(name, port)
        except (EbbError, OSError) as error:
            _log.warning("%s is not back yet: %s", name, error)
            return False
        self.restarts[name] = self.restarts.get(name, 0) + 1
        _log.warning("%s is back on port %d", name, port)
        return True

    async def _start(self, name: str, port: int) -> None:
        folder = self._plan.state_folder / name
        start: Callable[[], Valkey | Postgres] = partial(
            Postgres.start, folder, port, durable=self._plan.durable, abort=self._abort
        )
        if name != "postgres":
            primary = self._running["valkey"].port if name == "replica" else None
            memory = self._plan.valkey_memory_mib
            start = partial(Valkey.start, folder, port, memory_mib=memory, abort=self._abort, replica_of=primary)
        self._running[name] = await start_in_thread(start, self._abort)
