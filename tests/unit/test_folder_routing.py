"""Routing tables in a folder: written once, whole or not at all, and only read as what they are."""

import os
from pathlib import Path

import pytest

from ebb.errors import Conflict, RoutingError, Unavailable
from ebb.folder_routing import FolderRouting
from ebb.routing.change import Roles, promoted, with_roles
from ebb.routing.table import Challenger
from tests.fakes.routing import SET, first_table, version


@pytest.fixture
def store(tmp_path: Path) -> FolderRouting:
    return FolderRouting(tmp_path / "routing")


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "routing" / "tiny").iterdir())


def test_versions_are_kept_and_the_newest_comes_first(tmp_path: Path, store: FolderRouting) -> None:
    assert store.latest("tiny") is None
    assert store.history("tiny", 5) == []
    tables = [first_table()]
    for number in range(1, 12):
        tables.append(promoted(tables[-1], version(number), SET))
    for table in tables:
        store.append("tiny", table)
        assert store.latest("tiny") == table
    assert store.history("tiny", 3) == tables[:-4:-1]
    assert store.history("tiny", 99) == tables[::-1]
    assert _names(tmp_path)[-1] == "000000000012.json"
    assert store.latest("other") is None


def test_a_version_is_written_once(store: FolderRouting) -> None:
    store.append("tiny", first_table())
    second = promoted(first_table(), version(1), SET)
    store.append("tiny", second)
    with pytest.raises(Conflict, match="version 2 of the routing table is there already"):
        store.append("tiny", with_roles(first_table(), Roles((Challenger(version(2), 0.5),)), SET))
    assert store.latest("tiny") == second
    with pytest.raises(Conflict):
        store.append("tiny", second)


def test_nothing_is_left_beside_the_tables(tmp_path: Path, store: FolderRouting) -> None:
    store.append("tiny", first_table())
    with pytest.raises(Conflict):
        store.append("tiny", first_table())
    assert _names(tmp_path) == ["000000000001.json"]


def test_what_lies_beside_the_tables_is_no_table(tmp_path: Path, store: FolderRouting) -> None:
    store.append("tiny", first_table())
    for name in (".partial-0011", "000000000009.json~", "9.json", "README"):
        (tmp_path / "routing" / "tiny" / name).write_bytes(b"{")
    assert store.latest("tiny") == first_table()


def test_a_file_that_is_no_table_is_named(tmp_path: Path, store: FolderRouting) -> None:
    store.append("tiny", first_table())
    (tmp_path / "routing" / "tiny" / "000000000002.json").write_bytes(b"{}")
    with pytest.raises(RoutingError, match=r"000000000002\.json is no routing table of Ebb's: .*lacks the key"):
        store.latest("tiny")
    (tmp_path / "routing" / "tiny" / "000000000001.json").rename(tmp_path / "routing" / "tiny" / "000000000003.json")
    with pytest.raises(RoutingError, match=r"000000000003\.json holds version 1"):
        store.latest("tiny")


@pytest.mark.parametrize("contract", ["", "..", "../tiny", "a/b", "Tiny", "x" * 64])
def test_what_is_no_contract_becomes_no_path(tmp_path: Path, store: FolderRouting, contract: str) -> None:
    with pytest.raises(RoutingError, match="not the name of a contract"):
        store.latest(contract)
    with pytest.raises(RoutingError, match="not the name of a contract"):
        store.append(contract, first_table())
    assert not (tmp_path / "routing").exists()


def test_a_folder_that_cannot_be_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "routing").write_bytes(b"")
    store = FolderRouting(tmp_path / "routing")
    with pytest.raises(Unavailable, match="could not be kept"):
        store.append("tiny", first_table())
    with pytest.raises(Unavailable, match="cannot be read"):
        store.latest("tiny")


def test_a_full_disk_keeps_nothing(tmp_path: Path, store: FolderRouting, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    store.append("tiny", first_table())
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        store.append("tiny", promoted(first_table(), version(1), SET))
    monkeypatch.undo()
    assert _names(tmp_path) == ["000000000001.json"]
