"""The cheap release is named beside the champion: one file, moved at once, and never instead of the champion."""

from pathlib import Path

import pytest

from ebb.errors import NoRelease, ReleaseError
from ebb.folder import FolderReleases
from ebb.ports import ReleaseStore
from tests.fakes.releases import tiny_release, version_in
from tests.fakes.routing import MemoryReleases


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ReleaseStore:
    return FolderReleases(tmp_path) if request.param == "folder" else MemoryReleases()


def _written(store: ReleaseStore, bias: float) -> str:
    files = tiny_release(bias)
    store.write("tiny", version_in(files), files)
    return version_in(files)


def test_nobody_is_named_at_first(store: ReleaseStore) -> None:
    assert store.cheap("tiny") is None
    _written(store, 0.0)
    assert (store.champion("tiny"), store.cheap("tiny")) == (None, None)


def test_champion_and_cheap_are_named_apart(store: ReleaseStore) -> None:
    best, quick, other = (_written(store, bias) for bias in (0.0, 1.0, 2.0))
    store.set_champion("tiny", best)
    store.set_cheap("tiny", quick)
    assert (store.champion("tiny"), store.cheap("tiny")) == (best, quick)
    store.set_cheap("tiny", other)
    assert (store.champion("tiny"), store.cheap("tiny")) == (best, other)
    store.set_champion("tiny", quick)
    assert (store.champion("tiny"), store.cheap("tiny")) == (quick, other)
    assert store.versions("tiny") == sorted([best, quick, other])


def test_the_name_appears_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    store = FolderReleases(tmp_path)
    quick = _written(store, 1.0)
    store.set_cheap("tiny", quick)
    assert (tmp_path / "tiny" / "cheap").read_text() == f"{quick}\n"
    assert sorted(path.name for path in (tmp_path / "tiny").iterdir()) == sorted([quick, "cheap"])


def test_what_is_not_there_cannot_be_named(tmp_path: Path) -> None:
    store = FolderReleases(tmp_path)
    quick = _written(store, 1.0)
    store.set_cheap("tiny", quick)
    for version in ("0" * 12, "", "cheap", "../tiny"):
        with pytest.raises(NoRelease, match="there is no release tiny/"):
            store.set_cheap("tiny", version)
    assert store.cheap("tiny") == quick


@pytest.mark.parametrize("text", ["latest", "0" * 11, "../../etc", "0123456789AB"])
def test_a_file_that_names_no_version_is_refused_by_its_path(tmp_path: Path, text: str) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "cheap").write_text(text)
    with pytest.raises(ReleaseError, match=r"tiny/cheap does not name a version"):
        FolderReleases(tmp_path).cheap("tiny")


def test_an_empty_file_names_nobody(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "cheap").write_text("\n")
    assert FolderReleases(tmp_path).cheap("tiny") is None


def test_what_cannot_be_read_or_written_says_which_release(tmp_path: Path) -> None:
    store = FolderReleases(tmp_path)
    quick = _written(store, 1.0)
    (tmp_path / "tiny" / "cheap").mkdir()
    with pytest.raises(ReleaseError, match="the cheap release of tiny cannot be read"):
        store.cheap("tiny")
    with pytest.raises(ReleaseError, match="the cheap release of tiny could not be named"):
        store.set_cheap("tiny", quick)
    assert sorted(path.name for path in (tmp_path / "tiny").iterdir()) == sorted([quick, "cheap"])
