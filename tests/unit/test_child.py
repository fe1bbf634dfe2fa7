"""Children: their output, their end, their names, and that none outlives its parent."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ebb.errors import Unavailable
from local.servers.child import Child, start_child
from local.servers.process_id import ProcessId, living

PYTHON = sys.executable
DEAF = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


def poll(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def start(tmp_path: Path, code: str, **options: object) -> Child:
    return start_child("the child", [PYTHON, "-c", code], log=tmp_path / "child.log", **options)  # type: ignore[arg-type]


def test_output_goes_to_a_private_log_and_the_exit_code_is_known(tmp_path: Path) -> None:
    child = start(tmp_path, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert child.wait(10)
    assert child.exit_code() == 3
    assert sorted(child.output().split()) == ["err", "out"]
    assert (tmp_path / "child.log").stat().st_mode & 0o777 == 0o600


def test_output_is_only_what_this_child_wrote_and_only_its_end(tmp_path: Path) -> None:
    start(tmp_path, "print('first')").wait(10)
    second = start(tmp_path, "print('second' * 1000); print('end')")
    assert second.wait(10)
    assert "first" not in second.output(100_000)
    assert second.output(4) == "end\n"
    assert (tmp_path / "child.log").read_text().startswith("first\n")


def test_stop_asks_first(tmp_path: Path) -> None:
    child = start(tmp_path, "import time; time.sleep(60)")
    assert child.stop() == -signal.SIGTERM
    assert child.stop() == -signal.SIGTERM, "stopping twice is no error"


def test_stop_kills_what_does_not_listen(tmp_path: Path) -> None:
    child = start(tmp_path, DEAF)
    assert poll(lambda: "deaf" in child.output())
    began = time.monotonic()
    assert child.stop(((signal.SIGTERM, 0.2),)) == -signal.SIGKILL
    assert 0.2 <= time.monotonic() - began < 5


def test_stop_kills_what_is_frozen(tmp_path: Path) -> None:
    child = start(tmp_path, DEAF)
    assert poll(lambda: "deaf" in child.output())
    child.send(signal.SIGSTOP)
    assert child.stop(((signal.SIGTERM, 0.1),)) == -signal.SIGKILL


def test_stop_goes_through_all_steps(tmp_path: Path) -> None:
    child = start(tmp_path, DEAF)
    assert poll(lambda: "deaf" in child.output())
    assert child.stop(((signal.SIGTERM, 0.1), (signal.SIGINT, 10.0))) != -signal.SIGKILL


def test_a_missing_program_is_told_in_the_log(tmp_path: Path) -> None:
    child = start_child("nothing", [tmp_path / "absent"], log=tmp_path / "child.log")
    assert child.wait(10)
    assert child.exit_code() == 126
    assert "cannot start" in child.output()
    assert "Traceback" not in child.output()


def test_a_log_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"log .* cannot be written"):
        start_child("the child", [PYTHON, "-c", ""], log=tmp_path / "absent" / "child.log")


def test_environment_and_folder_are_given(tmp_path: Path) -> None:
    code = "import os; print(os.environ['EBB_TEST'], os.environ.get('HOME'), os.getcwd())"
    child = start(tmp_path, code, environment={"EBB_TEST": "yes"}, folder=tmp_path)
    assert child.wait(10)
    assert child.output().split() == ["yes", "None", str(tmp_path)]


@pytest.mark.parametrize("own", [True, False])
def test_a_session_of_its_own_keeps_the_terminal_away(tmp_path: Path, *, own: bool) -> None:
    child = start(tmp_path, "import time; time.sleep(60)", own_session=own)
    try:
        assert (os.getsid(child.pid) == child.pid) is own
    finally:
        child.stop()


def test_a_child_outlives_the_thread_that_asked_for_it(tmp_path: Path) -> None:
    """The kernel ties the parent-death signal to the forking thread, not to the process."""
    children: list[Child] = []
    thread = threading.Thread(target=lambda: children.append(start(tmp_path, "import time; time.sleep(60)")))
    thread.start()
    thread.join()
    assert not children[0].wait(0.5)
    children[0].stop()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_parent_takes_its_child_along(tmp_path: Path, number: signal.Signals) -> None:
    code = f"""
import signal, time
from pathlib import Path
from local.servers.child import start_child
child = start_child("c", [{PYTHON!r}, "-c", {DEAF!r}], log=Path({str(tmp_path / "c.log")!r}))
print(child.id.pid, child.id.started, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([PYTHON, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = ProcessId(*map(int, parent.stdout.readline().split()))
        assert poll(lambda: "deaf" in (tmp_path / "c.log").read_text())
        assert child.alive()
        parent.send_signal(number)
        parent.wait(10)
        assert child.wait_gone(10)


def test_a_zombie_is_not_alive(tmp_path: Path) -> None:
    process = subprocess.Popen([PYTHON, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        named = ProcessId.of(process.pid)
        assert named is not None
        assert named.alive()
        assert process.pid in living()
        assert process.stdin is not None
        process.stdin.close()
        assert named.wait_gone(10)
        assert Path(f"/proc/{process.pid}").exists(), "nobody has reaped it yet"
        assert not named.alive()
        assert ProcessId.of(process.pid) is None
    finally:
        process.wait(10)
    assert not named.alive()
    assert tmp_path.exists()


def test_a_recycled_pid_is_another_process() -> None:
    me = ProcessId.of(os.getpid())
    assert me is not None
    other = ProcessId(me.pid, me.started - 1)
    assert me.alive()
    assert not other.alive()
    assert other.wait_gone(0)
    assert not other.send(signal.SIGKILL), "a signal to the old process must not reach the new one"


def test_a_signal_reaches_exactly_the_named_process(tmp_path: Path) -> None:
    child = start(tmp_path, "import time; time.sleep(60)")
    assert child.id.send(signal.SIGTERM)
    assert child.id.wait_gone(10)
    assert not child.id.send(signal.SIGTERM)
    assert child.stop() == -signal.SIGTERM


def test_a_name_with_spaces_and_brackets_does_not_confuse(tmp_path: Path) -> None:
    program = tmp_path / "a ) Z 1 (b"
    program.symlink_to("/bin/sleep")
    child = start_child("odd", [program, "60"], log=tmp_path / "log")
    try:
        assert poll(lambda: "a ) Z" in Path(f"/proc/{child.pid}/comm").read_text())
        assert child.id.alive()
    finally:
        child.stop()


def test_no_process_is_named_for_a_pid_that_cannot_be() -> None:
    assert ProcessId.of(2**22 + 1) is None
    assert not ProcessId(2**22 + 1, 1).alive()
