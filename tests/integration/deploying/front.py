"""What answers callers of the stage: its functions, Lambda's Invoke API and the gateway, on a thread of their own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from local.calling.local_cloud import AUDIENCE
from local.executor.executor import Executor
from local.executor.function import Function
from local.executor.invoke_api import InvokeApi
from local.gateway.authorizer import Authorizer
from local.gateway.gateway import Gateway
from local.identity import Identity
from local.serving.routes import ROUTES

ISSUER = "http://127.0.0.1/issuer"
DEADLINE = 120


@contextmanager
def running_front(functions: list[Function], logs: Path, identity: Identity) -> Iterator[tuple[int, int]]:
    """Run functions, their Invoke API and the gateway on a thread; lend the two ports."""
    up, ports, over = threading.Event(), list[int](), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        executor = Executor(functions, log_dir=logs)
        await executor.start()
        api = InvokeApi(executor, {})
        gateway = Gateway(executor, ROUTES, Authorizer(identity.jwks(), issuer=ISSUER, audience=AUDIENCE))
        try:
            ports.extend((await api.start(), await gateway.start()))
            up.set()
            await over.wait()
        finally:
            await gateway.stop()
            await api.stop()
            await executor.stop()

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert up.wait(DEADLINE)
        yield ports[0], ports[1]
    finally:
        loops[0].call_soon_threadsafe(over.set)
        thread.join(DEADLINE)
        assert not thread.is_alive()
