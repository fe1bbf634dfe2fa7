"""The executor: every function of this machine's Lambda."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from ebb.errors import Misuse
from local.executor.function import Function
from local.executor.invocation import Invocation, RequestIds
from local.executor.pool import Pool
from local.executor.process import Account
from local.executor.state import FunctionStatus


class Executor:
    """Runs functions under AWS's runtime client. All methods belong to one event loop's thread.

    That thread must live as long as the executor: the environments are bound to die with it.

    Args:
        functions: what to run; names must differ.
        log_dir: where each environment's output is appended to a file of its own; None drops it.
        region: the AWS region that functions are told.
    """

    def __init__(self, functions: Iterable[Function], *, log_dir: Path | None, region: str = "us-east-1") -> None:
        self.account = Account(region)
        self.log_dir = log_dir
        self.ids = RequestIds()
        self.functions: dict[str, Function] = {}
        for function in functions:
            if function.name in self.functions:
                raise Misuse(f"two functions are named {function.name}; give each its own name")
            self.functions[function.name] = function
        self.pools: dict[str, Pool] = {}

    async def start(self) -> None:
        """Start all environments; returns when their Runtime API ports listen and their processes are spawned."""
        if self.log_dir is not None:
            self.log_dir.mkdir(parents=True, exist_ok=True)
        self.pools = {
            name: Pool(function, self.account, self.ids, self.log_dir) for name, function in self.functions.items()
        }
        await asyncio.gather(*(pool.start() for pool in self.pools.values()))

    def _pool(self, name: str) -> Pool:
        pool = self.pools.get(name)
        if pool is None:
            raise Misuse(f"no function named {name} runs here; known are: {', '.join(self.pools) or 'none'}")
        return pool

    async def ready(self, name: str) -> None:
        """Wait until at least one environment of a function has asked for its first invocation.

        Raises:
            Misuse: no such function runs.
            Unavailable: its environments fail to start; the sentence says why.
        """
        await self._pool(name).ready()

    def invoke(self, name: str, payload: bytes, done: Callable[[Invocation], None]) -> str:
        """Start an invocation and return its request id.

        Args:
            name: the function.
            payload: the event, JSON.
            done: called once on the loop's thread with the end, maybe before this returns.

        Raises:
            Misuse: no such function runs.
        """
        return self._pool(name).invoke(payload, done)

    async def ainvoke(self, name: str, payload: bytes) -> Invocation:
        """Invoke and wait for the end, whatever it is.

        Raises:
            Misuse: no such function runs.
        """
        future: asyncio.Future[Invocation] = asyncio.get_running_loop().create_future()

        def done(invocation: Invocation) -> None:
            if not future.done():
                future.set_result(invocation)

        self.invoke(name, payload, done)
        return await future

    def status(self) -> dict[str, FunctionStatus]:
        """Return, per function, its environments and what last went wrong."""
        return {name: pool.status() for name, pool in self.pools.items()}

    async def stop(self) -> None:
        """End every environment (SIGTERM, SIGKILL after 2 s) and close every port."""
        await asyncio.gather(*(pool.stop() for pool in self.pools.values()))
