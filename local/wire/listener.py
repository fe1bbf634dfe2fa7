"""A listening socket with its connections: starts on a given or free port, stops gracefully."""

import asyncio
import errno
from contextlib import suppress
from typing import TYPE_CHECKING

from ebb.errors import Unavailable
from local.wire.connection import Connection, Crowd
from local.wire.site import Limits, Site

if TYPE_CHECKING:
    import socket

_BACKLOG = 1_024
_SWEEP_SECONDS = 5.0


def taken(what: str, host: str, port: int, error: OSError) -> Unavailable:
    """Return the sentence for a port that cannot be listened on."""
    if error.errno == errno.EADDRINUSE:
        return Unavailable(
            f"port {port} on {host} is taken by another process, so {what} cannot listen there; "
            "stop that process or choose another port (0 takes a free one)"
        )
    return Unavailable(f"{what} cannot listen on {host} port {port}: {error.strerror}; choose another port")


class Listener:
    """Serves one site on one port."""

    def __init__(self, site: Site, what: str, limits: Limits | None = None) -> None:
        self.site = site
        self.what = what
        self.limits = limits or Limits()
        self.crowd = Crowd()
        self.server: asyncio.Server | None = None
        self.sweep: asyncio.TimerHandle | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port (the one chosen when `port` is 0).

        Raises:
            Unavailable: the port cannot be listened on.
        """
        loop = asyncio.get_running_loop()
        try:
            self.server = await loop.create_server(self._connection, host, port, backlog=_BACKLOG)
        except OSError as error:
            raise taken(self.what, host, port, error) from error
        self.sweep = loop.call_later(_SWEEP_SECONDS, self._sweep)
        listening: socket.socket = self.server.sockets[0]
        return int(listening.getsockname()[1])

    def _connection(self) -> Connection:
        return Connection(self.site, self.limits, self.crowd)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        oldest = loop.time() - self.limits.idle_seconds
        for connection in tuple(self.crowd.members):
            if connection.current is None and connection.heard < oldest:
                connection.transport.close()
        self.sweep = loop.call_later(_SWEEP_SECONDS, self._sweep)

    async def stop(self, seconds: float = 2.0) -> None:
        """Accept no more, let answers that are owed leave for up to `seconds`, then cut what is left."""
        if self.server is None:
            return
        self.server.close()
        if self.sweep is not None:
            self.sweep.cancel()
        for connection in tuple(self.crowd.members):
            connection.finish()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.crowd.empty.wait()
        for connection in tuple(self.crowd.members):
            connection.transport.abort()
        await self.server.wait_closed()
        self.server = None
