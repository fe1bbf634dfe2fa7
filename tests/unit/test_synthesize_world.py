"""The folder of a world: the same bytes for any number of workers, whole or to be continued, and never half a shard."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from ebb.errors import Conflict, DataError, Misuse
from tests.home import ROOT
from training.synthesize import Options, customers_of, synthesize_events
from training.synthesize.event_schema import TABLES
from training.synthesize.folder import MANIFEST, NOTES, UNDER_WAY, claimed, need_disk
from training.synthesize.options import Drift

# Three shards of different numbers of customers, in few months.
OPTIONS = Options(33_000, 3, 5)
SMALL = Options(300, 3, 5)
PATIENCE = 120.0
MANY = 400_000
"""Customers of 25 shards: work that is not done before it is interrupted, however slow this process is."""


def digests(out: Path) -> dict[str, str]:
    files = sorted(file for file in out.rglob("*") if file.is_file())
    return {str(file.relative_to(out)): sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world") / "one"
    assert synthesize_events(OPTIONS, out, 1).made == 3
    return out


@pytest.mark.parametrize("workers", [2, 3])
def test_the_same_bytes_for_any_number_of_workers(world: Path, tmp_path: Path, workers: int) -> None:
    found = synthesize_events(OPTIONS, tmp_path / "again", workers)
    assert digests(tmp_path / "again") == digests(world)
    assert 0 < found.peak < 1_000_000_000


def test_the_manifest_says_what_is_there(world: Path) -> None:
    manifest = json.loads((world / MANIFEST).read_bytes())
    assert manifest["options"] == {"customers": 33_000, "months": 3, "seed": 5, "drift": None}
    told = {name: facts["sha256"] for name, facts in manifest["files"].items()}
    assert told == {name: digest for name, digest in digests(world).items() if name != MANIFEST}
    assert len(told) == 3 * len(TABLES)
    assert manifest["rows"]["customers"] == 33_000
    size = sum(file.stat().st_size for file in world.rglob("*.parquet"))
    assert sum(manifest["bytes"].values()) == size


def test_another_seed_or_drift_gives_other_bytes(tmp_path: Path) -> None:
    made = {}
    for name, options in {
        "as it is": SMALL, "seed": replace(SMALL, seed=6), "drift": replace(SMALL, drift=Drift(2)),
    }.items():  # fmt: skip
        synthesize_events(options, tmp_path / name, 1)
        made[name] = digests(tmp_path / name)["events/part-00000.parquet"]
    assert len(set(made.values())) == 3


def test_a_second_run_keeps_what_is_whole_and_mends_what_is_not(tmp_path: Path) -> None:
    synthesize_events(SMALL, tmp_path / "out", 1)
    before = digests(tmp_path / "out")
    assert synthesize_events(SMALL, tmp_path / "out", 1).made == 0
    (tmp_path / "out" / "truth" / "part-00000.parquet").write_bytes(b"damaged")
    (tmp_path / "out" / "events" / "part-00009.parquet").write_bytes(b"of no shard")
    assert synthesize_events(SMALL, tmp_path / "out", 1).made == 1
    assert digests(tmp_path / "out") == before


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("not yours")
    with pytest.raises(Misuse, match="is not empty and holds no synthetic events; name another folder"):
        synthesize_events(SMALL, out, 1)
    (out / MANIFEST).write_text("[1]")
    with pytest.raises(Misuse, match="is not empty"):
        synthesize_events(SMALL, out, 1)
    assert sorted(path.name for path in out.iterdir()) == [MANIFEST, "mine.txt"]
    with pytest.raises(Misuse, match="is a file, but must be a folder"):
        synthesize_events(SMALL, out / "mine.txt", 1)
    synthesize_events(SMALL, tmp_path / "ours", 1)
    with pytest.raises(Misuse, match="holds synthetic events of other options"):
        synthesize_events(replace(SMALL, seed=9), tmp_path / "ours", 1)
    with pytest.raises(DataError, match=r"cannot be written: .*; name another folder with --out"):
        synthesize_events(SMALL, out / "mine.txt" / "below", 1)


def test_one_at_a_time(tmp_path: Path) -> None:
    with (
        claimed(tmp_path / "out", SMALL),
        pytest.raises(Conflict, match="is being written by another"),
        claimed(tmp_path / "out", SMALL),
    ):
        pass


@pytest.mark.parametrize("workers", [0, -1, 65])
def test_impossible_workers(tmp_path: Path, workers: int) -> None:
    with pytest.raises(Misuse, match=r"--workers .*: must be between 1 and 64"):
        synthesize_events(SMALL, tmp_path / "out", workers)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("size", [1_500_000, 4_000_000])
def test_a_size_is_reached_within_five_percent(tmp_path: Path, size: int) -> None:
    options = Options(1, 6, 2)
    options = replace(options, customers=customers_of(size, options))
    manifest = synthesize_events(options, tmp_path / "out", 1).manifest
    assert sum(manifest["bytes"].values()) == pytest.approx(size, rel=0.05)


def test_a_disk_without_room(tmp_path: Path) -> None:
    need_disk(tmp_path / "not" / "there", 1)
    with pytest.raises(DataError, match=r"has .* GB free, but .* GB are needed: take another disk"):
        need_disk(tmp_path / "not" / "there", 10**18)


# `resource` limits of a parent hold for its workers: a file may not grow beyond so many bytes, as on a full disk.
_LIMITED = """
import resource, signal, sys
from pathlib import Path
from ebb.errors import DataError
from training.synthesize import Options, synthesize_events
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    synthesize_events(Options(33_000, 3, 5), Path(sys.argv[1]), 2)
except DataError as error:
    print(error)
