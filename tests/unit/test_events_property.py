"""No feature sees the future, no outcome sees the past: whatever the events are."""

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.shop import FAR, SNAPSHOT, Event, by_hand, rows_of, write_events, write_shop
from training.events import build_table

_NOW = timedelta(0)
_WHO = st.sampled_from(["ann", "bob", "cy d'é", "dan", "eve", "fay", "guy", None])
_PAST = st.integers(-20 * 86_400, -1).map(lambda s: timedelta(seconds=s))
_FUTURE = st.one_of(
    st.integers(0, 20 * 86_400).map(lambda s: timedelta(seconds=s)), st.sampled_from([_NOW, timedelta(days=10)])
)
_BASE: Event = ("ann", timedelta(days=-5), 2, "york")


def _events(when: st.SearchStrategy[timedelta]) -> st.SearchStrategy[list[Event]]:
    """Draw no events, or many: entities do not touch each other, so that one build tries all of theirs at once."""
    event = st.tuples(_WHO, when, st.integers(-3, 3), st.sampled_from(["bath", "york"]))
    return st.lists(event, max_size=3) | st.lists(event, min_size=8, max_size=30)


@pytest.fixture(scope="module")
def contract() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield write_shop(Path(folder))


def _build(contract: Path, events: list[Event], *, labelled: bool = True) -> dict[str, tuple[Any, ...]]:
    data, out = contract.parent / "events.parquet", contract.parent / "out.parquet"
    write_events(data, events)
    build_table(contract, data, [SNAPSHOT], out, labelled=labelled)
    return rows_of(out)


def _features(rows: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    return {who: row[:-1] for who, row in rows.items()}


@settings(max_examples=10, deadline=None)
@given(past=_events(_PAST), future=_events(_FUTURE))
def test_the_table_is_what_it_is_by_hand(contract: Path, past: list[Event], future: list[Event]) -> None:
    events = [_BASE, *past, *future, FAR]
    assert _build(contract, events) == by_hand(events)


@settings(max_examples=10, deadline=None)
@given(past=_events(_PAST), future=_events(_FUTURE), other=_events(_FUTURE), shift=st.integers(0, 10_000_000))
def test_shifting_adding_or_deleting_the_future_moves_no_feature(
    contract: Path, past: list[Event], future: list[Event], other: list[Event], shift: int
) -> None:
    before = _features(_build(contract, [_BASE, *past, *future], labelled=False))
    shifted = [(who, when + timedelta(seconds=shift), amount, city) for who, when, amount, city in future]
    assert _features(_build(contract, [_BASE, *past, *shifted], labelled=False)) == before
    assert _features(_build(contract, [*other, _BASE, *past], labelled=False)) == before


@settings(max_examples=10, deadline=None)
@given(past=_events(_PAST), other=_events(_PAST), future=_events(_FUTURE), late=_events(_FUTURE))
def test_another_past_or_what_comes_after_the_window_moves_no_outcome(
    contract: Path, past: list[Event], other: list[Event], future: list[Event], late: list[Event]
) -> None:
    first = _build(contract, [_BASE, *past, *future, FAR])
    after = [(who, when + timedelta(days=10), amount, city) for who, when, amount, city in late]
    second = _build(contract, [_BASE, *other, *future, *after, FAR])
    both = first.keys() & second.keys()
    assert "ann" in both
    assert {who: first[who][-1] for who in both} == {who: second[who][-1] for who in both}


# Both look away from nothing: what keeps the future out here is the relation, not the SQL.
_CARELESS = """\
SELECT e.entity_id, s.snapshot_time, COUNT(*) AS visits, 1 AS days_since, MAX(e.city) AS city
FROM snapshots AS s CROSS JOIN events AS e GROUP BY e.entity_id, s.snapshot_time
"""


@settings(max_examples=8, deadline=None)
@given(past=_events(_PAST), future=_events(_FUTURE))
def test_even_careless_sql_cannot_see_the_future(past: list[Event], future: list[Event]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        contract = write_shop(Path(folder), visits=_CARELESS)
        rows = _build(contract, [_BASE, *past, *future], labelled=False)
    assert {who: row[0] for who, row in rows.items()} == {
        who: row[0] for who, row in by_hand([_BASE, *past, *future]).items()
    }
