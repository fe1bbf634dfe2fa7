"""What every sink of prediction events promises: the same suite over all of them (a later one joins `SINKS`)."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.errors import Unavailable
from ebb.event_log.log_sink import LogSink
from ebb.event_log.verify import by_environment, verify
from ebb.ports.events import EventSink
from tests.fakes.event_sink import MemoryEvents
from tests.fakes.prediction_events import event_log, lines_of, made_event, record_each


@dataclass
class Case:
    """A sink, what it holds as one log, and how to make it refuse and take again."""

    sink: EventSink
    log: Callable[[], bytes]
    close: Callable[[], None]
    open: Callable[[], None]


def _memory(_: Path) -> Iterator[Case]:
    sink = MemoryEvents()
    yield Case(sink, lambda: sink.log, lambda: setattr(sink, "takes", 0), lambda: setattr(sink, "takes", None))


def _file(folder: Path) -> Iterator[Case]:
    path = folder / "function.log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    full, spare = os.open("/dev/full", os.O_WRONLY), os.dup(descriptor)

    def become(other: int) -> None:
        os.dup2(other, descriptor)

    yield Case(LogSink(descriptor), path.read_bytes, lambda: become(full), lambda: become(spare))
    for each in (descriptor, full, spare):
        os.close(each)


SINKS = {"memory": _memory, "log": _file}


@pytest.fixture(params=SINKS)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    yield from SINKS[request.param](tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(st.lists(st.integers(0, 10**6).map(lambda n: b'{"n":%d}' % n), max_size=70), max_size=4))
def test_lines_are_there_when_write_returns_whole_and_in_order(case: Case, calls: list[list[bytes]]) -> None:
    before = case.log()
    for lines in calls:
        case.sink.write(lines)
    assert case.log() == before + b"".join(line + b"\n" for lines in calls for line in lines)


def test_a_large_line_and_a_large_call_are_whole(case: Case) -> None:
    lines = [b"x" * 3_000_000, *(b"%d" % n for n in range(1_000))]
    case.sink.write(lines)
    assert case.log().splitlines() == lines


def test_nothing_is_written_for_nothing(case: Case) -> None:
    case.sink.write([])
    assert case.log() == b""


def test_a_sink_that_refuses_says_so_and_takes_again_later(case: Case) -> None:
    case.sink.write([b"one"])
    case.close()
    for _ in range(3):
        with pytest.raises(Unavailable):
            case.sink.write([b"lost"])
    case.open()
    case.sink.write([b"two"])
    assert [line for line in case.log().splitlines() if line] == [b"one", b"two"]


def test_what_a_recorder_writes_through_it_verifies_after_failures_too(case: Case) -> None:
    log = event_log(case.sink)
    record_each(log, *[made_event()] * 3)
    case.close()
    with pytest.raises(Unavailable):
        log.record([made_event()])
    case.open()
    record_each(log, *[made_event()] * 2)
    chains = by_environment(lines_of(case.log()))
    assert [(len(chain), verify(chain)) for chain in chains.values()] == [(3, []), (2, [])]
