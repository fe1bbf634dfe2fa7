"""Work that has nothing to do with Ebb, timed in the same run: how slow is this machine right now?"""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from statistics import median

RECORDED_ECHO_MS = 0.08
RECORDED_START_S = 0.275
"""Medians on the machine of record: 2 cores of a shared x86-64 server."""

_ROUNDS = 2_000
_QUIET = "import os; os.environ['ORT_DISABLE_TELEMETRY'] = '1'"
_START = [sys.executable, "-c", f"{_QUIET}; import onnxruntime, redis, orjson"]


class _Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert isinstance(self.transport, asyncio.Transport)
        self.transport.write(data)


def echo_ms() -> float:
    """Return the median round trip of 500 bytes through a bare asyncio echo server on loopback, in milliseconds."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(loop.create_server(_Echo, "127.0.0.1", 0), loop).result(10)
    try:
        return _echo_round_trips(server.sockets[0].getsockname()[1])
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _close(server: asyncio.Server) -> None:
    server.close()
    await server.wait_closed()


def _echo_round_trips(port: int) -> float:
    message, times = b"x" * 500, []
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(_ROUNDS):
            start = time.perf_counter_ns()
            client.sendall(message)
            received = 0
            while received < len(message):
                received += len(client.recv(4096))
            times.append((time.perf_counter_ns() - start) / 1e6)
    return median(times)


def start_s() -> float:
    """Return the median seconds to start Python and import ONNX Runtime, redis and orjson."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(_START, check=True)
        times.append(time.perf_counter() - start)
    return median(times)


def echo_slowness() -> float:
    """Return how many times slower than recorded a loopback round trip is."""
    return echo_ms() / RECORDED_ECHO_MS


def start_slowness() -> float:
    """Return how many times slower than recorded a process starts."""
    return start_s() / RECORDED_START_S
