"""What one question sends, and what its replies mean."""

from collections.abc import Sequence
from typing import Any

from redis.connection import Connection
from redis.exceptions import NoScriptError, ResponseError

from ebb.ports import FastAnswer, FeatureRecord
from ebb.record_json import record_from_json
from ebb.resilience.rate_limit import RateLimit
from ebb.valkey.link import Request
from ebb.valkey.scripts import ASK, DIGITS, HOT_KEY, ROUTING_KEY, limit_key, record_key

_GONE = -2
"""PTTL of a key that is not there."""


class Questions:
    """Packs the commands of one read.

    Args:
        limit: what each client may ask; None for no limit.
        ttl: seconds that a record is kept.
        refresh: seconds after which a hot record's life begins anew.
    """

    def __init__(self, limit: RateLimit | None, ttl: float, refresh: float) -> None:
        step = 1e6 / limit.per_second if limit else 0.0
        self._step, self._tolerance = f"{step:.3f}", f"{step * limit.burst if limit else 0.0:.3f}"
        self._life, self._refresh = f"{ttl * 1000:.0f}", f"{refresh * 1000:.0f}"
        self._pack = Connection().pack_commands  # never opened

    def to_primary(self, entity_id: str, client: str) -> Request:
        """Return the whole question: script, record, its life, routing version."""
        return self._request([self._ask(entity_id, client), *_reads(entity_id)])

    def with_script(self, entity_id: str, client: str) -> Request:
        """Return the same, and load the script first; its first reply is of no interest."""
        return self._request([("SCRIPT LOAD", ASK.text), self._ask(entity_id, client), *_reads(entity_id)])

    def to_replica(self, entity_id: str) -> Request:
        """Return the question without the script, which writes."""
        return self._request(_reads(entity_id))

    def _ask(self, entity_id: str, client: str) -> tuple[str | int, ...]:
        keys = (limit_key(client), record_key(entity_id), HOT_KEY)
        return ("EVALSHA", ASK.sha, 3, *keys, self._step, self._tolerance, self._life, self._refresh, entity_id)

    def _request(self, commands: Sequence[tuple[str | int, ...]]) -> Request:
        return Request(b"".join(self._pack(commands)), len(commands))


def _reads(entity_id: str) -> list[tuple[str | int, ...]]:
    key = record_key(entity_id)
    return [("GET", key), ("PTTL", key), ("GET", ROUTING_KEY)]


def answer(replies: Sequence[Any], ttl: float, *, hedged: bool) -> FastAnswer:
    """Make the answer of the last three or four replies.

    Args:
        replies: of the script (not from a replica), the record, its life in milliseconds, the routing version.
        ttl: seconds that a record is kept.
        hedged: whether a replica answered.
    """
    blob, life, routing = replies[-3:]
    record = stored_record(blob)
    since_put = 0.0
    if record is not None and life != -1:
        since_put = ttl if life == _GONE else max(0.0, ttl - life / 1000)
    wait = None if hedged or isinstance(replies[-4], ResponseError) else replies[-4] / 1e6
    return FastAnswer(record, since_put, wait, _version(routing), hedged)


def stored_record(blob: Any) -> FeatureRecord | None:
    """Return the record in a stored value; what is no record of Ebb's counts as forgotten."""
    if not isinstance(blob, bytes):
        return None
    try:
        return record_from_json(blob[DIGITS:], int(blob[:DIGITS]))
    except ValueError:
        return None


def refusal(replies: Sequence[Any]) -> ResponseError | None:
    """Return the reply that makes the others useless, if there is one.

    A script that is not loaded yet can be; a key of another kind counts as forgotten.
    """
    for reply in replies:
        if isinstance(reply, ResponseError) and not isinstance(reply, NoScriptError) and _kind(reply) != "WRONGTYPE":
            return reply
    return None


def lacks_script(replies: Sequence[Any]) -> bool:
    """Tell whether the server does not know the script (any more)."""
    return any(isinstance(reply, NoScriptError) for reply in replies)


def _kind(error: ResponseError) -> str:
    return str(error).partition(" ")[0]


def _version(reply: Any) -> int:
    try:
        return int(reply or 0)
    except (TypeError, ValueError):
        return 0
