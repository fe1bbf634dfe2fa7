"""A training killed while it publishes leaves a run open in MLflow: the next command ends it, or finishes it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from ebb.folder import FolderReleases
from tests.integration.mlflow_server import running_server
from tests.integration.registry_case import NAME, draft, nobody
from tests.integration.training_case import DEADLINE, ROOT
from training.publish import publish
from training.registry.listing import list_releases
from training.registry.sync import sync_registry

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.integration.registry_case import draft
from ebb.folder import FolderReleases
from training.publish import publish
from training.registry.registry import Registry

def kill(*words, **named):
    os.kill(os.getpid(), signal.SIGKILL)

releases, bias, place, uri = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4]
setattr(FolderReleases if place == "write" else Registry, place, kill)
publish(draft(bias), releases, registry_uri=uri)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(tmp_path_factory.mktemp("server")) as uri:
        yield uri


def killed(releases: Path, bias: float, place: str, uri: str) -> None:
    """Publish in a process of its own that is killed at this call."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED, str(releases), str(bias), place, uri],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def statuses(uri: str, version: str) -> list[str]:
    """Return what became of the runs of a release, sorted."""
    client = MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name(NAME)
    found = client.search_runs([experiment.experiment_id], f"tags.`ebb.release` = '{version}'")
    return sorted(run.info.status for run in found)


def left(releases: Path) -> list[str]:
    return sorted(path.name for path in (releases / NAME).glob("pending/*"))


def test_killed_before_anything_is_written_and_the_next_training_ends_its_run(server: str, tmp_path: Path) -> None:
    made, other = draft(40.0), draft(40.1)
    killed(tmp_path, 40.0, "write", server)
    assert statuses(server, made.version) == ["RUNNING"]
    assert FolderReleases(tmp_path).versions(NAME) == []
    done = publish(other, tmp_path, registry_uri=server)
    assert done.notes == ("the registry's run of a training that was killed is ended now",)
    assert (statuses(server, made.version), statuses(server, other.version)) == (["KILLED"], ["FINISHED"])
    assert left(tmp_path) == []


def test_killed_when_the_release_was_there_and_the_next_command_finishes_its_run(server: str, tmp_path: Path) -> None:
    made = draft(41.0)
    killed(tmp_path, 41.0, "register", server)
    assert statuses(server, made.version) == ["RUNNING"]
    assert list_releases(tmp_path).pending == (f"{NAME}/{made.version}", NAME)
    synced = sync_registry(tmp_path, [NAME], server)
    assert synced.registered == (f"{NAME}/{made.version}",)
    assert statuses(server, made.version) == ["FINISHED"]
    assert left(tmp_path) == []


def test_while_the_registry_is_away_the_mark_stays(server: str, tmp_path: Path) -> None:
    publish(draft(42.0), tmp_path, registry_uri=server)
    killed(tmp_path, 42.1, "write", server)
    (mark,) = left(tmp_path)
    with nobody() as away:
        sync_registry(tmp_path, [NAME], away)
    assert left(tmp_path) == [mark]
    assert list_releases(tmp_path).pending == (NAME,)
    synced = sync_registry(tmp_path, [NAME], server)
    assert "the registry's run of a training that was killed is ended now" in synced.notes
    assert statuses(server, draft(42.1).version) == ["KILLED"]
    assert list_releases(tmp_path).pending == ()


def test_a_run_of_somebody_elses_is_left_alone(server: str, tmp_path: Path) -> None:
    """Another folder of releases, of the same contract and the same registry, may be training right now."""
    client = MlflowClient(server, server)
    publish(draft(43.0), tmp_path / "one", registry_uri=server)
    killed(tmp_path / "two", 43.1, "write", server)
    publish(draft(43.2), tmp_path / "one", registry_uri=server)
    assert statuses(server, draft(43.1).version) == ["RUNNING"]
    experiment = client.get_experiment_by_name(NAME)
    other = client.create_run(experiment.experiment_id, tags={"ebb.release": "f" * 12})
    publish(draft(43.3), tmp_path / "two", registry_uri=server)
    assert statuses(server, draft(43.1).version) == ["KILLED"]
    assert client.get_run(other.info.run_id).info.status == "RUNNING"
