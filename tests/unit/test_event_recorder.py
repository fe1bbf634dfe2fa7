"""Recording: every event once, in order, whole; and nothing is spent on what was not written."""

from collections.abc import Sequence
from dataclasses import fields
from hashlib import sha256
from threading import Thread
from types import MappingProxyType

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import Misuse, Unavailable
from ebb.event_log.lines import MARK
from ebb.event_log.opening import unseal
from ebb.event_log.verify import by_environment, verify
from ebb.events.chain import successor
from ebb.events.event import PredictionEvent, ShadowScore
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
    record_each,
    same,
)

NAN = float("nan")


@pytest.fixture
def sink() -> MemoryEvents:
    return MemoryEvents()


@given(st.lists(st.lists(any_event, max_size=3), max_size=3))
def test_what_is_read_back_is_what_was_recorded(calls: Sequence[Sequence[PredictionEvent]]) -> None:
    sink = MemoryEvents()
    log = event_log(sink)
    for call in calls:
        record_each(log, *call)
    recorded = [event for call in calls for event in call]
    read = events_of(sink.log)
    assert all(same(unseal(one, SECRET, event.salt), event) for one, event in zip(read, recorded, strict=True))
    lines = lines_of(sink.log)
    assert [line.link.sequence for line in lines] == list(range(1, len(lines) + 1))
    assert verify(lines) == []


def test_lines_are_marked_numbered_and_chained(sink: MemoryEvents) -> None:
    record_each(event_log(sink), made_event(), made_event())
    one, two = (orjson.loads(line) for line in sink.lines)
    assert all(line.startswith(MARK) for line in sink.lines)
    assert (one["env"], one["seq"], one["prev"]) == (ENVIRONMENT, 1, "0" * 64)
    assert (two["env"], two["seq"], two["prev"]) == (ENVIRONMENT, 2, sha256(sink.lines[0]).hexdigest())


def test_every_field_of_an_event_is_recorded(sink: MemoryEvents) -> None:
    """A field that is added later must not be forgotten: each one alone makes another event."""
    event_log(sink).record([made_event()])
    standard = unseal(events_of(sink.log)[0], SECRET, SALT)
    others = {
        "shadow": ShadowScore("7f" * 32, 0.5, 0.25),
        "reasons": [("tenure", -0.5)],
        "release": "77" * 32,
        "rules": "1a2b",
        "salt": "ff" * 16,
        **{name: {"tenure": 6.0} for name in ("inputs", "ages")},
        **{name: ["tenure"] for name in ("degraded", "requested", "defaults", "stale")},
        **dict.fromkeys(("escalated", "hedged"), True),
        **dict.fromkeys(("time", "milliseconds", "cost", "probability"), 0.75),
        "routing": 8,
    }
    for field in fields(PredictionEvent):
        if field.name == "layout":
            continue
        event = made_event(**{field.name: others.get(field.name, "other")})
        event_log(sink).record([event])
        read = unseal(events_of(sink.lines[-1])[0], SECRET, event.salt)
        assert same(read, event), field.name
        assert not same(read, standard), field.name


def test_a_missing_number_is_null_and_comes_back_missing(sink: MemoryEvents) -> None:
    event = made_event(inputs={"tenure": NAN, "city": "", "spend": -0.0})
    event_log(sink).record([event])
    assert same(unseal(events_of(sink.log)[0], SECRET, SALT), event)


def test_numbers_of_numpy_and_mappings_that_are_no_dictionaries_are_taken(sink: MemoryEvents) -> None:
    event = made_event(
        inputs=MappingProxyType({"tenure": np.float32(0.1)}),
        probability=np.float64(0.3),
        reasons=(("tenure", np.float64(0.25)),),
        stale=range(0),
    )
    event_log(sink).record([event])
    read = unseal(events_of(sink.log)[0], SECRET, SALT)
    assert (read.probability, read.reasons, list(read.stale)) == (0.3, [("tenure", 0.25)], [])
    assert np.float32(read.inputs["tenure"]) == np.float32(0.1)


def test_open_is_what_describes_nobody(sink: MemoryEvents) -> None:
    event_log(sink).record([made_event(degraded=["city is missing", "plan is 3 days old"], variant="rules")])
    document, shown = orjson.loads(sink.lines[0]), events_of(sink.log)[0].open
    assert (shown["degraded"], shown["problems"], shown["variant"]) == (True, 2, "rules")
    assert set(document).isdisjoint({"entity_id", "salt", "inputs", "ages", "probability", "decision", "shadow"})
    assert document["sealed"]["by"] == "subject"


def test_an_event_without_a_salt_says_that_nobody_can_open_it(sink: MemoryEvents) -> None:
    event_log(sink).record([made_event(salt="")])
    assert orjson.loads(sink.lines[0])["sealed"]["by"] == "none"


def test_no_events_write_nothing(sink: MemoryEvents) -> None:
    log = event_log(sink)
    log.record([])
    log.record([made_event()])
    assert lines_of(sink.log)[0].link.sequence == 1


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_after_a_failed_write_no_number_is_used_twice(sink: MemoryEvents, taken: int) -> None:
    """A part of the lines may be in the log: whoever used their numbers again would look like a forger."""
    log = event_log(sink)
    log.record([made_event()])
    sink.takes = taken
    with pytest.raises(Unavailable):
        log.record([made_event(client=name) for name in ("one", "two", "three")])
    sink.takes = None
    record_each(log, made_event(), made_event())
    chains = by_environment(lines_of(sink.log))
    assert {environment: len(chain) for environment, chain in chains.items()} == {
        ENVIRONMENT: 1 + taken,
        successor(ENVIRONMENT): 2,
    }
    assert [verify(chain) for chain in chains.values()] == [[], []]


def test_an_event_that_cannot_be_sealed_spends_nothing(sink: MemoryEvents) -> None:
    log = event_log(sink)
    with pytest.raises(Misuse):
        log.record([made_event(), made_event(salt="no salt")])
    assert sink.lines == []
    log.record([made_event()])
    assert lines_of(sink.log)[0].link.environment == ENVIRONMENT
    assert verify(lines_of(sink.log)) == []


def test_threads_share_one_chain(sink: MemoryEvents) -> None:
    log = event_log(sink)

    def work() -> None:
        for _ in range(200):
            log.record([made_event()])

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sink.lines) == 800
    assert verify(lines_of(sink.log)) == []
