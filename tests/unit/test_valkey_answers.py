"""What the fast tier's replies mean, without a server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import TimeoutError as NoAnswer

from ebb.errors import Unavailable
from ebb.ports import FeatureRecord
from ebb.record_json import record_to_json
from ebb.resilience.rate_limit import RateLimit
from ebb.valkey.answers import Questions, answer, lacks_script, refusal, stored_record
from ebb.valkey.refusal import unavailable
from ebb.valkey.scripts import ASK, PUT, Script

RECORD = FeatureRecord({"a": 1.5, "b": "é"}, {"a": 1e9, "b": 2e9}, 12, "ab" * 16)
BLOB = b"0000000000000012" + record_to_json(RECORD)


@pytest.mark.parametrize(
    ("life", "since_put"), [(100_000, 0.0), (40_000, 60.0), (0, 100.0), (-2, 100.0), (-1, 0.0), (150_000, 0.0)]
)
def test_the_rest_of_a_life_tells_how_old_it_is(life: int, since_put: float) -> None:
    found = answer([0, BLOB, life, b"7"], 100.0, hedged=False)
    assert (found.record, found.since_put, found.wait, found.routing, found.hedged) == (
        RECORD,
        since_put,
        0.0,
        7,
        False,
    )


def test_a_wait_is_told_in_seconds() -> None:
    assert answer([1_500_000, None, -2, None], 100.0, hedged=False).wait == 1.5


def test_a_replica_decides_no_wait() -> None:
    found = answer([BLOB, 40_000, None], 100.0, hedged=True)
    assert (found.record, found.since_put, found.wait, found.routing, found.hedged) == (RECORD, 60.0, None, 0, True)


def test_a_limit_that_is_none_decides_no_wait() -> None:
    found = answer([ResponseError("WRONGTYPE ..."), BLOB, 40_000, None], 100.0, hedged=False)
    assert (found.record, found.wait) == (RECORD, None)


@pytest.mark.parametrize("routing", [None, b"", b"junk", ResponseError("WRONGTYPE ...")])
def test_a_routing_version_that_is_none_is_0(routing: object) -> None:
    assert answer([0, None, -2, routing], 100.0, hedged=False).routing == 0


@given(st.one_of(st.none(), st.integers(), st.binary(), st.binary().map(lambda tail: BLOB[:16] + tail)))
def test_whatever_is_stored_is_a_record_or_none(blob: object) -> None:
    found = stored_record(blob)
    assert found is None or isinstance(found, FeatureRecord)


@given(st.integers(0, len(BLOB) - 1))
def test_a_record_that_is_cut_short_counts_as_forgotten(end: int) -> None:
    assert stored_record(BLOB[:end]) is None


@pytest.mark.parametrize(
    ("error", "name", "timeout"),
    [
        (NoAnswer("at 10.0.0.1"), "timeout", True),
        (TimeoutError("timed out"), "timeout", True),
        (Lost("10.0.0.1:6379 reset"), "ConnectionError", False),
        (ConnectionRefusedError(), "ConnectionRefusedError", False),
        (OutOfMemoryError("command not allowed"), "OOM", False),
        (ReadOnlyError("You can't write"), "READONLY", False),
        (BusyLoadingError("loading"), "LOADING", False),
        (AuthenticationError("Authentication required."), "NOAUTH", False),
        (NoScriptError("No matching script"), "NOSCRIPT", False),
        (ResponseError("MISCONF Errors writing f:Ada"), "MISCONF", False),
        (ResponseError("Protocol error: f:Ada"), "ResponseError", False),
    ],
)
def test_a_failure_is_named_and_nothing_of_the_servers_sentence_leaves(
    error: Exception, name: str, *, timeout: bool
) -> None:
    told = unavailable(error)
    assert str(told) == f"Valkey does not answer ({name}); it is asked again within a second."
    assert told.timeout is timeout


def test_what_is_named_already_stays_as_it_is() -> None:
    known = Unavailable("because", timeout=True)
    assert unavailable(known) is known


def test_only_what_spoils_the_answer_is_a_refusal() -> None:
    full, other_kind, unknown = OutOfMemoryError("no"), ResponseError("WRONGTYPE Operation"), NoScriptError("no")
    assert refusal([0, BLOB, 1, None]) is None
    assert refusal([0, other_kind, 1, None]) is None
    assert refusal([unknown, BLOB, 1, None]) is None
    assert refusal([full, BLOB, 1, None]) is full
    assert refusal([0, ResponseError("NOPERM no"), 1, None]) is not None
    assert lacks_script([unknown, BLOB])
    assert not lacks_script([full, BLOB])


def test_one_question_is_one_write_of_four_commands() -> None:
    questions = Questions(RateLimit(10.0, 5), 100.0, 30.0)
    whole = questions.to_primary("é", "app")
    assert (whole.replies, whole.packed.count(b"\r\n*"), whole.packed[:1]) == (4, 3, b"*")
    for part in (b"EVALSHA", ASK.sha.encode(), b"rl:app", b"100000.000", b"500000.000", b"30000", "f:é".encode()):
        assert b"\r\n" + part + b"\r\n" in whole.packed
    assert questions.with_script("é", "app").replies == 5
    plain = questions.to_replica("é")
    assert plain.replies == 3
    assert b"EVALSHA" not in plain.packed


@pytest.mark.parametrize("script", [ASK, PUT])
def test_a_script_is_small_and_its_constants_stand_before_it(script: Script) -> None:
    assert script.text.startswith("local ")
    assert len(script.text) < 3_000
    assert len(script.sha) == 40
