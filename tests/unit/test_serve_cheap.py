"""`ebb up` and the cheap release that a training made: ready at the first start, renewed later, never forced."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.folder import FolderReleases
from ebb.folder_routing import FolderRouting
from ebb.release import manifest as m
from ebb.routing.change import Roles, check_roles, started, with_roles
from ebb.routing.document import table_from_bytes, table_to_bytes
from ebb.routing.slots import expanded
from ebb.routing.table import Challenger, Change, Cheap, RoutingTable, Shadow
from local.serving.cheap import with_cheap
from local.serving.release import find_release
from local.serving.routing import put_in_force
from local.serving.tables import routing_folder
from tests.fakes.contracts import TEXT
from tests.fakes.releases import tiny_release

_START, _SET = Change(1.0, "me", "start"), Change(2.0, "me", "set")
_CHAMPION, _CHEAP, _OTHER, _NEW = (digit * 12 for digit in "abcd")


def _write(root: Path, bias: float, role: str = "", text: str = TEXT) -> str:
    files = tiny_release(bias, text)
    store, version = FolderReleases(root), m.version_of(files)
    store.write("tiny", version, files)
    if role:
        {"champion": store.set_champion, "cheap": store.set_cheap}[role]("tiny", version)
    return version


def _up(folder: Path) -> RoutingTable:
    table = put_in_force(find_release(folder / "r"), folder)
    assert table is not None
    return table


def _append(folder: Path, table: RoutingTable) -> None:
    FolderRouting(routing_folder(folder)).append("tiny", table)


def test_at_the_first_start_it_stands_ready_and_answers_nobody(tmp_path: Path) -> None:
    champion, quick = _write(tmp_path / "r", 0.0, "champion"), _write(tmp_path / "r", 1.0, "cheap")
    table = _up(tmp_path)
    assert (table.version, table.champion, table.cheap, table.slots) == (1, champion, Cheap(quick, 0.0), {})
    assert _up(tmp_path) == table, "the same again needs no new version"
    assert FolderRouting(routing_folder(tmp_path)).latest("tiny") == table


def test_the_cheap_release_of_the_next_training_takes_over_share_and_margin(tmp_path: Path) -> None:
    _write(tmp_path / "r", 0.0, "champion")
    quick = _write(tmp_path / "r", 1.0, "cheap")
    walked = with_roles(_up(tmp_path), Roles(cheap=Cheap(quick, 0.3, 0.1)), _SET)
    _append(tmp_path, walked)
    best, newer = _write(tmp_path / "r", 2.0, "champion"), _write(tmp_path / "r", 3.0, "cheap")
    after = _up(tmp_path)
    assert (after.champion, after.cheap) == (best, Cheap(newer, 0.3, 0.1))
    assert after.slots == {newer: walked.slots[quick]}, "the same entities are answered cheaply"
    assert after.version == walked.version + 1


def test_who_took_it_out_keeps_it_out(tmp_path: Path) -> None:
    _write(tmp_path / "r", 0.0, "champion")
    _write(tmp_path / "r", 1.0, "cheap")
    alone = with_roles(_up(tmp_path), Roles(), _SET)
    _append(tmp_path, alone)
    assert _up(tmp_path) == alone
    _write(tmp_path / "r", 2.0, "champion")
    assert _up(tmp_path).cheap is None


@pytest.mark.parametrize("fault", ["damaged", "gone", "no version", "another contract"])
def test_one_that_cannot_serve_keeps_nobody_from_coming_up(tmp_path: Path, fault: str) -> None:
    champion = _write(tmp_path / "r", 0.0, "champion")
    text = TEXT.replace('unit = "months"', 'unit = "days"') if fault == "another contract" else TEXT
    quick = _write(tmp_path / "r", 1.0, "cheap", text)
    folder = tmp_path / "r" / "tiny"
    if fault == "damaged":
        (folder / quick / "card.html").write_bytes(b"changed")
    elif fault == "gone":
        (folder / quick).rename(tmp_path / "elsewhere")
    elif fault == "no version":
        (folder / "cheap").write_text("the best one")
    table = _up(tmp_path)
    assert (table.champion, table.cheap) == (champion, None)


def test_a_broken_one_costs_the_others_nothing(tmp_path: Path) -> None:
    _write(tmp_path / "r", 0.0, "champion")
    quick, tried = _write(tmp_path / "r", 1.0, "cheap"), _write(tmp_path / "r", 2.0)
    roles = Roles((Challenger(tried, 0.05),), Cheap(quick, 0.3, 0.1), Shadow(tried))
    walked = with_roles(_up(tmp_path), roles, _SET)
    _append(tmp_path, walked)
    newer = _write(tmp_path / "r", 3.0, "cheap")
    (tmp_path / "r" / "tiny" / newer / "card.html").write_bytes(b"changed")
    assert _up(tmp_path) == walked


def test_a_champion_is_not_cheap_too(tmp_path: Path) -> None:
    champion = _write(tmp_path / "r", 0.0, "champion")
    FolderReleases(tmp_path / "r").set_cheap("tiny", champion)
    assert _up(tmp_path).cheap is None


@given(
    weight=st.integers(0, 9_000).map(lambda slots: slots / 10_000),
    margin=st.floats(0, 0.99),
    challenger=st.integers(0, 1_000).map(lambda slots: slots / 10_000),
    named=st.sampled_from([None, _CHAMPION, _CHEAP, _OTHER, _NEW]),
    first=st.booleans(),
    cheap=st.booleans(),
)
def test_what_comes_out_is_always_a_table_and_nobody_else_moves(
    weight: float, margin: float, challenger: float, named: str | None, first: bool, cheap: bool
) -> None:
    roles = Roles((Challenger(_OTHER, challenger),), Cheap(_CHEAP, weight, margin) if cheap else None)
    table = with_roles(started(_CHAMPION, "0" * 32, _START), roles, _SET)
    made = with_cheap(table, named, first=first)
    check_roles(made.champion, Roles(made.challengers, made.cheap, made.shadow))
    assert table_from_bytes(table_to_bytes(made)) == made
    assert (made.champion, made.challengers) == (table.champion, table.challengers)
    assert made.slots.get(_OTHER) == table.slots.get(_OTHER)
    assert sorted(s for r in made.slots.values() for s in expanded(r)) == sorted(
        s for r in table.slots.values() for s in expanded(r)
    )
    if named not in {_CHEAP, _NEW}:
        assert made == table
    if made.cheap is not None and table.cheap is not None:
        assert replace(made.cheap, release="") == replace(table.cheap, release="")
