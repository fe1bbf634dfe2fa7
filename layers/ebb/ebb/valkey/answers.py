"""What the replies to a question mean."""

import sys
from collections.abc import Sequence
from typing import Any

from redis.exceptions import NoScriptError, RedisError, ResponseError

from ebb.plans import Allowance, Plan
from ebb.ports import FastAnswer, FastAnswers, FeatureRecord
from ebb.record_json import record_from_json
from ebb.valkey.scripts import DIGITS

NO_LIMIT = Allowance(0.0, sys.maxsize, 0.0)
"""Of a tier that knows no plans."""

_GONE = -2
"""PTTL of a key that is not there."""

_BY_RATE = 1


def answer(replies: Sequence[Any], ttl: float, plan: Plan | None, *, hedged: bool) -> FastAnswer:
    """Make the answer of the last three or four replies.

    Args:
        replies: of the script (not from a replica), the record, its life in milliseconds, the routing version.
        ttl: seconds that a record is kept.
        plan: the client's; None for no limit.
        hedged: whether a replica answered.
    """
    blob, life, routing = replies[-3:]
    record = stored_record(blob)
    since_put = 0.0 if record is None else _since_put(life, ttl)
    return FastAnswer(record, since_put, None if hedged else allowance(replies[-4], plan), _version(routing), hedged)


def answers(replies: Sequence[Any], entities: int, ttl: float, plan: Plan | None, *, hedged: bool) -> FastAnswers:
    """Make the answers about many; see `answer`.

    Args:
        replies: as there, with the list of all records, and then all lives.
        entities: that were asked for.
        ttl: see `answer`.
        plan: see `answer`.
        hedged: see `answer`.
    """
    blobs, lives = replies[-entities - 2], replies[-entities - 1 : -1]
    records = [stored_record(blob) for blob in blobs]
    since_put = [_since_put(life, ttl) for life in lives]
    decided = None if hedged else allowance(replies[-entities - 3], plan)
    return FastAnswers(records, since_put, decided, _version(replies[-1]), hedged)


def allowance(reply: Any, plan: Plan | None) -> Allowance | None:
    """Return what the script's reply says; None where it could not decide."""
    if isinstance(reply, ResponseError):
        return None
    if plan is None:
        return NO_LIMIT
    refused, debt, left, to_midnight = reply
    quota_left = None if left < 0 else left
    if not refused:
        return plan.admitted(debt / 1e6, quota_left)
    if refused == _BY_RATE:
        return plan.refused_by_rate(debt / 1e6, quota_left)
    return plan.refused_by_quota(debt / 1e6, left, to_midnight / 1e6)


def stored_record(blob: Any) -> FeatureRecord | None:
    """Return the record in a stored value; what is no record of Ebb's counts as forgotten."""
    if not isinstance(blob, bytes):
        return None
    try:
        return record_from_json(blob[DIGITS:], int(blob[:DIGITS]))
    except ValueError:
        return None


def refusal(replies: Sequence[Any]) -> RedisError | None:
    """Return the reply that makes the others useless, if there is one.

    A script that is not loaded yet can be; a key of another kind counts as forgotten.
    """
    for reply in replies:
        if isinstance(reply, RedisError) and not isinstance(reply, NoScriptError) and _kind(reply) != "WRONGTYPE":
            return reply
    return None


def lacks_script(replies: Sequence[Any]) -> bool:
    """Tell whether the server does not know the script (any more)."""
    return isinstance(replies[0], NoScriptError)


def _kind(error: RedisError) -> str:
    return str(error).partition(" ")[0]


def _since_put(life: int, ttl: float) -> float:
    if life < 0:
        return ttl if life == _GONE else 0.0
    return max(0.0, ttl - life / 1000)


def _version(reply: Any) -> int:
    try:
        return int(reply or 0)
    except (TypeError, ValueError):
        return 0
