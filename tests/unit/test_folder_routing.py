"""Routing tables in a folder: written once, whole or not at all, and only read as what they are."""

import os
from pathlib import Path

import pytest

from ebb.errors import RoutingError, Unavailable
from ebb.folder_routing import FolderRouting
from ebb.routing.change import promoted
from tests.fakes.routing import SET, first_table, version
from tests.routing_contract import RoutingContract


class FolderShelf:
    """Tables in a folder."""

    def __init__(self, root: Path) -> None:
        self.store, self._folder = FolderRouting(root), root / "tiny"

    def names(self) -> list[str]:
        return sorted(path.name for path in self._folder.iterdir())

    def lay(self, name: str, content: bytes) -> None:
        (self._folder / name).write_bytes(content)

    def rename(self, name: str, to: str) -> None:
        (self._folder / name).rename(self._folder / to)


class TestFolder(RoutingContract):
    @pytest.fixture
    def shelf(self, tmp_path: Path) -> FolderShelf:
        return FolderShelf(tmp_path / "routing")


def test_what_is_no_contract_becomes_no_path(tmp_path: Path) -> None:
    with pytest.raises(RoutingError, match="not the name of a contract"):
        FolderRouting(tmp_path / "routing").append("../tiny", first_table())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "routing").write_bytes(b"")
    store = FolderRouting(tmp_path / "routing")
    with pytest.raises(Unavailable, match="could not be kept"):
        store.append("tiny", first_table())
    with pytest.raises(Unavailable, match="cannot be read"):
        store.latest("tiny")


def test_a_full_disk_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    shelf = FolderShelf(tmp_path / "routing")
    store = shelf.store
    store.append("tiny", first_table())
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        store.append("tiny", promoted(first_table(), version(1), SET))
    monkeypatch.undo()
    assert shelf.names() == ["000000000001.json"]
