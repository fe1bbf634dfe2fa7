"""The cheap release in a real registry: its own version and alias, and the champion's stays where it is."""

from pathlib import Path
from typing import Any

import pytest

from ebb.errors import Unavailable
from ebb.folder import FolderReleases
from tests.integration.test_train_publish import TINY_NAME, client, draft, statuses
from training.publish import publish, publish_cheap
from training.registry.registry import Registry


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all tests of this module: making a registry takes seconds. Each test uses its own biases."""
    return tmp_path_factory.mktemp("cheap") / "releases"


def _alias(releases: Path, name: str) -> str:
    return str(client(releases).get_model_version_by_alias(TINY_NAME, name).tags["ebb.release"])


def test_store_and_registry_name_it_beside_the_champion(releases: Path) -> None:
    best, quick = draft(0.1), draft(0.2)
    publish(best, releases)
    told = publish_cheap(quick, releases)
    store = FolderReleases(releases)
    assert (told.notes, told.role) == ((), "cheap")
    assert (store.champion(TINY_NAME), store.cheap(TINY_NAME)) == (best.version, quick.version)
    assert (_alias(releases, "champion"), _alias(releases, "cheap")) == (best.version, quick.version)
    assert statuses(releases) == ["FINISHED", "FINISHED"]
    newer = draft(0.3)
    publish_cheap(newer, releases)
    assert (_alias(releases, "champion"), _alias(releases, "cheap")) == (best.version, newer.version)


def test_a_registry_that_is_away_costs_a_note_and_no_release(releases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise Unavailable("the registry (MLflow) failed: gone")

    quick = draft(0.4)
    with monkeypatch.context() as patched:
        patched.setattr(Registry, "register", away)
        told = publish_cheap(quick, releases)
    assert FolderReleases(releases).cheap(TINY_NAME) == quick.version
    assert told.run_id == told.model_version == ""
    assert any("the release is kept, but not registered" in note for note in told.notes)
    publish_cheap(draft(0.5), releases)
    publish(draft(0.6), releases)  # makes up for what was missed
    versions = client(releases).search_model_versions(f"name='{TINY_NAME}'")
    assert quick.version in {version.tags["ebb.release"] for version in versions}
