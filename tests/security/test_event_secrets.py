"""No line of an event log holds anything of a person, in any spelling; nor does a message or an object's text."""

import base64
import logging
import os
import zlib
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from ebb.errors import EbbError
from ebb.event_log.log_sink import LogSink
from ebb.event_log.opening import unseal
from ebb.event_log.sealing import Sealer
from ebb.events.event import PredictionEvent, ShadowScore
from tests.fakes.event_sink import MemoryEvents
from tests.fakes.prediction_events import SALT, SECRET, event_log, events_of, made_event

WHO = "canary.lovelace@example.org"
CITY, FEATURE, DECISION, WHY = "Canary-City-4711", "canary_feature", "canary-decision", "canary_feature is missing"
NUMBERS = (48151623.25, 0.8151623, -0.4711815, 0.1623481, 86471.1815)
SPEND, PROBABILITY, REASON, SHADOW, AGE = NUMBERS
CANARIES = [WHO, CITY, FEATURE, DECISION, WHY, *map(repr, NUMBERS)]


def _event(salt: str = SALT) -> PredictionEvent:
    return made_event(
        entity_id=WHO,
        salt=salt,
        inputs={FEATURE: CITY, "canary_spend": SPEND},
        ages={FEATURE: AGE},
        requested=[FEATURE],
        defaults=[FEATURE],
        stale=[FEATURE],
        degraded=[WHY],
        probability=PROBABILITY,
        decision=DECISION,
        reasons=[(FEATURE, REASON)],
        shadow=ShadowScore("7f" * 32, SHADOW, 1.0),
    )


def _spellings(secret: bytes) -> Iterator[bytes]:
    """Spell bytes as logs do: as they are, escaped, in hex, in base64 at each of its three offsets."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    yield quote(secret).encode()
    yield base64.b32encode(secret).rstrip(b"=")[:-1]
    yield base64.b85encode(secret)
    for offset in range(3):
        # The first and last digits also spell what stands beside it.
        inner = base64.b64encode(bytes(offset) + secret).rstrip(b"=")[-(-offset * 4 // 3) : -1]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def _assert_silent(text: bytes) -> None:
    held = [canary for canary in CANARIES for spelling in _spellings(canary.encode()) if spelling in text]
    assert held == []


def _record(*events: PredictionEvent) -> bytes:
    sink = MemoryEvents()
    event_log(sink).record(events)
    return sink.log


def test_the_search_itself_finds_what_is_hidden() -> None:
    """At any offset of any spelling, or the tests below would prove nothing."""
    for canary in CANARIES:
        for offset in range(4):
            hidden = b"x" * offset + canary.encode() + b"yz"
            for text in (hidden, hidden.hex().encode(), base64.b64encode(hidden), base64.urlsafe_b64encode(hidden)):
                with pytest.raises(AssertionError):
                    _assert_silent(text)


def test_the_canaries_are_in_what_is_sealed() -> None:
    """They went in by every field, and come out again only with the key."""
    event = unseal(events_of(_record(_event()))[0], SECRET, SALT)
    assert [canary for canary in CANARIES if canary not in repr(event)] == []


@pytest.mark.parametrize("salt", [SALT, ""])
def test_no_line_holds_anything_of_a_person(salt: str) -> None:
    _assert_silent(_record(*[_event(salt)] * 50))


def test_neither_secret_nor_salt_nor_key_stands_in_a_line() -> None:
    log = _record(*[_event()] * 50)
    for secret in (SECRET, bytes.fromhex(SALT)):
        assert [s for part in (secret, secret[:8], secret[-8:]) for s in _spellings(part) if s in log] == []


def test_a_sealed_text_cannot_be_compressed() -> None:
    """It looks like noise: a thousand equal answers have nothing in common."""
    texts = [event.sealed for event in events_of(_record(*[_event()] * 1_000))]
    noise = b"".join(texts)
    assert len(zlib.compress(noise, 9)) >= len(noise)


def test_answers_about_two_people_have_lines_of_one_length() -> None:
    one = _record(made_event(entity_id="c-1", decision="contact", inputs={"city": "Ulm"}, probability=0.5))
    other = _record(made_event(entity_id="c-1815-4711", decision="leave", inputs={"city": "Frankfurt"}))
    assert len(one) == len(other)


def test_what_two_events_of_one_subject_share_is_only_the_pseudonym() -> None:
    one, two = events_of(_record(_event(), _event()))
    assert one.open["subject"] == two.open["subject"]
    assert one.open["subject"] != events_of(_record(made_event()))[0].open["subject"]
    assert one.nonce != two.nonce
    assert one.bound != two.bound


def test_no_message_holds_anything_of_a_person() -> None:
    """Whatever goes wrong: a sink that is full, a salt or a value that is none, an event that does not open."""
    messages = []
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123 (a device)
        with pytest.raises(EbbError) as refused:
            event_log(LogSink(full.fileno())).record([_event()])
        messages.append(refused)
    with pytest.raises(EbbError) as refused:
        event_log(MemoryEvents()).record([_event(CITY)])
    messages.append(refused)
    line = _record(_event())
    for log, secret, salt in (
        (line, SECRET, ""),
        (line, SECRET, "00" * 16),
        (line, SECRET[::-1], SALT),
        (line.replace(b"acme", b"evil"), SECRET, SALT),
        (_record(_event("")), SECRET, SALT),
    ):
        with pytest.raises(EbbError) as refused:
            unseal(events_of(log)[0], secret, salt)
        messages.append(refused)
    for message in messages:
        _assert_silent(str(message.value).encode())
        assert message.value.__cause__ is None


@pytest.mark.parametrize("bad", [{FEATURE: object()}, {FEATURE: "\ud800" + CITY}, {FEATURE: 2**80}])
def test_a_value_that_no_event_can_hold_is_not_repeated_either(bad: dict[str, str]) -> None:
    sink = MemoryEvents()
    with pytest.raises(TypeError) as refused:
        event_log(sink).record([made_event(entity_id="c-1", inputs=bad)])
    assert sink.lines == []
    _assert_silent(str(refused.value).encode())
    _assert_silent(str(refused.value.__cause__).encode())


def test_objects_that_hold_secrets_show_none() -> None:
    shown = repr([Sealer(SECRET), event_log(MemoryEvents())]).encode()
    assert not any(spelling in shown for spelling in _spellings(SECRET))


def test_recording_logs_nothing(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        event_log(LogSink(null)).record([_event()] * 3)
    finally:
        os.close(null)
    assert (caplog.records, *capfd.readouterr()) == ([], "", "")
