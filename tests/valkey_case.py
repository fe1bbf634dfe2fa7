"""What the tests of the fast tier share: records, signals that are kept, and waiting with a deadline."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from ebb.errors import Unavailable
from ebb.ports import FastAnswer, FastAnswers, FeatureRecord
from ebb.valkey.features import ValkeyFeatures
from local.servers.valkey import Valkey

INTERVAL = 1.0
SLACK = 1.0
"""Seconds that a busy machine may take on top of a breaker's interval."""


def record(version: int, value: float = 1.0) -> FeatureRecord:
    return FeatureRecord({"a": value}, {"a": 1.5e9}, version, "ab" * 16)


@contextmanager
def running(
    folder: Path, port: int = 0, *, replica_of: int | None = None, options: tuple[str, ...] = ()
) -> Iterator[Valkey]:
    """Run a server for as long as the block, whatever became of it inside."""
    server = Valkey.start(folder, port, replica_of=replica_of, options=options)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def client(server: Valkey) -> Iterator[redis.Redis]:
    with redis.Redis(port=server.port, socket_timeout=5) as made:
        yield made


def eventually(holds: Callable[[], bool], seconds: float = 5.0) -> float:
    """Wait until something holds; return the seconds it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"it does not hold after {seconds} s"
        time.sleep(0.005)
    return time.monotonic() - began


def answers(fast: ValkeyFeatures, who: str = "x") -> FastAnswer | None:
    try:
        return fast.ask(who, "c")
    except Unavailable:
        return None


def wait_of(answer: FastAnswer | FastAnswers) -> float:
    """Return the wait that the tier decided."""
    assert answer.allowance is not None
    return answer.allowance.wait


def failure(fast: ValkeyFeatures, who: str = "x") -> Unavailable:
    """Ask until the tier says why it cannot answer, and not only that it is left alone."""
    for _ in range(2_000):
        try:
            fast.ask(who, "c")
        except Unavailable as error:
            if "left alone" not in str(error):
                return error
        time.sleep(0.001)
    raise AssertionError("the tier never failed")


def timed(fast: ValkeyFeatures, who: str = "x") -> tuple[float, FastAnswer | None]:
    """Ask once; return seconds and answer."""
    began = time.perf_counter()
    answer = answers(fast, who)
    return time.perf_counter() - began, answer
