"""The command `ebb` as a user meets it: help, JSON, exit codes, sentences instead of tracebacks."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from local.commands import COMMANDS
from tests.home import ROOT, Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself_with_an_example(home: Home, command: str) -> None:
    done = home.ebb(command, "--help")
    assert done.returncode == 0
    assert "Example" in done.stdout
    assert f"ebb {command}" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("fly",), 2, "No such command 'fly'"),
        (("score",), 2, "either an ENTITY_ID or --data"),
        (("score", "--data", "x.csv"), 2, "--data needs --out"),
        (("score", "--data", "x.csv", "--out", "y.csv", "--explain"), 2, "--explain is for one ENTITY_ID"),
        (("score", "--data", "x.csv", "--out", "y.csv"), 1, "no release yet"),
        (("score", "someone"), 1, "no local cloud is up here"),
        (("token", "--client", "me"), 1, "no local cloud is up here"),
        (("token", "--client", "me", "--scope", "everything"), 2, "'everything' is none of"),
        (("synthesize", "--rows", "-3", "--out", "d"), 2, "--rows"),
        (("init", "nowhere.csv", "--label", "x", "--out", "c.toml"), 1, "nowhere.csv"),
        (("train", "--contract", "nowhere.toml", "--data", "nowhere.csv"), 1, "nowhere.toml"),
        (("up", "--release", "nowhere", "--port", "0"), 1, "nowhere is no release"),
        (("up", "--data", "nowhere.csv"), 1, "no file or folder nowhere.csv"),
        (("up", "--port", "99999"), 2, "--port"),
    ],
)
def test_mistakes_are_one_sentence_and_an_exit_code(
    home: Home, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = home.ebb(*arguments)
    assert done.returncode == code, done.stderr
    assert says in " ".join((done.stderr + done.stdout).split())
    assert "Traceback" not in done.stderr + done.stdout


def test_nothing_up(home: Home) -> None:
    assert home.ebb("status").returncode == 1
    assert home.ebb("down").returncode == 0
    assert home.json("down")["was_up"] is False


def test_up_without_a_release_starts_and_says_what_to_do(home: Home) -> None:
    shown = home.ok("up", "--port", "0", "--detach")
    try:
        assert "none yet" in shown
        token = home.ok("token", "--client", "me").strip()
        answer = httpx.post(
            f"{home.state.url}/v1/predictions",
            json={"entity_id": "x"},
            headers={"authorization": f"Bearer {token}"},
            timeout=30,
        )
        assert answer.status_code == 503
        assert "ebb train" in answer.json()["detail"]
        assert httpx.get(f"{home.state.url}/v1/health", timeout=30).json()["status"] == "waiting for a release"
        again = home.ebb("up", "--port", "0", "--detach")
        assert (again.returncode, "already up" in again.stderr) == (2, True)
    finally:
        assert home.ebb("down").returncode == 0
    assert home.ebb("status").returncode == 1


def test_a_taken_port_is_refused_at_once(home: Home) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen(1)
        port = holder.getsockname()[1]
        done = home.ebb("up", "--port", str(port))
    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stderr
    assert home.json("down")["was_up"] is False


def test_the_release_store_serves_a_version_that_is_not_the_champion(trained: Home, tmp_path: Path) -> None:
    version = (trained.folder / "releases/synthetic/champion").read_text().strip()
    home = Home(tmp_path)
    folder = tmp_path / "releases" / "synthetic"
    folder.mkdir(parents=True)
    (folder / version).symlink_to(trained.folder / "releases/synthetic" / version, target_is_directory=True)
    home.ok("up", "--release", str(folder / version), "--port", "0", "--detach")
    try:
        assert httpx.get(f"{home.state.url}/v1/health", timeout=30).json()["release"] == f"synthetic/{version}"
    finally:
        home.ok("down")
    assert not (folder / "champion").exists()


def test_an_altered_release_is_not_brought_up(trained: Home, tmp_path: Path) -> None:
    source = (
        trained.folder / "releases/synthetic" / (trained.folder / "releases/synthetic/champion").read_text().strip()
    )
    folder = tmp_path / "releases" / "synthetic" / source.name
    folder.mkdir(parents=True)
    for path in source.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "card.html").write_bytes(b"changed")
    done = Home(tmp_path).ebb("up", "--release", str(folder), "--port", "0")
    assert done.returncode == 1
    assert "the sha256 of card.html is not the manifest's" in done.stderr


def test_interrupting_up_leaves_nothing(home: Home) -> None:
    environment = {**os.environ, "EBB_HOME": str(home.folder / ".ebb")}
    process = subprocess.Popen(
        [sys.executable, "-m", "local.entry", "up", "--port", "0"], env=environment, cwd=home.folder
    )
    deadline = time.monotonic() + 60
    while not (home.folder / ".ebb/up.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert home.json("down")["was_up"] is False


@pytest.mark.parametrize("seconds", [0.0, 1.5, 4.0])
def test_interrupting_a_training_keeps_nothing_half_written(trained: Home, tmp_path: Path, seconds: float) -> None:
    """So many seconds after the first step was done."""
    data = str(trained.folder / "data/customers.parquet")
    contract = str(ROOT / "training/contracts/synthetic.toml")
    command = [sys.executable, "-m", "local.entry", "train", "--contract", contract, "--data", data]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    said = process.stderr.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    said += process.communicate(timeout=60)[1]
    assert process.returncode in {0, 130}
    assert "Traceback" not in said
    if process.returncode:
        assert "interrupted; nothing half-written was kept" in said
    releases = tmp_path / "releases" / "synthetic"
    kept = [path.name for path in releases.iterdir()] if releases.is_dir() else []
    assert not [name for name in kept if name.startswith(".partial")]
    assert ("champion" in kept) == (process.returncode == 0)
