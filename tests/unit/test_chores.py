"""Chores are done again and again; one that fails is told once and ends nothing."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from ebb.errors import Unavailable
from ebb.postgres.address import PostgresAddress
from local.supervisor.chores import Chore, keep_doing
from local.supervisor.servers import Servers

SERVERS = Servers(1, PostgresAddress("127.0.0.1", 2, "ebb", "p4ss", "postgres"))


async def _until(work: Callable[[Servers], None], holds: Callable[[], bool]) -> None:
    task = asyncio.create_task(keep_doing(Chore("tidying", work, 0.001), SERVERS))
    try:
        async with asyncio.timeout(10):
            while not holds():
                assert not task.done(), "a chore never ends by itself"
                await asyncio.sleep(0.001)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_a_chore_is_given_the_servers_again_and_again() -> None:
    given: list[Servers] = []
    asyncio.run(_until(given.append, lambda: len(given) > 3))
    assert set(given) == {SERVERS}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Unavailable("Postgres does not answer"), "tidying: Postgres does not answer"),
        (KeyError("Ada Lovelace"), "tidying: unexpected KeyError"),
    ],
)
def test_a_failure_is_told_once_until_it_worked(error: Exception, said: str, caplog: pytest.LogCaptureFixture) -> None:
    runs: list[int] = []

    def work(_servers: Servers) -> None:
        runs.append(len(runs))
        if len(runs) not in {4, 8}:
            raise error

    with caplog.at_level(logging.WARNING):
        asyncio.run(_until(work, lambda: len(runs) > 6))
    assert [record.getMessage() for record in caplog.records[:2]] == [said] * 2
    assert len(caplog.records) <= 3
