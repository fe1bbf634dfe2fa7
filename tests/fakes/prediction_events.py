"""Prediction events to record: one that can be altered, and any that hypothesis can think of."""

import math
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from ebb.contract.model import Value
from ebb.event_log.reading import RecordedEvent, RecordedLine, read_lines
from ebb.event_log.recorder import EventLog
from ebb.event_log.sealing import Sealer
from ebb.events.chain import Chain
from ebb.events.event import PredictionEvent, ShadowScore
from ebb.ports.events import EventSink

SECRET = bytes(range(32))
SALT = "00112233445566778899aabbccddeeff"
ENVIRONMENT = "0123456789abcdef"

_EVENT = PredictionEvent(
    id="a1b2c3d4e5f6a7b8c9d0e1f2",
    request="3f6c1a9e",
    time=1_800_000_000.25,
    client="acme",
    purpose="retention",
    entity_id="c-1815",
    salt=SALT,
    release="5e" * 32,
    rules=None,
    variant="champion",
    routing=7,
    escalated=False,
    tier="fast",
    hedged=False,
    degraded=(),
    milliseconds=1.625,
    cost=2.7e-08,
    inputs={"tenure": 5.0, "spend": 48.15, "plan": "basic", "city": "Bath"},
    ages={"tenure": 86.5, "spend": 86.5, "plan": 12.0},
    requested=["city"],
    defaults=[],
    stale=["plan"],
    probability=0.3125,
    decision="contact",
    reasons=None,
    shadow=None,
)


def made_event(**changes: Any) -> PredictionEvent:
    """Return an event that a real answer could have left, altered as told."""
    return replace(_EVENT, **changes)


def event_log(sink: EventSink, environment: str = ENVIRONMENT) -> EventLog:
    """Return a recorder with the secret above."""
    return EventLog(sink, Sealer(SECRET), Chain(environment))


def lines_of(log: bytes) -> list[RecordedLine]:
    """Return the lines of events of a log in which nothing is torn."""
    read = list(read_lines(log))
    lines = [line for line in read if isinstance(line, RecordedLine)]
    assert len(lines) == len(read)
    return lines


def events_of(log: bytes) -> list[RecordedEvent]:
    """Return the events of a log in which nothing is torn."""
    return [event for line in lines_of(log) for event in line.events]


def record_each(log: EventLog, *events: PredictionEvent) -> None:
    """Record events one by one, so that each has a line of its own."""
    for event in events:
        log.record([event])


_NUMBERS = st.floats(allow_infinity=False, allow_nan=False)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_NAMES = st.lists(_TEXTS, max_size=3)

any_event = st.builds(
    PredictionEvent,
    id=st.text("0123456789abcdef", min_size=24, max_size=24),
    request=_TEXTS,
    time=_NUMBERS,
    client=_TEXTS,
    purpose=_TEXTS,
    entity_id=_TEXTS,
    salt=st.binary(min_size=16, max_size=16).map(bytes.hex),
    release=st.none() | st.just("5e" * 32),
    rules=st.none() | _TEXTS,
    variant=st.sampled_from(["champion", "challenger", "cheap", "rules"]),
    routing=st.integers(0, 2**40),
    escalated=st.booleans(),
    tier=st.sampled_from(["fast", "durable", "cache", "none"]),
    hedged=st.booleans(),
    degraded=_NAMES,
    milliseconds=_NUMBERS,
    cost=_NUMBERS,
    inputs=st.dictionaries(_TEXTS, _TEXTS | st.floats(allow_infinity=False), max_size=5),
    ages=_NUMBERS | st.dictionaries(_TEXTS, _NUMBERS, max_size=5),
    requested=_NAMES,
    defaults=_NAMES,
    stale=_NAMES,
    probability=_NUMBERS,
    decision=_TEXTS,
    reasons=st.none() | st.lists(st.tuples(_TEXTS, _NUMBERS), max_size=3),
    shadow=st.none() | st.builds(ShadowScore, st.just("7f" * 32), st.none() | _NUMBERS, _NUMBERS),
)


def same(one: PredictionEvent, other: PredictionEvent) -> bool:
    """Tell whether two events say the same, bit for bit; a missing number is like any other."""
    return _comparable(one) == _comparable(other)


def _comparable(event: PredictionEvent) -> PredictionEvent:
    inputs = {name: _bits(value) for name, value in event.inputs.items()}
    names = ("degraded", "requested", "defaults", "stale")
    lists: dict[str, Any] = {name: list(getattr(event, name)) for name in names}
    return replace(event, inputs=inputs, layout=None, reasons=event.reasons and list(event.reasons), **lists)


def _bits(value: Value) -> str:
    if isinstance(value, str):
        return f"text {value}"
    return "missing" if value is None or math.isnan(value) else float(value).hex()
