"""From table to table: exact shares, nobody in two places, and no entity moved without need."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.errors import RoutingError
from ebb.routing.change import MOST_CHALLENGERS, Roles, promoted, rolled_back, started, with_roles
from ebb.routing.slots import expanded, moved, ranges_of, slots_of
from ebb.routing.table import SLOTS, Challenger, Change, Cheap, Shadow
from tests.fakes.routing import CHAMPION_VERSION, SALT, SET, first_table, owners, slots_wanted, some_roles, version

ONE, TWO, THREE = version(1), version(2), version(3)


def _changed(before: list[str], after: list[str]) -> int:
    return sum(old != new for old, new in zip(before, after, strict=True))


@settings(deadline=None, max_examples=50)
@given(some_roles())
def test_everybody_owns_exactly_the_share(roles: Roles) -> None:
    table = with_roles(first_table(), roles, SET)
    owned = owners(table)
    assert {r: owned.count(r) for r in slots_wanted(roles)} == slots_wanted(roles)
    assert (table.challengers, table.cheap, table.shadow) == (roles.challengers, roles.cheap, roles.shadow)
    assert (table.version, table.champion, table.salt, table.change) == (2, CHAMPION_VERSION, SALT, SET)


@settings(deadline=None, max_examples=50)
@given(st.lists(some_roles(), min_size=2, max_size=4))
def test_no_slot_changes_hands_without_need(walk: list[Roles]) -> None:
    table = first_table()
    for before, after in pairwise([Roles(), *walk]):
        following = with_roles(table, after, SET)
        had, has = slots_wanted(before), slots_wanted(after)
        grown = sum(max(0, count - had.get(release, 0)) for release, count in has.items())
        assert _changed(owners(table), owners(following)) == grown
        table = following


@settings(deadline=None, max_examples=50)
@given(st.integers(0, SLOTS), st.integers(0, SLOTS))
def test_one_weight_moves_exactly_its_difference(before: int, after: int) -> None:
    tables = [with_roles(first_table(), Roles((Challenger(ONE, count / SLOTS),)), SET) for count in (before, after)]
    stepped = with_roles(tables[0], Roles((Challenger(ONE, after / SLOTS),)), SET)
    assert _changed(owners(tables[0]), owners(stepped)) == abs(after - before)
    assert stepped.slots == tables[1].slots, "which slots these are depends on no history where nobody else stands"


@settings(deadline=None, max_examples=50)
@given(st.text("0123456789abcdef", min_size=32, max_size=32))
def test_whoever_is_with_the_challenger_stays_over_the_whole_walk(salt: str) -> None:
    table = with_roles(first_table(salt=salt), Roles((Challenger(TWO, 0.2),), Cheap(THREE)), SET)
    others: set[int] = set()
    for percent in (1, 10, 25, 50, 70):
        challengers = (Challenger(TWO, 0.2), Challenger(ONE, percent / 100))
        table = with_roles(table, Roles(challengers, Cheap(THREE)), SET)
        own = set(expanded(table.slots[ONE]))
        assert others <= own
        assert len(own) == percent * 100
        others = own


@pytest.mark.parametrize("steps", [(1, 10, 25, 50, 100)])
def test_a_walk_to_everybody_and_the_promotion_after_it_move_nobody_back(steps: tuple[int, ...]) -> None:
    table, own = first_table(), set[int]()
    for percent in steps:
        table = with_roles(table, Roles((Challenger(ONE, percent / 100),)), SET)
        assert own <= set(expanded(table.slots[ONE]))
        own = set(expanded(table.slots[ONE]))
    crowned = promoted(table, ONE, SET)
    assert _changed(owners(table), owners(crowned)) == 0


@settings(deadline=None, max_examples=50)
@given(some_roles(), st.integers(1, 12))
def test_a_promotion_moves_only_the_champions_entities(roles: Roles, number: int) -> None:
    table = with_roles(first_table(), roles, SET)
    crowned = promoted(table, version(number), replace(SET, action="promote"))
    assert (crowned.champion, crowned.previous) == (version(number), CHAMPION_VERSION)
    beside = {*(c.release for c in crowned.challengers), *(r.release for r in (crowned.cheap, crowned.shadow) if r)}
    assert version(number) not in beside
    for old, new in zip(owners(table), owners(crowned), strict=True):
        assert new == (version(number) if old == CHAMPION_VERSION else old)
    back = rolled_back(crowned, SET)
    assert (back.champion, back.previous, back.version) == (CHAMPION_VERSION, version(number), 4)
    assert back.slots == crowned.slots


def test_a_slot_that_was_given_back_is_taken_first() -> None:
    table = with_roles(first_table(), Roles((Challenger(ONE, 0.3),)), SET)
    swapped = with_roles(table, Roles((Challenger(TWO, 0.3),)), SET)
    assert swapped.slots[TWO] == table.slots[ONE]


def test_a_previous_champion_may_be_tried_again_and_crowned_again() -> None:
    table = promoted(first_table(), ONE, SET)
    tried = with_roles(table, Roles((Challenger(CHAMPION_VERSION, 0.1),)), SET)
    back = rolled_back(tried, SET)
    assert (back.champion, back.previous, back.challengers, back.slots) == (CHAMPION_VERSION, ONE, (), {})


@pytest.mark.parametrize(
    ("roles", "says"),
    [
        (Roles((Challenger(ONE, 0.6), Challenger(TWO, 0.5))), "the weights add up to 1.1, but at most to 1"),
        (Roles((Challenger(ONE, 1.0),), Cheap(TWO)), "the weights add up to 1.1"),
        (Roles((Challenger(ONE, 0.00005),)), "at most four decimals"),
        (Roles((Challenger(ONE, -0.1),)), "a share from 0 to 1"),
        (Roles((Challenger(ONE, 1.1),)), "a share from 0 to 1"),
        (Roles((Challenger(ONE, float("nan")),)), "a share from 0 to 1"),
        (Roles((Challenger(ONE, 0.1), Challenger(ONE, 0.1))), f"{ONE} stands in two roles at once"),
        (Roles((Challenger(ONE, 0.1),), Cheap(ONE)), f"{ONE} stands in two roles at once"),
        (Roles((Challenger(CHAMPION_VERSION, 0.1),)), f"{CHAMPION_VERSION} stands in two roles at once"),
        (Roles((), None, Shadow(CHAMPION_VERSION)), "a shadow must be another release"),
        (Roles((), None, Shadow(ONE, 0.0)), "the shadow's budget must be above 0"),
        (Roles((), None, Shadow(ONE, 2_000.0)), "the shadow's budget must be above 0"),
        (Roles((), Cheap(ONE, 0.1, 1.0)), "the margin of the cheap release must be from 0 to below 1"),
        (Roles((), Cheap(ONE, 0.1, float("nan"))), "the margin of the cheap release"),
        (Roles((Challenger("../x", 0.1),)), "no version of a release"),
        (Roles((), None, Shadow("latest")), "no version of a release"),
        (Roles(tuple(Challenger(version(n), 0.01) for n in range(1, MOST_CHALLENGERS + 2))), "too many"),
    ],
)
def test_roles_that_cannot_be_are_refused(roles: Roles, says: str) -> None:
    with pytest.raises(RoutingError, match=says):
        with_roles(first_table(), roles, SET)


def test_at_least_eight_are_tried_at_once() -> None:
    challengers = tuple(Challenger(version(n), 0.05) for n in range(1, MOST_CHALLENGERS + 1))
    table = with_roles(first_table(), Roles(challengers), SET)
    assert len(table.releases) == MOST_CHALLENGERS + 1
    assert owners(table).count(CHAMPION_VERSION) == 0


@pytest.mark.parametrize("name", ["", "champion", "0123456789AB", "0123456789abc", "../../../etc"])
def test_what_is_no_version_is_no_champion(name: str) -> None:
    with pytest.raises(RoutingError, match="no version of a release"):
        started(name, SALT, SET)
    with pytest.raises(RoutingError, match="no version of a release"):
        promoted(first_table(), name, SET)


def test_what_changes_nothing_is_refused() -> None:
    with pytest.raises(RoutingError, match="is the champion already"):
        promoted(first_table(), CHAMPION_VERSION, SET)
    with pytest.raises(RoutingError, match="no previous champion to go back to"):
        rolled_back(first_table(), SET)


@given(st.sets(st.integers(0, SLOTS - 1), max_size=200))
def test_ranges_are_the_slots(slots: set[int]) -> None:
    ranges = ranges_of(slots)
    assert set(expanded(ranges)) == slots
    assert all(end < first for (_, end), (first, _) in pairwise(ranges)), "neighbours are one range"


@given(st.integers(0, SLOTS))
def test_a_weight_as_people_write_it_is_whole_slots(count: int) -> None:
    assert slots_of(float(f"{count / SLOTS:.4f}")) == count


def test_different_releases_take_different_slots() -> None:
    taken = [set(expanded(moved({}, SALT, {release: 1_000})[release])) for release in (ONE, TWO)]
    assert 60 < len(taken[0] & taken[1]) < 140, "a tenth of a tenth, as independent orders share"
    shifted = set(expanded(moved({}, SALT[::-1], {ONE: 1_000})[ONE]))
    assert 60 < len(taken[0] & shifted) < 140


def test_change_is_kept() -> None:
    change = Change(5.0, "someone", "rollback")
    assert rolled_back(promoted(first_table(), ONE, SET), change).change == change
