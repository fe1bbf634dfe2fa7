"""What every store of routing tables promises: the same tests for the folder and S3."""

from typing import Protocol

import pytest

from ebb.errors import Conflict, RoutingError
from ebb.ports import RoutingStore
from ebb.routing.change import Roles, promoted, with_roles
from ebb.routing.table import Challenger
from tests.fakes.routing import SET, first_table, version


class Shelf(Protocol):
    """A store, and the raw things that it lies on."""

    store: RoutingStore

    def names(self) -> list[str]:
        """Return what lies in the place of the contract `tiny`, sorted."""

    def lay(self, name: str, content: bytes) -> None:
        """Lay something there by hand."""

    def rename(self, name: str, to: str) -> None:
        """Give what lies there another name."""


class RoutingContract:
    """Subclasses bring the fixture `shelf`: an empty one."""

    def test_versions_are_kept_and_the_newest_comes_first(self, shelf: Shelf) -> None:
        store = shelf.store
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
        assert shelf.names()[-1] == "000000000012.json"
        assert store.latest("other") is None

    def test_a_version_is_written_once(self, shelf: Shelf) -> None:
        store = shelf.store
        store.append("tiny", first_table())
        second = promoted(first_table(), version(1), SET)
        store.append("tiny", second)
        with pytest.raises(Conflict, match="version 2 of the routing table is there already"):
            store.append("tiny", with_roles(first_table(), Roles((Challenger(version(2), 0.5),)), SET))
        assert store.latest("tiny") == second
        with pytest.raises(Conflict):
            store.append("tiny", second)

    def test_nothing_is_left_beside_the_tables(self, shelf: Shelf) -> None:
        shelf.store.append("tiny", first_table())
        with pytest.raises(Conflict):
            shelf.store.append("tiny", first_table())
        assert shelf.names() == ["000000000001.json"]

    def test_what_lies_beside_the_tables_is_no_table(self, shelf: Shelf) -> None:
        shelf.store.append("tiny", first_table())
        for name in (".partial-0011", "000000000009.json~", "9.json", "README"):
            shelf.lay(name, b"{")
        assert shelf.store.latest("tiny") == first_table()

    def test_what_is_no_table_is_named(self, shelf: Shelf) -> None:
        shelf.store.append("tiny", first_table())
        shelf.lay("000000000002.json", b"{}")
        with pytest.raises(
            RoutingError, match=r"tiny/000000000002\.json is no routing table of Ebb's: .*lacks the key"
        ):
            shelf.store.latest("tiny")
        shelf.rename("000000000001.json", "000000000003.json")
        with pytest.raises(RoutingError, match=r"000000000003\.json holds version 1"):
            shelf.store.latest("tiny")

    def test_an_older_table_that_was_damaged_ends_the_history(self, shelf: Shelf) -> None:
        tables = [first_table()]
        for number in range(1, 4):
            tables.append(promoted(tables[-1], version(number), SET))
        for table in tables:
            shelf.store.append("tiny", table)
        shelf.lay("000000000002.json", b"{}")
        assert shelf.store.history("tiny", 9) == [tables[3], tables[2]]
        assert shelf.store.latest("tiny") == tables[3]

    @pytest.mark.parametrize("contract", ["", "..", "../tiny", "a/b", "Tiny", "x" * 64])
    def test_what_is_no_contract_leads_nowhere(self, shelf: Shelf, contract: str) -> None:
        with pytest.raises(RoutingError, match="not the name of a contract"):
            shelf.store.latest(contract)
        with pytest.raises(RoutingError, match="not the name of a contract"):
            shelf.store.append(contract, first_table())
