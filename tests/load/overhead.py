"""How much time gateway, executor and runtime client add to a handler: one client, one raw keep-alive socket.

Run as `python tests/load/overhead.py [REQUESTS]` from the repository's root.
"""

import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path

import uvloop

from local.executor.executor import Executor
from local.executor.function import Function
from local.gateway.authorizer import Authorizer
from local.gateway.gateway import Gateway
from local.gateway.routes import Route
from local.identity import Identity

ISSUER = "http://127.0.0.1/overhead"
AUDIENCE = "ebb"
WARM_REQUESTS = 50
HANDLER = """
import time


def handle(event, context):
    start = time.perf_counter_ns()
    len(event["body"])
    return {"statusCode": 200, "body": str(time.perf_counter_ns() - start)}
"""
SERVE = "--serve"
BODY = b'{"entity_id": "C-0001234"}'


async def _serve(folder: Path) -> None:
    """Serve the timed handler; print the port; end when standard input does."""
    (folder / "timed.py").write_text(HANDLER)
    executor = Executor([Function("timed", "timed.handle", task_root=folder, environments=1)], log_dir=folder)
    identity = Identity.load_or_create(folder)
    route = Route("POST", "/v1/predictions", "timed")
    gateway = Gateway(executor, [route], Authorizer(identity.jwks(), ISSUER, AUDIENCE))
    await executor.start()
    try:
        await executor.ready("timed")
        sys.stdout.write(f"{await gateway.start()}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await gateway.stop()
        await executor.stop()


def _exchange(client: socket.socket, token: str) -> tuple[int, int]:
    """Return the round trip and the handler's own time of one request, both in nanoseconds."""
    head = f"POST /v1/predictions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
    request = head.encode() + BODY
    start = time.perf_counter_ns()
    client.sendall(request)
    answer = client.recv(65_536)
    took = time.perf_counter_ns() - start
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"the gateway answered {answer.splitlines()[0]!r} instead of 200")
    return took, int(answer.rpartition(b"\r\n\r\n")[2])


def _percentiles(client: socket.socket, tokens: Iterator[str], requests: int) -> tuple[float, float]:
    """Return the 50th and 99th percentile of (round trip - handler's time), in milliseconds."""
    overheads = sorted(took - own for took, own in (_exchange(client, next(tokens)) for _ in range(requests)))
    return overheads[requests // 2] / 1e6, overheads[min(requests - 1, requests * 99 // 100)] / 1e6


def _drive(port: int, mint: Callable[[], str], requests: int) -> dict[str, float]:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        cached = mint()
        _percentiles(client, repeat(cached), WARM_REQUESTS)
        p50, p99 = _percentiles(client, repeat(cached), requests)
        # Minted before: signing is the client's work and a hundred times slower than verifying.
        fresh = iter([mint() for _ in range(requests)])
        fresh_p50, fresh_p99 = _percentiles(client, fresh, requests)
    return {"cached_p50_ms": p50, "cached_p99_ms": p99, "uncached_p50_ms": fresh_p50, "uncached_p99_ms": fresh_p99}


def measure(requests: int) -> dict[str, float]:
    """Start gateway and one environment, drive them, stop them.

    Args:
        requests: how many to time with a cached token, and again as many with tokens never seen before.

    Returns:
        p50 and p99 of (round trip - handler's own time) in milliseconds, by token cached or not.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        identity = Identity.load_or_create(folder)
        command = [sys.executable, __file__, SERVE, name]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            # Leaving the block closes the server's standard input, which ends it, and waits.
            port = int(server.stdout.readline()) if server.stdout else 0
            return _drive(port, lambda: identity.mint("overhead", ["predict"], 30, ISSUER, AUDIENCE), requests)


def main(arguments: list[str]) -> None:
    """Print a small table, or be the server that is measured."""
    if arguments[:1] == [SERVE]:
        uvloop.run(_serve(Path(arguments[1])))
        return
    requests = int(arguments[0]) if arguments else 3_000
    figures = measure(requests)
    sys.stdout.write(f"overhead over the handler's own time, one client, {requests} requests each (ms)\n")
    sys.stdout.write(f"{'RS256 token':<14}{'p50':>8}{'p99':>8}\n")
    for kind in ("cached", "uncached"):
        sys.stdout.write(f"{kind:<14}{figures[kind + '_p50_ms']:>8.3f}{figures[kind + '_p99_ms']:>8.3f}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
