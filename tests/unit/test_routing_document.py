"""A routing table as JSON: what was written is read, and nothing else is."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.errors import RoutingError
from ebb.routing.change import Roles, promoted, with_roles
from ebb.routing.document import roles_from_document, table_from_bytes, table_from_document, table_to_bytes
from ebb.routing.table import Challenger, Cheap, RoutingTable, Shadow
from tests.fakes.routing import SET, first_table, some_roles, version

ONE, TWO, THREE = version(1), version(2), version(3)
ROLES = Roles((Challenger(ONE, 0.0003),), Cheap(TWO, 0.0002, 0.05), Shadow(THREE, 4.0))


def _table() -> RoutingTable:
    return with_roles(promoted(first_table(), version(9), SET), ROLES, SET)


def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(table_to_bytes(_table()))
    return document


@settings(deadline=None, max_examples=50)
@given(some_roles(), st.integers(13, 15))
def test_what_was_written_is_read(roles: Roles, number: int) -> None:
    for table in (first_table(), with_roles(promoted(first_table(), version(number), SET), roles, SET)):
        content = table_to_bytes(table)
        assert table_from_bytes(content) == table
        assert content.count(b"\n") == 1


def test_the_document_of_a_table() -> None:
    document = _document()
    assert (document["version"], document["champion"], document["previous"]) == (3, version(9), version(0))
    assert document["challengers"] == [{"release": ONE, "weight": 0.0003}]
    assert document["cheap"] == {"release": TWO, "weight": 0.0002, "margin": 0.05}
    assert document["shadow"] == {"release": THREE, "budget_ms": 4.0}
    assert document["change"] == {"at": 2.0, "client": "tests", "action": "set"}
    assert {release: len(ranges) for release, ranges in document["slots"].items()} == {ONE: 3, TWO: 2}


def _set(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        held: Any = document
        for key in parents:
            held = held[int(key)] if isinstance(held, list) else held[key]
        held[int(last) if isinstance(held, list) else last] = value

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_set("more", 1), "unknown key 'more'"),
        (_set("change.more", 1), "`change` has an unknown key 'more'"),
        (_set("cheap.more", 1), "`cheap` has an unknown key 'more'"),
        (_set("shadow.more", 1), "`shadow` has an unknown key 'more'"),
        (_set("challengers.0.more", 1), r"`challengers\[0\]` has an unknown key 'more'"),
        (_set("version", 0), "`version` of a routing table must be a whole number"),
        (_set("version", True), "`version` of a routing table must be a whole number"),
        (_set("version", 1.5), "`version` of a routing table must be a whole number"),
        (_set("salt", "sugar"), "`salt` must be 32 hex digits"),
        (_set("champion", None), "`champion` must be the version of a release"),
        (_set("champion", "../../etc/pw"), "`champion` must be the version of a release"),
        (_set("previous", "latest"), "`previous` must be the version of a release"),
        (_set("previous", version(9)), "`previous` is the champion itself"),
        (_set("challengers", {}), "`slots` names"),
        (_set("challengers", "all"), "`challengers` must be a list"),
        (_set("challengers", 5), "`challengers` must be a list"),
        (_set("challengers.0", 5), r"`challengers\[0\]` must be an object"),
        (_set("challengers.0.weight", "much"), r"`challengers\[0\].weight` must be a number"),
        (_set("challengers.0.weight", True), r"`challengers\[0\].weight` must be a number"),
        (_set("challengers.0.weight", float("nan")), r"`challengers\[0\].weight` must be a number"),
        (_set("challengers.0.weight", 0.4), "its weight is 4,000 of 10,000"),
        (_set("challengers.0.release", TWO), "stands in two roles"),
        (_set("cheap", []), "`cheap` must be an object"),
        (_set("cheap.margin", None), "`cheap.margin` must be a number"),
        (_set("shadow.release", version(9)), "a shadow must be another release"),
        (_set("slots", []), "`slots` must be an object"),
        (_set("slots.x", [[0, 1]]), "`slots.x` must be the version of a release"),
        (_set(f"slots.{version(8)}", [[0, 1]]), f"`slots` names {version(8)}, which has no weight"),
        (_set(f"slots.{ONE}", [[0, 3.0]]), "must be a list of ranges"),
        (_set(f"slots.{ONE}", [[3, 3]]), "must be a list of ranges"),
        (_set(f"slots.{ONE}", [[9_999, 10_002]]), "must be a list of ranges"),
        (_set(f"slots.{ONE}", [[-3, 0]]), "must be a list of ranges"),
        (_set(f"slots.{ONE}", [[False, True]]), "must be a list of ranges"),
        (_set(f"slots.{ONE}", [[0, 2], [1, 2]]), "names a slot that is taken already"),
        (_set("change", None), "`change` must be an object"),
        (_set("change.at", "today"), "`change.at` must be a number"),
        (_set("change.client", 5), "`change.client` must be a text"),
        (_set("change.action", "explode"), "`change.action` must be one of start, set, promote, rollback"),
        (_set("change.action", ["set"]), "`change.action` must be one of"),
    ],
)
def test_what_is_no_table_is_refused_by_its_key(change: Callable[[dict[str, Any]], None], says: str) -> None:
    document = _document()
    change(document)
    with pytest.raises(RoutingError, match=says):
        table_from_document(document)


@pytest.mark.parametrize("key", sorted(_document()))
def test_no_key_may_be_missing(key: str) -> None:
    document = _document()
    del document[key]
    with pytest.raises(RoutingError, match=f"lacks the key '{key}'"):
        table_from_document(document)


def test_two_owners_of_a_slot_are_refused() -> None:
    document = _document()
    document["slots"][TWO] = document["slots"][ONE][:2]
    with pytest.raises(RoutingError, match="taken already"):
        table_from_document(document)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"5", b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(content: bytes) -> None:
    with pytest.raises(RoutingError, match=r"is not JSON|must be an object"):
        table_from_bytes(content)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(_document())), _JSON)
def test_whatever_stands_under_a_key_it_is_a_table_or_refused(key: str, value: Any) -> None:
    document = copy.deepcopy(_document())
    document[key] = value
    try:
        table = table_from_document(document)
    except RoutingError as error:
        assert len(str(error)) < 500
    else:
        assert table_from_bytes(table_to_bytes(table)) == table


def test_roles_may_be_left_out_and_have_usual_figures() -> None:
    assert roles_from_document({}) == Roles()
    assert roles_from_document({"challengers": None, "cheap": None, "shadow": None}) == Roles()
    given_roles = roles_from_document({"cheap": {"release": ONE}, "shadow": {"release": TWO}})
    assert given_roles == Roles((), Cheap(ONE, 0.1, 0.0), Shadow(TWO, 5.0))
    with pytest.raises(RoutingError, match=r"`cheap` lacks the key 'release'"):
        roles_from_document({"cheap": {}})
