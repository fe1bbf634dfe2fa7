"""A TCP proxy between a client and a server, that delays some requests or swallows everything.

It is a process of its own, so that it takes no time from the one that is measured, and ends when its standard input
does: with its parent, however that ends.
"""

import asyncio
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Proxy:
    """A running proxy.

    Attributes:
        port: the loopback port to connect to in the server's place.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = int(self._told())

    def delay(self, share: float, seconds: float = 0.1) -> None:
        """Delay so large a share of the client's requests from now on."""
        self._tell(f"delay {share} {seconds}")

    def swallow(self, *, on: bool) -> None:
        """Let nothing through in either direction, while connections stay open and new ones are taken."""
        self._tell(f"swallow {int(on)}")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)
        assert self._told() == line

    def _told(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """Run a proxy in front of a loopback port."""
    command = [sys.executable, "-m", "tests.fakes.proxy", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Proxy(process)
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(5)


class _State:
    """What the proxy does with bytes."""

    share, seconds, swallows = 0.0, 0.0, False
    chance = random.Random(1)  # noqa: S311 - the same requests in every run


class _Side(asyncio.Protocol):
    """One side of a connection; what it hears goes to the other one, in order."""

    def __init__(self, state: _State, *, delays: bool) -> None:
        self._state, self._delays = state, delays
        self._waiting: list[bytes] = []
        self._held = False
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self._state.swallows:
            return
        self._waiting.append(data)
        if self._held:
            return
        if self._delays and self._state.chance.random() < self._state.share:
            self._held = True
            asyncio.get_running_loop().call_later(self._state.seconds, self._release)
        else:
            self.forward()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()

    def forward(self) -> None:
        """Send what has been heard, once there is somebody to hear it."""
        if self._held or self.other is None or self.other.transport is None:
            return
        if self._waiting and not self.other.transport.is_closing():
            self.other.transport.write(b"".join(self._waiting))
        self._waiting.clear()

    def _release(self) -> None:
        self._held = False
        self.forward()


class _Client(_Side):
    """The side of a client; it is connected on while its first bytes come."""

    def __init__(self, state: _State, port: int) -> None:
        super().__init__(state, delays=True)
        self._port = port
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        server = _Side(self._state, delays=False)
        server.other = self
        try:
            await asyncio.get_running_loop().create_connection(lambda: server, "127.0.0.1", self._port)
        except OSError:
            assert self.transport is not None
            self.transport.close()
            return
        self.other = server
        self.forward()


async def _run(port: int) -> None:
    state, loop = _State(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Client(state, port), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the parent reads it
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := (await orders.readline()).decode().strip():
        order, *values = line.split()
        if order == "delay":
            state.share, state.seconds = map(float, values)
        else:
            state.swallows = values == ["1"]
        print(line, flush=True)  # noqa: T201 - done


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1])))