"""


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.stderr == ""
    assert ran.stdout.count("\n") == 1
    assert f"{out} cannot be written: " in ran.stdout
    assert "the same command goes on from there" in ran.stdout
    assert_nothing_half(out)


def assert_nothing_half(out: Path) -> None:
    """Every file stands in a note, and nothing partial is left."""
    noted = [name for note in (out / NOTES).iterdir() for name in json.loads(note.read_bytes())]
    assert sorted(str(file.relative_to(out)) for file in out.rglob("*.parquet")) == sorted(noted)
    assert sorted(path.name for path in out.iterdir() if path.name not in TABLES) == [NOTES, UNDER_WAY]


class _Killing:
    """Ends a worker once a first shard is whole and another is under way."""

    def __init__(self, out: Path) -> None:
        self.out, self.killed = out, 0

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        assert title
        assert total == 9

        def done(_months: int) -> None:
            if not self.killed and list((self.out / NOTES).glob("part-*.json")):
                self.killed = workers_of(os.getpid())[0]
                os.kill(self.killed, signal.SIGKILL)

        yield done


def workers_of(parent: int) -> list[int]:
    """Return the ids of the workers that a process started and that are still running."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(stat[1]) == parent and stat[0] != "Z" and b"training.synthesize.worker" in command:
            found.append(int(folder.name))
    return found


def test_a_killed_worker_leaves_whole_shards_and_the_next_run_goes_on(world: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(
        DataError, match=r"the worker at shard \d of .* was ended by SIGKILL; the shards that are whole"
    ):
        synthesize_events(OPTIONS, out, 1, _Killing(out))
    assert workers_of(os.getpid()) == []
    assert_nothing_half(out)
    assert 1 <= synthesize_events(OPTIONS, out, 2).made <= 2
    assert digests(out) == digests(world)


def test_ctrl_c_ends_the_workers_and_leaves_whole_shards(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "local.entry", "synthesize", "--customers", str(MANY), "--workers", "2"]
    with subprocess.Popen(
        [*command, "--out", str(out)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as run:
        try:
            workers = wait_for_workers(run.pid, out, whole=1)
            os.killpg(run.pid, signal.SIGINT)
            _, errors = run.communicate(timeout=PATIENCE)
        finally:
            run.kill()
    assert run.returncode == 130, errors.decode()
    assert b"interrupted; nothing half-written was kept" in errors
    assert b"Traceback" not in errors
    assert_nothing_half(out)
    assert list((out / NOTES).iterdir())
    assert not any(map(is_running, workers))


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "local.entry", "synthesize", "--customers", str(MANY), "--workers", "2"]
    with subprocess.Popen(
        [*command, "--out", str(out), "--json"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        try:
            workers = wait_for_workers(run.pid, out)
        finally:
            run.kill()
    deadline = time.monotonic() + PATIENCE
    while any(map(is_running, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, workers))
    with claimed(out, Options(MANY, 24, 0)):
        pass
    assert_nothing_half(out)


def wait_for_workers(parent: int, out: Path, whole: int = 0) -> list[int]:
    """Wait until both workers are writing and some shards are whole, and return the workers' ids."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        workers = workers_of(parent)
        written = len(list(out.glob(f"{NOTES}/part-*.json")))
        if len(workers) == 2 and len(list(out.glob(".partial-*"))) == 2 and written >= whole:
            return workers
        time.sleep(0.05)
    raise AssertionError("no workers were seen")


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_that_cannot_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(DataError, match=r"the worker at shard 0 of .* failed with exit code 1"):
        synthesize_events(SMALL, tmp_path / "out", 2)
    assert_nothing_half(tmp_path / "out")
