"""Who is answered by which release: evenly, for ever the same, and quickly."""

import time
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from ebb.routing.assign import Assignment
from ebb.routing.change import Roles, promoted, with_roles
from ebb.routing.table import SLOTS, Challenger, Cheap, Shadow
from tests.fakes.routing import SET, first_table, owners, some_roles, version

ONE, TWO = version(1), version(2)
GOLDEN = [808, 104, 8645, 9209, 1557]
GOLDEN_OTHER = [2886, 210, 3490, 7913, 3633]


def test_the_hash_never_changes() -> None:
    """Another hash would assign every entity anew; these slots are those of the first release of Ebb."""
    assignment = Assignment(first_table(salt="0" * 32))
    assert [assignment.slot(e) for e in ("ID-000001", "ID-000002", "", "Zoë", "x" * 256)] == GOLDEN
    other = Assignment(first_table(salt="1" * 32))
    assert [other.slot(e) for e in ("ID-000001", "ID-000002", "", "Zoë", "x" * 256)] == GOLDEN_OTHER


@settings(deadline=None, max_examples=50)
@given(some_roles(), st.text(max_size=20).filter(str.isprintable))
def test_the_owner_of_the_slot_answers(roles: Roles, entity_id: str) -> None:
    table = with_roles(first_table(), roles, SET)
    assignment = Assignment(table)
    role, release = assignment.of(entity_id)
    assert release == owners(table)[assignment.slot(entity_id)]
    expected = {table.champion: "champion", **{c.release: "challenger" for c in roles.challengers}}
    if roles.cheap:
        expected[roles.cheap.release] = "cheap"
    assert role == expected[release], "a shadow answers nobody"


def test_entities_fall_evenly() -> None:
    assignment = Assignment(first_table())
    counts = [0] * 100
    for number in range(100_000):
        counts[assignment.slot(f"ID-{number:06d}") % 100] += 1
    assert chisquare(counts).pvalue > 1e-4
    coarse = [0] * 100
    for number in range(100_000):
        coarse[assignment.slot(f"{number}") * 100 // SLOTS] += 1
    assert chisquare(coarse).pvalue > 1e-4


def test_shares_of_entities_are_the_weights() -> None:
    roles = Roles((Challenger(ONE, 0.05), Challenger(TWO, 0.25)), Cheap(version(3), 0.1), Shadow(version(4)))
    assignment = Assignment(with_roles(first_table(), roles, SET))
    answered = [assignment.of(f"customer {number}") for number in range(40_000)]
    shares = [("champion", version(0)), ("challenger", ONE), ("challenger", TWO), ("cheap", version(3))]
    counts = [answered.count(each) for each in shares]
    assert sum(counts) == len(answered)
    assert chisquare(counts, [24_000, 2_000, 10_000, 4_000]).pvalue > 1e-4


def test_entities_stay_while_weights_rise_and_when_their_release_is_crowned() -> None:
    table, entities = first_table(), [f"ID-{number}" for number in range(5_000)]
    with_it: set[str] = set()
    for percent in (1, 10, 25, 50, 100):
        table = with_roles(table, Roles((Challenger(ONE, percent / 100),)), SET)
        assignment = Assignment(table)
        now = {entity for entity in entities if assignment.of(entity)[1] == ONE}
        assert with_it <= now
        with_it = now
    crowned = Assignment(promoted(table, ONE, SET))
    assert {crowned.of(entity) for entity in entities} == {("champion", ONE)}


def test_an_assignment_costs_about_as_much_as_its_hash() -> None:
    from hashlib import blake2b  # noqa: PLC0415 - the yardstick, nobody else's business here

    assignment = Assignment(with_roles(first_table(), Roles((Challenger(ONE, 0.5),)), SET))
    entities = [f"ID-{number:06d}" for number in range(20_000)]

    def seconds(of: Callable[[str], object]) -> float:
        best = 1.0
        for _ in range(5):
            start = time.process_time()
            for entity in entities:
                of(entity)
            best = min(best, time.process_time() - start)
        return best

    hashing = seconds(lambda entity: blake2b(entity.encode(), digest_size=8).digest())
    assert seconds(assignment.of) < 3 * hashing
