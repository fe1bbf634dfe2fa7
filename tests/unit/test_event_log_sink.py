"""The log sink on real descriptors: shared files, slow pipes, readers that leave, disks that are full."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from ebb.errors import Unavailable
from ebb.event_log.log_sink import LogSink
from ebb.event_log.reading import RecordedLine, Torn, read_lines
from ebb.event_log.verify import by_environment, verify
from tests.fakes.prediction_events import event_log, lines_of, made_event, record_each
from tests.home import ROOT

_PR_SET_PDEATHSIG = 1
_SECONDS = 60.0


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        with suppress(OSError):
            os.close(end)


def _follow_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _writer(stack: ExitStack, log: Path, count: int, batch: int) -> subprocess.Popen[bytes]:
    """Start a process that waits at its gate, standard input, before it writes."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    stack.callback(os.close, output)
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.event_writer", str(count), str(batch)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=output,
            preexec_fn=_follow_parent,  # noqa: PLW1509 (nothing may outlive the tests; no thread runs here)
        )
    )
    stack.callback(process.kill)
    return process


def _go(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()


def test_processes_that_share_a_file_never_tear_each_other_s_lines(tmp_path: Path) -> None:
    log = tmp_path / "function.log"
    with ExitStack() as stack:
        writers = [_writer(stack, log, 1_000, batch) for batch in (1, 1, 7, 100)]
        for writer in writers:
            _go(writer)
        assert [writer.wait(_SECONDS) for writer in writers] == [0] * 4
    chains = by_environment(lines_of(log.read_bytes()))
    assert [sum(len(line.events) for line in chain) for chain in chains.values()] == [1_000] * 4
    assert not any(verify(chain) for chain in chains.values())


def test_a_process_that_is_killed_leaves_an_open_end_and_others_whole(tmp_path: Path) -> None:
    log = tmp_path / "function.log"
    with ExitStack() as stack:
        killed, other = _writer(stack, log, 10**9, 50), _writer(stack, log, 1_000, 1)
        _go(killed)
        until = time.monotonic() + _SECONDS
        while log.stat().st_size < 1_000_000:
            assert time.monotonic() < until
        _go(other)
        killed.kill()
        assert other.wait(_SECONDS) == 0
    read = list(read_lines(log.read_bytes()))
    chains = by_environment(line for line in read if isinstance(line, RecordedLine))
    assert 1_000 in {len(chain) for chain in chains.values()}
    assert not any(verify(chain) for chain in chains.values())
    assert sum(isinstance(line, Torn) for line in read) <= 1


def test_a_reader_that_is_slow_gets_everything(pipe: tuple[int, int]) -> None:
    """A full pipe that does not block takes parts, and parts of lines."""
    reader, writer = pipe
    os.set_blocking(writer, False)
    lines = [b"%06d" % number * 50 for number in range(5_000)]
    got = bytearray()

    def read() -> None:
        while part := os.read(reader, 10_007):
            got.extend(part)

    thread = threading.Thread(target=read)
    thread.start()
    LogSink(writer, patience=_SECONDS).write(lines)
    os.close(writer)
    thread.join()
    assert bytes(got).splitlines() == lines


def test_a_signal_in_the_middle_loses_nothing(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    heard, lines, got = [], [b"%06d" % number * 50 for number in range(5_000)], bytearray()

    def read() -> None:
        while part := os.read(reader, 1_000):
            got.extend(part)

    thread = threading.Thread(target=read)
    before = signal.signal(signal.SIGALRM, lambda *_: heard.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        thread.start()
        LogSink(writer).write(lines)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    os.close(writer)
    thread.join()
    assert heard
    assert bytes(got).splitlines() == lines


def test_a_reader_that_never_reads_is_not_waited_for_and_what_follows_is_not_glued(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.set_blocking(writer, False)
    os.set_blocking(reader, False)
    log = event_log(LogSink(writer, patience=0.01))
    with pytest.raises(Unavailable, match="its reader does not keep up"):
        log.record([made_event(), made_event(inputs={"city": "x" * 100_000})])
    held = os.read(reader, 1 << 20)
    record_each(log, *[made_event()] * 2)
    held += os.read(reader, 1 << 20)
    read = list(read_lines(held))
    chains = by_environment(line for line in read if isinstance(line, RecordedLine))
    assert [verify(chain) for chain in chains.values()] == [[], []]
    assert len(list(chains.values())[1]) == 2
    assert sum(isinstance(line, Torn) for line in read) == 1
    assert b'}}\n{"ebb"' in held
    assert held.count(b"\n") == len(read)  # the torn one ended by the newline that the next write began with


def test_a_torn_line_is_followed_by_a_newline_only_once(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.set_blocking(writer, False)
    sink = LogSink(writer, patience=0.01)
    with pytest.raises(Unavailable):
        sink.write([b"x" * (1 << 20)])
    torn = os.read(reader, 1 << 20)
    sink.write([b"one"])
    sink.write([b"two"])
    assert torn == b"x" * len(torn)
    assert os.read(reader, 1 << 20) == b"\none\ntwo\n"


def test_a_reader_that_left_is_said_in_words(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.close(reader)
    with pytest.raises(Unavailable, match=r"^prediction events cannot be written to the log \(Broken pipe\), so no"):
        LogSink(writer).write([b"one"])


def test_a_descriptor_that_is_none_is_said_in_words(pipe: tuple[int, int]) -> None:
    os.close(pipe[1])
    with pytest.raises(Unavailable, match=r"\(Bad file descriptor\)"):
        LogSink(pipe[1]).write([b"one"])


def test_a_full_disk_is_said_in_words() -> None:
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123 (a device)
        with pytest.raises(Unavailable, match=r"\(No space left on device\)") as refused:
            LogSink(full.fileno()).write([b"canary"])
        assert "canary" not in str(refused.value)


def test_it_is_standard_output_unless_told_otherwise(capfd: pytest.CaptureFixture[str]) -> None:
    LogSink().write([b'{"ebb":"prediction_event"}'])
    assert capfd.readouterr().out == '{"ebb":"prediction_event"}\n'
