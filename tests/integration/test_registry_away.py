"""A registry that goes away at any call, or whose caller is killed: noted, and made up for."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ebb.errors import Unavailable
from ebb.folder import FolderReleases
from tests.integration.registry_case import NAME, aliases, draft, nobody, roles
from tests.integration.training_case import ROOT, eventually
from training.promote import roll_back
from training.publish import publish
from training.registry import connect as connecting
from training.registry.listing import list_releases
from training.registry.registry import Registry
from training.registry.sync import sync_registry


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registry in a file, made with the first release of this module: that takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('registry') / 'mlflow.db'}"


def test_the_switches_bound_what_mlflow_would_wait(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in connecting._SWITCHES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(Unavailable), nobody() as away:
        Registry(tmp_path, NAME, away)
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "10"
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "0", "whoever set it knows better"


@pytest.mark.parametrize("uri", ["foo", "postgresql://me:secret@127.0.0.1:1/mlflow"])
def test_an_address_that_is_none_costs_no_release(tmp_path: Path, uri: str) -> None:
    done = publish(draft(1.8), tmp_path, registry_uri=uri)
    (note,) = done.notes
    assert "not registered" in note
    assert "secret" not in note
    assert FolderReleases(tmp_path).champion(NAME) == draft(1.8).version


CALLS = ("start", "numbers", "_log", "_upload", "_version", "align")


@pytest.mark.parametrize("call", CALLS)
def test_a_registry_that_goes_away_at_any_call_is_made_up_for(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    made = draft(2.0 + CALLS.index(call) / 10)

    def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("the registry (MLflow) failed: gone")

    publish(draft(2.9), tmp_path, registry_uri=address)
    with monkeypatch.context() as patched:
        patched.setattr(Registry, call, away)
        done = publish(made, tmp_path, registry_uri=address)
    assert done.role == "champion"
    assert sum("gone" in note for note in done.notes) == 1
    assert list_releases(tmp_path).pending != ()
    synced = sync_registry(tmp_path, [NAME], address)
    assert (synced.away, synced.notes) == ("", ())
    assert synced.registered == (() if call == "align" else (f"{NAME}/{made.version}",))
    assert list_releases(tmp_path).pending == ()
    assert aliases(address) == roles(tmp_path)


def test_what_cannot_be_registered_is_told_and_what_is_gone_is_forgotten(address: str, tmp_path: Path) -> None:
    one, two = draft(6.0), draft(6.1)
    with nobody() as away:
        for made in (one, two):
            publish(made, tmp_path, registry_uri=away)
    shutil.rmtree(tmp_path / NAME / one.version)
    (tmp_path / NAME / two.version / "card.html").write_text("altered")
    done = publish(draft(6.2), tmp_path, registry_uri=address)
    (note,) = (note for note in done.notes if "is not registered" in note)
    assert note.startswith(f"{NAME}/{two.version} is not registered: release {NAME}/{two.version} was altered")
    assert list_releases(tmp_path).pending == (f"{NAME}/{two.version}",)


def test_a_registry_holds_up_nobody_for_longer_than_its_patience(address: str, tmp_path: Path) -> None:
    registry = Registry(tmp_path, NAME, address, seconds=30)
    registry._calls._end = time.monotonic() - 1
    for call in (registry.numbers, lambda: registry.start({}), lambda: registry.align({})):
        with pytest.raises(Unavailable, match="took longer than 30 s"):
            call()
    registry.fail("nobody")


KILLED = """
import ctypes, os, signal, sys
from pathlib import Path
from training.promote import promote
from training.registry.ledger import Ledger

ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: nothing stopped outlives its test

def stop(self):
    Path(sys.argv[1], "reached").touch()
    os.kill(os.getpid(), signal.SIGSTOP)

Ledger.follow = stop
promote("tiny", sys.argv[2], Path(sys.argv[1]), registry_uri=sys.argv[3])
"""


@pytest.mark.parametrize("repair", ["sync", "roll_back", "publish"])
def test_a_kill_between_file_and_alias_is_repaired_by_the_next_call(address: str, tmp_path: Path, repair: str) -> None:
    number = ["sync", "roll_back", "publish"].index(repair)
    one, two = draft(5.0 + number), draft(5.1 + number)
    publish(one, tmp_path, registry_uri=address)
    publish(two, tmp_path, promote=False, registry_uri=address)
    _kill_between(tmp_path, two.version, address)
    assert roles(tmp_path) == {"champion": two.version, "previous": one.version}
    assert aliases(address) == {"champion": one.version, "challenger": two.version}
    assert list_releases(tmp_path).pending == (NAME,)
    if repair == "sync":
        sync_registry(tmp_path, [NAME], address)
    elif repair == "roll_back":
        roll_back(NAME, tmp_path, registry_uri=address)
    else:
        publish(draft(5.2 + number), tmp_path, registry_uri=address)
    assert aliases(address) == roles(tmp_path)
    assert list_releases(tmp_path).pending == ()


def _kill_between(releases: Path, version: str, uri: str) -> None:
    """Promote in a process of its own, and kill it once the file has moved and before an alias has."""
    command = [sys.executable, "-c", KILLED, str(releases), version, uri]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        try:
            eventually((releases / "reached").exists, "the moment between file and alias")
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait(60)
