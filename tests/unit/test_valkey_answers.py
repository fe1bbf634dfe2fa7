"""What the fast tier's replies mean, without a server."""

import pytest
from hiredis import Reader
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
from ebb.plans import Allowance, Plan, Plans
from ebb.ports import FastAnswer, FastAnswers, FeatureRecord
from ebb.record_json import record_to_json
from ebb.valkey.answers import NO_LIMIT, allowance, answer, answers, lacks_script, refusal, stored_record
from ebb.valkey.link import Request
from ebb.valkey.questions import Questions, of_many_to_replica, of_one_to_replica, with_script
from ebb.valkey.refusal import unavailable
from ebb.valkey.scripts import ANNOUNCE, ASK, PUT, Script

RECORD = FeatureRecord({"a": 1.5, "b": "é"}, {"a": 1e9, "b": 2e9}, 12, "ab" * 16)
PLAN = Plan(rate=2.0, burst=4, daily=100)
ADMITTED = [0, 1_500_000, 60, 3_600_000_000]
BLOB = b"0000000000000012" + record_to_json(RECORD)


@pytest.mark.parametrize(
    ("life", "since_put"), [(100_000, 0.0), (40_000, 60.0), (0, 100.0), (-2, 100.0), (-1, 0.0), (150_000, 0.0)]
)
def test_the_rest_of_a_life_tells_how_old_it_is(life: int, since_put: float) -> None:
    found = answer([ADMITTED, BLOB, life, b"7"], 100.0, PLAN, hedged=False)
    allowed = Allowance(0.0, 2, 1.5, 60)
    assert found == FastAnswer(RECORD, since_put, allowed, 7)


def test_a_refusal_says_which_limit_and_how_long() -> None:
    assert allowance([1, 3_000_000, 60, 1], PLAN) == Allowance(1.0, 0, 3.0, 60, "rate")
    assert allowance([2, 500_000, 3, 7_000_000], PLAN) == Allowance(7.0, 4, 7.0, 3, "quota")


def test_without_plans_nobody_is_limited_and_without_a_quota_none_is_left() -> None:
    assert allowance(ADMITTED, None) == NO_LIMIT
    assert allowance([0, 500_000, -1, 1], Plan(2.0, 4)) == Allowance(0.0, 4, 0.5, None)


def test_a_replica_decides_nothing() -> None:
    found = answer([BLOB, 40_000, None], 100.0, PLAN, hedged=True)
    assert found == FastAnswer(RECORD, 60.0, None, 0, hedged=True)


def test_a_limit_that_is_none_decides_nothing() -> None:
    found = answer([ResponseError("WRONGTYPE ..."), BLOB, 40_000, None], 100.0, PLAN, hedged=False)
    assert (found.record, found.allowance) == (RECORD, None)


def test_answers_about_many_stand_in_their_order() -> None:
    replies = [[BLOB, None, b"junk"], 40_000, -2, -1, b"9"]
    found = answers([ADMITTED, *replies], 3, 100.0, PLAN, hedged=False)
    assert found == FastAnswers([RECORD, None, None], [60.0, 100.0, 0.0], Allowance(0.0, 2, 1.5, 60), 9)
    assert answers([b"sha", ADMITTED, *replies], 3, 100.0, PLAN, hedged=False) == found
    of_replica = answers(replies, 3, 100.0, PLAN, hedged=True)
    assert (of_replica.records, of_replica.allowance, of_replica.hedged) == (found.records, None, True)


@pytest.mark.parametrize("routing", [None, b"", b"junk", ResponseError("WRONGTYPE ...")])
def test_a_routing_version_that_is_none_is_0(routing: object) -> None:
    assert answer([ADMITTED, None, -2, routing], 100.0, PLAN, hedged=False).routing == 0


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
    assert refusal([0, None, BusyLoadingError("loading")]) is not None
    assert refusal([0, ResponseError("NOPERM no"), 1, None]) is not None
    assert lacks_script([unknown, BLOB])
    assert not lacks_script([full, BLOB])


def _commands(request: Request) -> list[list[bytes]]:
    """Read packed commands as the server does."""
    reader = Reader()
    reader.feed(request.packed)
    commands = []
    while (command := reader.gets()) is not False:
        commands.append(command)
    assert len(commands) == request.replies
    return commands


QUESTIONS = Questions(Plans(Plan(10.0, 5), {"app": Plan(4.0, 8, 500)}), 100.0, 30.0)


def test_one_question_is_one_write_of_four_commands() -> None:
    key = "f:é".encode()
    ask, *reads = _commands(QUESTIONS.of_one("é", "app"))
    keys = [b"rl:app", b"quota:app", key, b"hot"]
    figures = [b"1", b"250000.000", b"2000000.000", b"500", b"100000", b"30000"]
    assert ask == [b"EVALSHA", ASK.sha.encode(), b"4", *keys, *figures, "é".encode()]
    assert reads == [[b"GET", key], [b"PTTL", key], [b"GET", b"routing:version"]]
    assert _commands(of_one_to_replica("é")) == reads


def test_a_question_about_many_reads_all_at_once() -> None:
    ask, *reads = _commands(QUESTIONS.of_many(["a", "b"], "other"))
    assert ask[2:] == [b"2", b"rl:other", b"quota:other", b"2", b"100000.000", b"500000.000", b"-1"]
    lives = [[b"PTTL", b"f:a"], [b"PTTL", b"f:b"]]
    assert reads == [[b"MGET", b"f:a", b"f:b"], *lives, [b"GET", b"routing:version"]]
    assert _commands(of_many_to_replica(["a", "b"])) == reads


def test_a_question_about_nobody_only_counts() -> None:
    (ask,) = _commands(QUESTIONS.of_nobody("app", 17))
    assert ask[2:] == [b"2", b"rl:app", b"quota:app", b"17", b"250000.000", b"2000000.000", b"500"]


def test_a_script_that_is_not_there_is_loaded_before_the_same_question() -> None:
    whole = QUESTIONS.of_one("a", "app")
    load, *rest = _commands(with_script(whole))
    assert load == [b"SCRIPT", b"LOAD", ASK.text.encode()]
    assert rest == _commands(whole)


def test_without_plans_there_is_no_step_and_no_quota() -> None:
    (ask,) = _commands(Questions(None, 100.0, 30.0).of_nobody("app", 1))
    assert ask[-3:] == [b"0", b"0", b"-1"]


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(names, names)
def test_any_name_is_one_word(entity_id: str, client: str) -> None:
    ask = _commands(QUESTIONS.of_one(entity_id, client))[0]
    assert (ask[3].decode(), ask[5].decode(), ask[-1].decode()) == (f"rl:{client}", f"f:{entity_id}", entity_id)


@pytest.mark.parametrize("script", [ANNOUNCE, ASK, PUT])
def test_a_script_is_small_and_its_constants_stand_before_it(script: Script) -> None:
    assert script.text.startswith("local ") == (script is not ANNOUNCE)
    assert len(script.text) < 4_000
    assert len(script.sha) == 40
