"""`ebb train` killed in each of its stages, and between any two steps of publishing: nothing half is ever found."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.load import load_champion
from tests.integration.registry_case import nobody
from tests.integration.small_problem import NAME, Problem, columns, problem
from tests.integration.training_case import DEADLINE, ROOT, eventually, group
from tests.integration.training_stages import CHEAP_STAGE, LARGE, STAGES, whole


class Command:
    """One `ebb train` in a process group of its own, with a folder of its own for temporary files."""

    def __init__(self, made: Problem, *options: str) -> None:
        self.temporary = made.folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        self.told = made.folder / "told"
        words = [word for word in made.words if word != "--no-cheap"]
        with self.told.open("wb") as told:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local.entry", *words, "--trials", "1", *options],
                cwd=ROOT,
                stdout=told,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "TMPDIR": str(self.temporary), "TTY_INTERACTIVE": "1", "FORCE_COLOR": "1"},
            )

    @property
    def said(self) -> str:
        """Return what it printed so far."""
        return self.told.read_text(errors="replace")

    def reach(self, title: str) -> None:
        """Wait until a stage is shown, or all is over: a short one may have passed."""
        eventually(lambda: title in self.said or self.process.poll() is not None, title)

    def left(self) -> list[str]:
        """Return what searches have left."""
        return sorted(path.name for path in self.temporary.glob("ebb-*"))


@contextmanager
def command(made: Problem, *options: str) -> Iterator[Command]:
    started = Command(made, *options)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            os.killpg(started.process.pid, signal.SIGKILL)
        started.process.wait(DEADLINE)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    return problem(tmp_path_factory.mktemp("killed"), columns(LARGE))


@pytest.mark.timeout(600)
def test_kill_9_in_each_stage_and_the_next_goes_on(made: Problem) -> None:
    """Each command is the rerun of the one before it, which was killed in an earlier stage."""
    resume = str(made.folder / "search")
    store = FolderReleases(made.releases)
    with nobody() as away:
        for title in (*STAGES, CHEAP_STAGE):
            with command(made, "--resume", resume, "--mlflow", away) as running:
                running.reach(title)
                os.kill(running.process.pid, signal.SIGKILL)
                running.process.wait(DEADLINE)
                eventually(lambda running=running: not group(running.process.pid), "the workers' end")  # type: ignore[misc]
            assert len(running.left()) <= 1, "the next search removes what a killed one has left"
            whole(store)
        with command(made, "--resume", resume, "--mlflow", away) as running:
            assert running.process.wait(2 * DEADLINE) == 0, running.said
    assert "the search went on after 1 trials of an interrupted one" in running.said
    assert running.left() == []
    assert not list(made.releases.rglob(".partial*"))
    assert len(store.versions(NAME)) == 2, "the champion and the cheap one"
    assert load_champion(store, NAME, OnnxScorer).manifest.version == store.champion(NAME)
    assert store.cheap(NAME) in store.versions(NAME)


@pytest.mark.parametrize(
    ("title", "presses"),
    [("Accept columns", 1), ("Validate the data", 2), ("Search", 1), ("Search", 2), ("Write and register", 2)],
)
def test_ctrl_c_in_a_stage_is_one_sentence(title: str, presses: int, tmp_path: Path) -> None:
    """The whole group hears it, workers that are just being started among them."""
    made = problem(tmp_path, columns(LARGE))
    store = FolderReleases(made.releases)
    with nobody() as away, command(made, "--mlflow", away) as running:
        running.reach(title)
        for _ in range(presses):
            os.killpg(running.process.pid, signal.SIGINT)
        assert running.process.wait(DEADLINE) == 130, running.said
        eventually(lambda: not group(running.process.pid), "the workers' end")
    assert "interrupted; nothing half-written was kept" in running.said
    assert "Traceback" not in running.said
    whole(store)
    if presses == 1:
        assert running.left() == []
        assert not list(made.releases.rglob(".partial*"))


PUBLISHED = """
import json, os, signal, sys
from pathlib import Path
from tests.integration.registry_case import NAME, draft, nobody
from ebb.folder import FolderReleases
from ebb.release.manifest import verify
from training.publish import publish, publish_cheap

releases, cheap = Path(sys.argv[1]), sys.argv[2] == "cheap"
store, before, after = FolderReleases(releases), draft(1.0), draft(2.0)

def kill_at(step):
    taken = 0
    def counted(real):
        def call(*words, **named):
            nonlocal taken
            taken += 1
            if taken == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*words, **named)
        return call
    for name in ("fsync", "rename", "replace", "rmdir"):
        setattr(os, name, counted(getattr(os, name)))

with nobody() as away:
    publish(before, releases, registry_uri=away)
    for step in range(1, 200):
        child = os.fork()
        if child == 0:
            kill_at(step)
            (publish_cheap if cheap else publish)(after, releases, registry_uri=away)
            os._exit(0)
        killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        for version in store.versions(NAME):
            verify(store.read(NAME, version), NAME)
        named = [store.champion(NAME), store.cheap(NAME)]
        partial = sorted(str(path) for path in releases.rglob(".partial*"))
        print(json.dumps({"killed": killed, "named": named, "partial": partial}), flush=True)
        if not killed:
            break
print(json.dumps({"before": before.version, "after": after.version}), flush=True)
"""


@pytest.mark.parametrize("role", ["champion", "cheap"])
def test_kill_9_between_any_two_steps_of_publishing(role: str, tmp_path: Path) -> None:
    """Every sync and rename in turn; each try is the rerun of the one before."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PUBLISHED, str(tmp_path / "releases"), role],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * DEADLINE,
    )
    assert done.returncode == 0, done.stderr
    *tries, versions = [json.loads(line) for line in done.stdout.splitlines()]
    before, after = versions["before"], versions["after"]
    *killed, last = tries
    assert len(killed) >= 8
    assert all(tried["killed"] for tried in killed)
    assert any(tried["partial"] for tried in killed)
    allowed = [[before, None], [before, after]] if role == "cheap" else [[before, None], [after, None]]
    assert [tried["named"] for tried in killed if tried["named"] not in allowed] == []
    assert last == {"killed": False, "named": allowed[1], "partial": []}
