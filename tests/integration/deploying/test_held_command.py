"""CDK's command line and all that it started end together, also what does not listen."""

import os
import signal
import sys
from pathlib import Path

import pytest

from local.deploying.command_line import running_command
from local.servers.process_id import ProcessId

SECONDS = 60.0


@pytest.mark.parametrize("deaf", [False, True])
def test_what_the_command_line_started_ends_with_it(deaf: bool, tmp_path: Path) -> None:
    pid, script, inner = tmp_path / "pid", tmp_path / "cdk.py", tmp_path / "inner.py"
    inner.write_text(
        "import os, signal, sys, time\n"
        + ("signal.signal(signal.SIGINT, signal.SIG_IGN)\n" if deaf else "")
        + "open(sys.argv[1] + '.new', 'w').write(str(os.getpid()))\n"
        "os.rename(sys.argv[1] + '.new', sys.argv[1])\n"
        "time.sleep(600)\n"
    )
    script.write_text(f"import subprocess, sys\nsubprocess.run([sys.executable, {str(inner)!r}, {str(pid)!r}])\n")
    told = {**os.environ, "EBB_CDK": f"{sys.executable} {script}"}

    with running_command([], tmp_path / "log", told, tmp_path) as child:
        while not pid.exists():
            assert not child.wait(0.02), child.output()
        grandchild = ProcessId.of(int(pid.read_text()))
        assert grandchild is not None
        child.send(signal.SIGTERM)
        assert child.wait(SECONDS)
    assert grandchild.wait_gone(SECONDS)
