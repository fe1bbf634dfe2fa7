"""A draft on its way into store and registry, when one of them fails half-way."""

from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from ebb.errors import ReleaseError, Unavailable
from ebb.folder import FolderReleases
from tests.fakes.contracts import tiny_contract
from tests.fakes.releases import tiny_metrics, tiny_release
from training.draft import Draft
from training.publish import publish
from training.registry.registry import Registry

TINY_NAME = tiny_contract().name


def draft(bias: float = 0.0) -> Draft:
    files = {name: content for name, content in tiny_release(bias).items() if name != "manifest.json"}
    return Draft(TINY_NAME, "a" * 64, files, {"leaves": 8}, tiny_metrics())


def client(releases: Path) -> MlflowClient:
    address = f"sqlite:///{releases / 'mlflow.db'}"
    return MlflowClient(tracking_uri=address, registry_uri=address)


def statuses(releases: Path) -> list[str]:
    known = client(releases)
    experiment = known.get_experiment_by_name(TINY_NAME)
    return [run.info.status for run in known.search_runs([experiment.experiment_id])]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all tests of this module: making a registry takes seconds. Each test uses its own biases."""
    return tmp_path_factory.mktemp("publish") / "releases"


def test_a_draft_is_written_registered_and_crowned(releases: Path) -> None:
    made = draft(0.1)
    published = publish(made, releases)
    assert published.notes == ()
    assert FolderReleases(releases).champion(TINY_NAME) == made.version
    version = client(releases).get_model_version_by_alias(TINY_NAME, "champion")
    assert str(version.version) == published.model_version
    assert version.tags["ebb.release"] == made.version
    run = client(releases).get_run(published.run_id)
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"auc": 0.8, "profit": 1.5, "rows": 4.0, "parity": 1e-7})


def test_a_failed_write_marks_the_run_and_keeps_the_champion(releases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(draft(0.2), releases)
    champion = FolderReleases(releases).champion(TINY_NAME)
    runs = len(statuses(releases))

    def full(*_: Any) -> None:
        raise ReleaseError("the disk is full")

    monkeypatch.setattr(FolderReleases, "write", full)
    with pytest.raises(ReleaseError, match="the disk is full"):
        publish(draft(0.3), releases)
    assert FolderReleases(releases).champion(TINY_NAME) == champion
    assert len(statuses(releases)) == runs + 1
    assert statuses(releases)[0] == "FAILED"


def test_an_alias_that_does_not_follow_is_told(releases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = draft(0.4)

    def away(*_: Any) -> None:
        raise Unavailable("the registry (MLflow) failed: gone")

    with monkeypatch.context() as patched:
        patched.setattr(Registry, "align", away)
        published = publish(made, releases)
    assert FolderReleases(releases).champion(TINY_NAME) == made.version
    (note,) = published.notes
    assert note.startswith("the registry's aliases did not follow: the registry (MLflow) failed: gone")
    publish(made, releases)
    version = client(releases).get_model_version_by_alias(TINY_NAME, "champion")
    assert version.tags["ebb.release"] == made.version


def test_a_registration_that_fails_keeps_the_release(releases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = draft(0.5)

    def away(*_: Any) -> str:
        raise Unavailable("the registry (MLflow) failed: gone")

    with monkeypatch.context() as patched:
        patched.setattr(Registry, "register", away)
        published = publish(made, releases)
    assert published.model_version == ""
    assert published.notes[0].startswith("the release is kept, but not registered: the registry (MLflow) failed: gone")
    assert FolderReleases(releases).champion(TINY_NAME) == made.version
    assert statuses(releases)[0] == "FAILED"


def test_the_way_back_to_an_older_release(releases: Path) -> None:
    first, second = draft(0.6), draft(0.7)
    one, two = publish(first, releases), publish(second, releases)
    back = publish(first, releases)
    assert back.model_version == one.model_version
    aliases = client(releases).get_registered_model(TINY_NAME).aliases
    assert {name: str(number) for name, number in aliases.items()} == {
        "champion": one.model_version,
        "previous": two.model_version,
    }
    assert FolderReleases(releases).champion(TINY_NAME) == first.version
