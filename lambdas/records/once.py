"""Writes that are sent twice are done once: the header `idempotency-key` names a request over all its tries.

Source: draft-ietf-httpapi-idempotency-key-header; a key is the header's text as it was sent.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson

from ebb.errors import BadShape, KeyReused, Unavailable, UnderWay
from ebb.http.calls import Call
from ebb.http.doors import Route
from ebb.http.problems import Answer, ok
from ebb.ports.idempotency import Claim, IdempotencyKeys
from lambdas.records.admission import Limits, admit

HEADER, REPLAYED = "idempotency-key", "idempotency-replayed"

LEASE_SECONDS = 60.0
"""No write takes so long: a function is ended before."""

_WAIT_SECONDS = 1.0
_KEY = re.compile(r"[\x20-\x7e]{1,128}")


class Once:
    """Guards routes that write.

    A request that failed is not remembered: it changed nothing, and may be sent again. One whose function died before
    it answered is done again by whoever asks when its lease is over.

    Args:
        keys: what is remembered.
        limits: count what is answered from memory; what is done counts itself.
        lease: seconds; see `IdempotencyKeys.claim`.
    """

    def __init__(self, keys: IdempotencyKeys, limits: Limits, lease: float = LEASE_SECONDS) -> None:
        self._keys, self._limits, self._lease = keys, limits, lease

    def guard(self, scope: str, route: Route) -> Route:
        """Return the route, done once for each key; calls without one go straight through.

        Args:
            scope: what a caller needs, also to be told what was answered before.
            route: returns a JSON object; `entity_id` in it is the one of the path.
        """

        def guarded(call: Call) -> object:
            key = call.headers.get(HEADER)
            if key is None:
                return route(call)
            call.require(scope)
            if not _KEY.fullmatch(key):
                raise BadShape(f"the header `{HEADER}` must be 1 to 128 printable ASCII characters, such as a UUID")
            return self._once(call, _hash_of(call.client, key), _request_of(call, key), route)

        return guarded

    def _once(self, call: Call, key: bytes, request: bytes, route: Route) -> object:
        claim = self._keys.claim(key, request, self._lease)
        if claim.token is None:
            return self._answered(call, claim)
        try:
            document = route(call)
        except BaseException:
            with suppress(Unavailable):
                self._keys.release(key, claim.token)
            raise
        with suppress(Unavailable):  # what was written stands, and is answered
            self._keys.keep(key, claim.token, _impersonal(document))
        return document

    def _answered(self, call: Call, claim: Claim) -> Answer:
        admit(self._limits, call.client)
        if not claim.same:
            raise KeyReused("this idempotency key was sent with another request before: send each request with its own")
        if claim.answer is None:
            raise UnderWay("the same request is still being worked on: send it again in a moment", _WAIT_SECONDS)
        return _again(call, orjson.loads(claim.answer))


def _hash_of(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()


def _request_of(call: Call, key: str) -> bytes:
    """Hash the request under its key: without the key, which is kept nowhere, nobody can guess what it said."""
    hashed = hmac.new(f"{call.client}\0{key}".encode(), digestmod=hashlib.sha256)
    hashed.update(orjson.dumps([call.route, call.path, call.query], option=orjson.OPT_SORT_KEYS) + b"\0" + call.body)
    return hashed.digest()


def _impersonal(document: Any) -> str:
    """Return the answer as it is kept: the place of the entity, but not its name."""
    kept = {**document, "entity_id": None} if "entity_id" in document else document
    return orjson.dumps(kept).decode()


def _again(call: Call, kept: Mapping[str, Any]) -> Answer:
    document = {**kept, "entity_id": call.path["entity_id"]} if "entity_id" in kept else kept
    answered = ok(document, call.correlation_id)
    return Answer(answered.status, answered.body, {**answered.headers, REPLAYED: "true"})
