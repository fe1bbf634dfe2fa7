"""A chain tells what was done to it, with no secret and after every subject was erased."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.event_log.reading import RecordedLine, read_lines
from ebb.event_log.verify import EDIT, FORK, GAP, ORDER, REPEAT, Finding, by_environment, verify
from tests.fakes.event_sink import MemoryEvents
from tests.fakes.prediction_events import ENVIRONMENT, event_log, lines_of, made_event, record_each

OTHER = "fedcba9876543210"


def _chain(count: int = 6, environment: str = ENVIRONMENT) -> list[bytes]:
    sink = MemoryEvents()
    record_each(event_log(sink, environment), *[made_event()] * count)
    return sink.lines


LINES = _chain()


def _found(lines: Sequence[bytes]) -> list[Finding]:
    """Verify what a log says of the one environment, whatever else it holds."""
    read = [line for line in read_lines(b"\n".join(lines)) if isinstance(line, RecordedLine)]
    return verify(by_environment(read).get(ENVIRONMENT, []))


def _finding(kind: str, first: int, last: int) -> Finding:
    return Finding(kind, ENVIRONMENT, first, last)


@pytest.mark.parametrize("length", range(len(LINES) + 1))
def test_an_open_end_is_normal(length: int) -> None:
    assert _found(LINES[:length]) == []


@given(st.data())
def test_any_altered_byte_inside_is_found(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(LINES) - 2))
    line = LINES[number]
    at = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[at]))
    assert _found([*LINES[:number], line[:at] + bytes([other]) + line[at + 1 :], *LINES[number + 1 :]])


@given(st.sets(st.integers(0, len(LINES) - 2), min_size=1))
def test_what_was_taken_out_inside_is_a_gap(taken: set[int]) -> None:
    found = _found([line for number, line in enumerate(LINES) if number not in taken])
    assert {finding.kind for finding in found} == {GAP}
    assert {n for finding in found for n in range(finding.first, finding.last + 1)} == {number + 1 for number in taken}


@given(st.integers(0, len(LINES) - 1), st.integers(0, len(LINES)))
def test_a_copy_is_found_wherever_it_is_put(number: int, at: int) -> None:
    found = _found([*LINES[:at], LINES[number], *LINES[at:]])
    assert _finding(REPEAT, number + 1, number + 1) in found
    assert {finding.kind for finding in found} <= {REPEAT, ORDER}


@given(st.permutations(range(len(LINES))).filter(lambda order: order != sorted(order)))
def test_another_order_is_found_and_is_nothing_worse(order: list[int]) -> None:
    found = _found([LINES[number] for number in order])
    assert {finding.kind for finding in found} == {ORDER}


@given(st.integers(1, len(LINES) - 2))
def test_a_forged_event_in_another_s_place_is_found_on_its_far_side(number: int) -> None:
    """It names the right hash of the event before; the one behind it does not name its own."""
    forged = LINES[number].replace(b'"client":"acme"', b'"client":"evil"')
    found = _found([*LINES[:number], forged, *LINES[number + 1 :]])
    assert found == [_finding(EDIT, number + 1, number + 2)]


def test_two_events_of_one_number_are_a_fork() -> None:
    forged = LINES[2].replace(b'"client":"acme"', b'"client":"evil"')
    assert _found([*LINES[:3], forged, *LINES[3:]]) == [_finding(FORK, 3, 3)]


def test_an_environment_that_ran_twice_from_one_state_is_a_fork() -> None:
    """Such as one that was restored from a snapshot."""
    found = _found([*LINES[:3], *_chain()[:3]])
    assert [finding.kind for finding in found if finding.kind == FORK] == [FORK] * 3


def test_a_chain_of_which_the_beginning_is_gone_has_a_gap_there() -> None:
    assert _found(LINES[3:]) == [_finding(GAP, 1, 3)]


def test_a_first_event_that_names_another_before_it_is_found() -> None:
    found = _found([LINES[0].replace(b"0" * 64, sha256(b"").hexdigest().encode()), *LINES[1:]])
    assert _finding(EDIT, 1, 1) in found


def test_a_number_below_one_is_found() -> None:
    assert _finding(EDIT, 0, 0) in _found([LINES[0].replace(b'"seq":1', b'"seq":0'), *LINES])


def test_a_number_far_away_is_one_gap() -> None:
    far = LINES[0].replace(b'"seq":1', b'"seq":9007199254740993')
    assert _found([*LINES, far]) == [_finding(GAP, 7, 9007199254740992)]


def test_chains_are_told_apart_however_they_are_mixed() -> None:
    mixed = [line for pair in zip(LINES, _chain(environment=OTHER), strict=True) for line in pair]
    chains = by_environment(lines_of(b"\n".join(mixed)))
    assert set(chains) == {ENVIRONMENT, OTHER}
    assert not any(verify(chain) for chain in chains.values())


def test_an_event_moved_to_another_chain_is_missed_in_its_own() -> None:
    moved = LINES[2].replace(ENVIRONMENT.encode(), OTHER.encode())
    assert _found([*LINES[:2], moved, *LINES[3:]]) == [_finding(GAP, 3, 3)]


def test_nothing_at_all_is_no_chain() -> None:
    assert verify([]) == []
