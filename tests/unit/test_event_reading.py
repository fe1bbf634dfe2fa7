"""Reading back: events among other lines, torn ones, and what does not open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import DataError
from ebb.event_log.lines import MARK
from ebb.event_log.opening import unseal
from ebb.event_log.reading import RecordedLine, Torn, read_lines
from tests.fakes.event_sink import MemoryEvents
from tests.fakes.prediction_events import (
    ENVIRONMENT,
    SALT,
    SECRET,
    event_log,
    events_of,
    lines_of,
    made_event,
    record_each,
    same,
)

OTHER = st.binary(max_size=40).map(lambda text: text.replace(b"{", b"("))


def _lines(count: int, **changes: object) -> list[bytes]:
    sink = MemoryEvents()
    record_each(event_log(sink), *[made_event(**changes)] * count)
    return sink.lines


@given(st.lists(OTHER, min_size=4, max_size=4))
def test_events_are_found_among_whatever_else_a_log_holds(others: list[bytes]) -> None:
    """A line of another program may even stand before one without a newline between."""
    lines = _lines(3)
    log = others[0] + b"".join(line + b"\n" + other for line, other in zip(lines, others[1:], strict=True))
    assert [line.line for line in lines_of(log)] == lines


@given(st.integers(min_value=len(MARK)))
def test_a_torn_event_takes_no_other_with_it(kept: int) -> None:
    one, two, three = _lines(3)
    torn = two[: kept % len(two)] if kept % len(two) >= len(MARK) else two[: len(MARK)]
    for between in (b"", b"\n"):
        read = list(read_lines(one + b"\n" + torn + between + three))
        assert [type(event) for event in read] == [RecordedLine, Torn, RecordedLine]
        assert read[1] == Torn(len(one) + 1)


@given(st.binary())
def test_bytes_that_only_begin_like_an_event_are_torn(rest: bytes) -> None:
    read = list(read_lines(MARK + rest.replace(b"{", b"(")))
    assert read == [Torn(0)]


@pytest.mark.parametrize(
    ("field", "other"),
    [
        (b'"v":2', b'"v":3'),
        (b'"v":2', b'"v":1'),
        (b'"v":2', b'"v":true'),
        (b'"ids":"', b'"ids":"AAAA'),
        (b'"subjects":"', b'"subjects":"AAAA'),
        (b'"texts":["', b'"texts":["AAAA","'),
        (b'"ids":"', b'"ids":"!'),
        (b'"seq":1', b'"seq":"1"'),
        (b'"seq":1', b'"seq":true'),
        (b'"seq":1', b'"sequence":1'),
        (b'"env":"', b'"environment":"'),
        (b'"sealed":{', b'"opened":{'),
    ],
)
def test_what_is_of_no_known_shape_is_no_event(field: bytes, other: bytes) -> None:
    line = _lines(1)[0]
    assert list(read_lines(line.replace(field, other))) == [Torn(0)]


def test_an_empty_log_holds_nothing() -> None:
    assert list(read_lines(b"")) == list(read_lines(b"START RequestId\n")) == []


def test_what_anybody_may_read_is_there_without_a_secret() -> None:
    event = events_of(_lines(1)[0])[0]
    assert (event.open["client"], event.open["purpose"], event.open["seq"]) == ("acme", "retention", 1)


def test_an_erased_subject_s_event_says_erased() -> None:
    with pytest.raises(DataError, match=rf"^prediction event {ENVIRONMENT}/1 cannot be opened any more.*was erased"):
        unseal(events_of(_lines(1)[0])[0], SECRET, "")


def test_an_event_without_a_key_says_that_nobody_can() -> None:
    with pytest.raises(DataError, match="of an entity that had no salt: nobody can open it"):
        unseal(events_of(_lines(1, salt="")[0])[0], SECRET, SALT)


def test_another_stage_s_secret_is_told_from_another_subject_s_salt() -> None:
    event = events_of(_lines(1)[0])[0]
    with pytest.raises(DataError, match="sealed under another stage secret"):
        unseal(event, SECRET[::-1], SALT)
    for salt in (SALT[::-1], "00", "not hex"):
        with pytest.raises(DataError, match="does not open with this salt: its subject was erased since"):
            unseal(event, SECRET, salt)


@given(st.data())
def test_any_altered_byte_of_any_event_keeps_it_shut(data: st.DataObject) -> None:
    """Open fields too, and of the last event as well, where no later hash would tell."""
    line = _lines(1)[0]
    at = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[at]))
    for read in read_lines(line[:at] + bytes([other]) + line[at + 1 :]):
        if isinstance(read, RecordedLine):
            for event in read.events:
                with pytest.raises(DataError):
                    unseal(event, SECRET, SALT)


def test_sealed_content_fits_no_other_event() -> None:
    """Neither of the same subject's, nor in another place of the chain."""
    one, two = _lines(2)
    head, tail = one[: one.index(b',"texts"')], two[two.index(b',"texts"') :]
    with pytest.raises(DataError):
        unseal(events_of(head + tail)[0], SECRET, SALT)


def test_the_same_answer_twice_is_two_events() -> None:
    one, two = events_of(b"\n".join(_lines(2)))
    assert one.sealed != two.sealed
    assert same(unseal(one, SECRET, SALT), unseal(two, SECRET, SALT))
