"""A real MLflow server in a process of its own: what it is told, and how it is made up for."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.models import get_model_info
from typer.testing import CliRunner

from ebb.errors import ReleaseError
from ebb.folder import FolderReleases
from ebb.release.manifest import CONTRACT, MANIFEST, digest, verify
from local.cli import app
from tests.integration.mlflow_server import running_server
from tests.integration.registry_case import NAME, aliases, draft, nobody
from tests.integration.training_case import ROOT
from training.promote import promote, roll_back
from training.publish import publish
from training.registry.listing import list_releases
from training.registry.pending import Pending
from training.registry.sync import sync_registry

DOCUMENTS = {"validation/index.html": b"<p>fine</p>"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(tmp_path_factory.mktemp("server")) as uri:
        yield uri


def test_a_release_is_registered_with_everything(server: str, tmp_path: Path) -> None:
    made = draft(1.0)
    done = publish(made, tmp_path, artifacts=DOCUMENTS, registry_uri=server)
    assert (done.notes, done.role) == ((), "champion")
    client = MlflowClient(server, server)
    run = client.get_run(done.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"auc": 0.8, "profit": 1.5, "rows": 4.0, "parity": 1e-7}
    assert run.data.params == {"leaves": "8"}
    files = FolderReleases(tmp_path).read(NAME, made.version)
    version = client.get_model_version_by_alias(NAME, "champion")
    for tags in (run.data.tags, version.tags):
        assert tags["ebb.release"] == made.version
        assert tags["ebb.data_sha256"] == "a" * 64
        assert tags["ebb.contract_sha256"] == digest(files[CONTRACT])
        assert tags["ebb.manifest_sha256"] == digest(files[MANIFEST])
        assert tags["mlflow.source.git.commit"] == verify(files, NAME).git_commit
    assert verify(files, NAME).run_id == done.run_id == version.run_id
    listed = {a.path for a in client.list_artifacts(done.run_id)}
    assert listed == {"card.html", "metrics.json", "release", "validation"}
    kept = Path(client.download_artifacts(done.run_id, "release", str(tmp_path)))
    assert {p.name: p.read_bytes() for p in kept.iterdir() if p.name != "MLmodel"} == files


def test_the_registered_model_has_a_signature_and_loads(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(draft(1.1), tmp_path, registry_uri=server)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", server)
    signature = get_model_info(f"models:/{NAME}@champion").signature
    inputs = {each.name: (each.type, each.shape) for each in signature.inputs}
    assert inputs == {"numbers": (np.dtype(np.float32), (-1, 3)), "categories": (np.dtype(object), (-1, 2))}
    (output,) = signature.outputs
    assert (output.name, output.type, output.shape) == ("probability", np.dtype(np.float32), (-1,))


def test_the_same_again_keeps_its_number(server: str, tmp_path: Path) -> None:
    first = publish(draft(1.2), tmp_path, registry_uri=server)
    second = publish(draft(1.2), tmp_path, registry_uri=server)
    assert second.model_version == first.model_version
    assert second.run_id != first.run_id


def test_a_challenger_waits_and_is_promoted_and_taken_back(server: str, tmp_path: Path) -> None:
    one, two = draft(1.3), draft(1.4)
    publish(one, tmp_path, registry_uri=server)
    waiting = publish(two, tmp_path, promote=False, registry_uri=server)
    assert waiting.role == "challenger"
    assert aliases(server) == {"champion": one.version, "challenger": two.version}
    done = promote(NAME, two.version, tmp_path, registry_uri=server)
    assert (done.champion, done.previous, done.notes) == (two.version, one.version, ())
    assert aliases(server) == {"champion": two.version, "previous": one.version}
    back = roll_back(NAME, tmp_path, registry_uri=server)
    assert (back.champion, back.previous) == (one.version, two.version)
    assert aliases(server) == {"champion": one.version, "previous": two.version}
    with pytest.raises(ReleaseError, match="is the champion already: nothing changed"):
        promote(NAME, one.version, tmp_path, registry_uri=server)


def test_a_server_that_refuses_costs_no_release_and_is_made_up_for(server: str, tmp_path: Path) -> None:
    made, later = draft(1.5), draft(1.6)
    with nobody() as away:
        done = publish(made, tmp_path, artifacts=DOCUMENTS, registry_uri=away)
        assert (done.role, done.model_version, done.run_id) == ("champion", "", "")
        (note,) = done.notes
        assert note.startswith("the release is kept, but not registered: the registry (MLflow) failed")
        synced = sync_registry(tmp_path, [NAME], away)
        assert synced.away
    assert list_releases(tmp_path).pending == (f"{NAME}/{made.version}", NAME)
    second = publish(later, tmp_path, registry_uri=server)
    assert second.notes == (f"registered now, after the registry was away: {made.version}",)
    assert list_releases(tmp_path).pending == ()
    assert aliases(server) == {"champion": later.version, "previous": made.version}
    client = MlflowClient(server, server)
    before = client.get_model_version_by_alias(NAME, "previous")
    assert client.get_run(before.run_id).data.params == {"leaves": "8"}
    assert "validation" in {a.path for a in client.list_artifacts(before.run_id)}


def test_a_server_that_never_answers_is_waited_for_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes connections and stays silent: two tries of a second, and not MLflow's own hour."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = publish(draft(1.7), tmp_path, registry_uri=f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert (done.role, done.model_version) == ("champion", "")
    assert Pending(tmp_path, NAME).versions() == [draft(1.7).version]


def test_a_server_that_comes_back_goes_on_where_it_was(tmp_path: Path) -> None:
    one, two = draft(3.0), draft(3.1)
    with running_server(tmp_path / "server") as uri:
        publish(one, tmp_path / "releases", registry_uri=uri)
    done = publish(two, tmp_path / "releases", registry_uri=uri)
    assert done.model_version == ""
    assert roll_back(NAME, tmp_path / "releases", registry_uri=uri).champion == one.version
    with running_server(tmp_path / "server") as again:
        synced = sync_registry(tmp_path / "releases", [NAME], again)
        assert synced.registered == (f"{NAME}/{two.version}",)
        assert aliases(again) == {"champion": one.version, "previous": two.version}


def test_the_command_makes_up_for_what_was_missed(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output stays one JSON document, whatever MLflow likes to print."""
    made = draft(1.9)
    monkeypatch.setenv("EBB_HOME", str(tmp_path / ".ebb"))
    command = ["releases", "--releases", str(tmp_path / "releases"), "--sync"]
    with nobody() as away:
        publish(made, tmp_path / "releases", registry_uri=away)
        refused = CliRunner().invoke(app, [*command, "--mlflow", away])
    assert refused.exit_code == 1
    assert "warning: the registry (MLflow) failed" in refused.output
    assert f"the registry has yet to be told of tiny/{made.version}, tiny" in refused.output
    done = CliRunner().invoke(app, [*command, "--json"], env={"EBB_MLFLOW_URI": server})
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["synced"] == {"registered": [f"tiny/{made.version}"], "away": "", "notes": []}
    assert told["pending"] == []
    assert aliases(server) == {"champion": made.version}


@pytest.fixture
def managed(tmp_path: Path) -> Iterator[str]:
    """A server whose clients write artifacts themselves, as to SageMaker's bucket."""
    with running_server(tmp_path / "managed", (tmp_path / "bucket").as_uri()) as uri:
        yield uri


def test_the_arn_of_a_managed_server_goes_through_its_plugin(managed: str, tmp_path: Path) -> None:
    """What is emulated: the plugin's own switch leads it to this server, which does not check the signature."""
    made = draft(0.9)
    with nobody() as away:
        publish(made, tmp_path / "releases", registry_uri=away)
    switches = {
        "SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT": managed,
        "EBB_MLFLOW_URI": "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/tests",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "EBB_HOME": str(tmp_path / ".ebb"),
    }
    command = [sys.executable, "-m", "local.entry", "releases", "--releases", str(tmp_path / "releases"), "--sync"]
    done = subprocess.run(
        command, env={**os.environ, **switches}, cwd=ROOT, capture_output=True, text=True, check=False, timeout=150
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"registered now: tiny/{made.version}" in done.stdout
    assert aliases(managed) == {"champion": made.version}
