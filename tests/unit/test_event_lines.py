"""Answers of one call share lines: what they have in common stands once, and each is sealed and erased by itself."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import DataError
from ebb.event_log.lines import MOST_BYTES, MOST_EVENTS
from ebb.event_log.opening import unseal
from ebb.event_log.reading import RecordedLine, Torn, read_lines
from ebb.event_log.verify import EDIT, verify
from ebb.events.event import PredictionEvent
from tests.fakes.event_layouts import layout_of, placed_event
from tests.fakes.event_sink import MemoryEvents
from tests.fakes.prediction_events import (
    ENVIRONMENT,
    SALT,
    SECRET,
    any_event,
    event_log,
    events_of,
    lines_of,
    made_event,
    same,
)

CLOUDWATCH = 256 * 1024
"""Bytes of a line that Lambda and CloudWatch have always kept whole."""


def _recorded(events: Sequence[PredictionEvent]) -> MemoryEvents:
    sink = MemoryEvents()
    event_log(sink).record(events)
    return sink


def _call(count: int) -> list[PredictionEvent]:
    """Return the answers of one call, each of another subject."""
    salts = [sha256(b"%d" % number).hexdigest()[:32] for number in range(count)]
    return [
        placed_event(id=f"{number:024x}", entity_id=f"c-{number:07d}", salt=salt, probability=number / count)
        for number, salt in enumerate(salts)
    ]


def test_a_call_of_a_thousand_says_once_what_is_common() -> None:
    events = _call(1_000)
    sink = _recorded(events)
    assert len(sink.lines) == -(-1_000 // MOST_EVENTS)
    assert max(map(len, sink.lines)) < CLOUDWATCH / 2
    assert sum(map(len, sink.lines)) < 250 * len(events)
    read = events_of(sink.log)
    assert verify(lines_of(sink.log)) == []
    assert [event.name for event in read[:2]] == [f"{ENVIRONMENT}/1#1", f"{ENVIRONMENT}/1#2"]
    for one, event in zip(read, events, strict=True):
        assert same(unseal(one, SECRET, event.salt, layout_of), event)


@given(st.lists(any_event, min_size=2, max_size=8), st.data())
def test_any_events_of_one_call_are_read_back_whatever_they_share(
    events: list[PredictionEvent], data: st.DataObject
) -> None:
    mixed = data.draw(st.permutations([*events, *events]))
    read = events_of(_recorded(mixed).log)
    assert len(read) == len(mixed)
    salts = {event.id: event.salt for event in mixed}
    left = [unseal(one, SECRET, salts[one.open["id"]]) for one in read]
    for event in mixed:
        left.pop(next(at for at, one in enumerate(left) if same(one, event)))
    assert left == []


def test_each_kind_has_its_lines_however_they_are_mixed() -> None:
    kinds: list[dict[str, Any]] = [
        {},
        {"variant": "cheap"},
        {"salt": ""},
        {"degraded": ["one"]},
        {"degraded": ["one", "two"]},
    ]
    sink = _recorded([made_event(id=f"{row:024x}", **kinds[row % 5]) for row in range(20)])
    lines = lines_of(sink.log)
    assert [len(line.events) for line in lines] == [4] * 5
    told = [(e.open["variant"], e.by, e.open["problems"], e.open["degraded"]) for e in (x.events[0] for x in lines)]
    assert told == [
        ("champion", "subject", 0, False),
        ("cheap", "subject", 0, False),
        ("champion", "none", 0, False),
        ("champion", "subject", 1, True),
        ("champion", "subject", 2, True),
    ]
    assert [event.open["id"] for event in lines[0].events] == [f"{row:024x}" for row in (0, 5, 10, 15)]


def test_one_subject_s_salt_opens_its_own_event_and_no_other_of_the_line() -> None:
    """So that each can be erased by itself."""
    events = _call(5)
    read = events_of(_recorded(events).log)
    for row, one in enumerate(read):
        for other, event in enumerate(events):
            if row == other:
                assert unseal(one, SECRET, event.salt, layout_of).entity_id == event.entity_id
            else:
                with pytest.raises(DataError, match="does not open with this salt"):
                    unseal(one, SECRET, event.salt, layout_of)
        with pytest.raises(DataError, match=rf"{ENVIRONMENT}/1#{row + 1} cannot be opened any more.*was erased"):
            unseal(one, SECRET, "", layout_of)


def test_contents_cannot_change_places_even_of_one_subject() -> None:
    line = _recorded([placed_event(), placed_event()]).lines[0]
    document = orjson.loads(line)
    one, two = (text.encode() for text in document["sealed"]["texts"])
    swapped = line.replace(one, b"?").replace(two, one).replace(b"?", two)
    for event in events_of(swapped):
        with pytest.raises(DataError):
            unseal(event, SECRET, SALT, layout_of)


@given(st.data())
def test_an_event_that_opens_vouches_for_all_that_is_open_in_its_line(data: st.DataObject) -> None:
    events = _call(4)
    line = _recorded(events).lines[0]
    at = data.draw(st.integers(0, line.index(b',"texts"') - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[at]))
    for read in read_lines(line[:at] + bytes([other]) + line[at + 1 :]):
        for one, event in zip(read.events if isinstance(read, RecordedLine) else (), events, strict=False):
            with pytest.raises(DataError):
                unseal(one, SECRET, event.salt, layout_of)


def test_a_line_that_lost_an_event_of_several_is_none() -> None:
    line = _recorded(_call(3)).lines[0]
    text = orjson.loads(line)["sealed"]["texts"][1].encode()
    assert list(read_lines(line.replace(b'"%b",' % text, b""))) == [Torn(0)]


def test_an_edit_within_a_line_of_many_is_found_by_the_next_without_any_secret() -> None:
    sink = _recorded(_call(300))
    text = orjson.loads(sink.lines[0])["sealed"]["texts"][7].encode()
    forged = [sink.lines[0].replace(text, b"AAAA" + text[4:]), *sink.lines[1:]]
    assert [finding.kind for finding in verify(lines_of(b"\n".join(forged)))] == [EDIT]


def test_events_that_are_large_have_lines_of_their_own() -> None:
    large = made_event(inputs={"city": "x" * MOST_BYTES})
    sink = _recorded([made_event(), large, large, made_event(), made_event()])
    assert [len(line.events) for line in lines_of(sink.log)] == [1, 1, 1, 2]
    half = made_event(inputs={"city": "x" * (MOST_BYTES * 2 // 5)})
    assert [len(line.events) for line in lines_of(_recorded([half] * 5).log)] == [2, 2, 1]


@pytest.mark.parametrize("ids", [["one", "two"], ["A" * 24, "B" * 24], ["a" * 23, "b" * 25], [" " * 24, "c" * 24]])
def test_ids_of_another_kind_stand_as_they_are(ids: list[str]) -> None:
    sink = _recorded([made_event(id=each) for each in ids])
    assert [event.open["id"] for event in events_of(sink.log)] == ids
