"""The Runtime API as other clients than awslambdaric may speak it, and what a client must not do."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Self

import orjson
import pytest

from local.executor.executor import Executor
from local.executor.invocation import Kind

Run = Callable[[Coroutine[Any, Any, None]], None]
Up = Callable[..., AbstractAsyncContextManager[Executor]]
Until = Callable[[Callable[[], bool]], Coroutine[Any, Any, None]]
BOTH_CLIENTS = True
PREFIX = "/2018-06-01/runtime"


class RuntimeClient:
    """A client on an environment's port, beside the one that runs there."""

    def __init__(self, executor: Executor) -> None:
        self.port = int(executor.pools["act"].lifecycles[0].runtime_api.rpartition(":")[2])

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()

    async def read(self) -> tuple[int, bytes]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        return int(head.split()[1]), await self.reader.readexactly(int(length[1]) if length else 0)

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        self.writer.write(f"{method} {path} HTTP/1.1\r\nhost: h\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        return await self.read()


async def busy(executor: Executor, until: Until) -> tuple[asyncio.Future[Any], str]:
    """Start an invocation that lasts, and return it with its request id."""
    ended = asyncio.ensure_future(executor.ainvoke("act", orjson.dumps({"do": "sleep", "seconds": 600})))
    environment = executor.pools["act"].environments[0]
    await until(lambda: environment.current is not None)
    assert environment.current is not None
    return ended, environment.current.request_id


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", f"{PREFIX}/nothing", 404),
        ("POST", f"{PREFIX}/invocation/an-id/other", 404),
        ("POST", f"{PREFIX}/invocation/an-id/response", 400),
        ("POST", f"{PREFIX}/invocation/an-id/error", 400),
    ],
)
def test_unknown_paths_and_ids_are_refused(
    executor_run: Run, executor_up: Up, method: str, path: str, status: int
) -> None:
    async def scenario() -> None:
        async with executor_up() as executor, RuntimeClient(executor) as client:
            for _ in range(2):
                got, body = await client.ask(method, path, b"{}")
                assert got == status
                assert orjson.loads(body)["errorType"] in {"InvalidPath", "InvalidRequestID"}
            assert (await executor.ainvoke("act", b"{}")).kind is Kind.ANSWERED

    executor_run(scenario())


def test_chunked_answers_after_an_expectation_are_joined_and_a_client_refused_is_respawned(
    executor_run: Run, executor_up: Up, executor_until: Until
) -> None:
    async def scenario() -> None:
        async with executor_up(timeout_seconds=1.0) as executor, RuntimeClient(executor) as client:
            ended, request_id = await busy(executor, executor_until)
            head = f"POST {PREFIX}/invocation/{request_id}/response HTTP/1.1\r\nhost: h\r\n"
            client.writer.write(f"{head}Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n".encode())
            assert await client.read() == (100, b"")
            client.writer.write(b'5\r\n{"a":\r\n3\r\n 1}\r\n0\r\n\r\n')
            assert (await client.read())[0] == 202
            invocation = await ended
            assert (invocation.kind, invocation.body) == (Kind.ANSWERED, b'{"a": 1}')
            # The answer was posted in its place: when the real client is through, its own is refused, and it leaves.
            status, _ = await client.ask("POST", f"{PREFIX}/invocation/{request_id}/response", b"{}")
            assert status == 400

    executor_run(scenario())


def test_a_runtime_client_whose_answer_is_refused_leaves_and_is_respawned(
    executor_run: Run, executor_up: Up, executor_until: Until
) -> None:
    async def scenario() -> None:
        async with executor_up() as executor, RuntimeClient(executor) as client:
            ended = asyncio.ensure_future(executor.ainvoke("act", orjson.dumps({"do": "sleep", "seconds": 0.3})))
            environment = executor.pools["act"].environments[0]
            await executor_until(lambda: environment.current is not None)
            assert environment.current is not None
            path = f"{PREFIX}/invocation/{environment.current.request_id}/error"
            assert (await client.ask("POST", path, b'{"errorType":"X"}'))[0] == 202
            assert (await ended).kind is Kind.FUNCTION_ERROR
            await executor_until(lambda: executor.status()["act"].environments[0].starts == 2)
            assert (await executor.ainvoke("act", b"{}")).kind is Kind.ANSWERED

    executor_run(scenario())


def test_a_second_client_cannot_take_an_invocation_while_one_runs(
    executor_run: Run, executor_up: Up, executor_until: Until
) -> None:
    async def scenario() -> None:
        async with executor_up(timeout_seconds=1.0) as executor, RuntimeClient(executor) as client:
            ended, _ = await busy(executor, executor_until)
            client.writer.write(f"GET {PREFIX}/invocation/next HTTP/1.1\r\nhost: h\r\n\r\n".encode())
            with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                await client.read()
            assert (await ended).kind is Kind.TIMED_OUT

    executor_run(scenario())


def test_a_client_that_does_not_speak_http_is_cut_off(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up() as executor, RuntimeClient(executor) as client:
            client.writer.write(b"nonsense\r\n\r\n")
            with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                await client.read()
            assert (await executor.ainvoke("act", b"{}")).kind is Kind.ANSWERED

    executor_run(scenario())


def test_an_answer_and_the_next_question_in_one_piece_are_answered_in_one_piece(
    executor_run: Run, executor_up: Up, executor_until: Until
) -> None:
    async def scenario() -> None:
        async with executor_up() as executor, RuntimeClient(executor) as client:
            ended, request_id = await busy(executor, executor_until)
            environment = executor.pools["act"].environments[0]
            post = (
                f"POST {PREFIX}/invocation/{request_id}/response HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n{{}}"
            )
            client.writer.write(f"{post}GET {PREFIX}/invocation/next HTTP/1.1\r\nhost: h\r\n\r\n".encode())
            assert (await ended).body == b"{}"
            await executor_until(lambda: environment.waiting is not None)
            second = asyncio.ensure_future(executor.ainvoke("act", b'{"second": 2}'))
            assert await client.read() == (202, b'{"status":"OK"}\n')
            assert await client.read() == (200, b'{"second": 2}')
            assert environment.current is not None
            path = f"{PREFIX}/invocation/{environment.current.request_id}/response"
            assert (await client.ask("POST", path, b"[]"))[0] == 202
            assert (await second).body == b"[]"

    executor_run(scenario())


def test_a_question_behind_an_answer_that_is_refused_is_not_heard(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up() as executor, RuntimeClient(executor) as client:
            environment = executor.pools["act"].environments[0]
            waiting = environment.waiting
            post = f"POST {PREFIX}/invocation/an-id/response HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n{{}}"
            client.writer.write(f"{post}GET {PREFIX}/invocation/next HTTP/1.1\r\nhost: h\r\n\r\n".encode())
            assert (await client.read())[0] == 400
            assert environment.waiting is waiting
            assert (await executor.ainvoke("act", b"{}")).kind is Kind.ANSWERED

    executor_run(scenario())
