"""From an error to an RFC 9457 problem: one table, used by every function's doors."""

import math
from binascii import b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ebb import errors

JSON, PROBLEM = "application/json", "application/problem+json"


@dataclass(frozen=True)
class Answer:
    """What a door sends back.

    Attributes:
        status: HTTP status.
        body: JSON bytes, or what `content-encoding` made of them.
        headers: lower-case names.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]

    def payload(self) -> dict[str, Any]:
        """Return the Lambda answer in payload format 2.0: a text, or base64 of what is none."""
        packed = "content-encoding" in self.headers
        return {
            "statusCode": self.status,
            "headers": dict(self.headers),
            "body": b2a_base64(self.body, newline=False).decode() if packed else self.body.decode(),
            "isBase64Encoded": packed,
        }


TABLE: tuple[tuple[type[errors.EbbError], int, str, str], ...] = (
    (errors.TooLarge, 413, "too-large", "The body is too large"),
    (errors.UnsupportedMedia, 415, "unsupported-media-type", "The body is not sent as JSON"),
    (errors.KeyReused, 422, "key-reused", "The idempotency key stands for another request"),
    (errors.BadShape, 422, "bad-shape", "The request is not what this call expects"),
    (errors.BadRequest, 400, "bad-request", "The request cannot be read"),
    (errors.BadFeatures, 422, "bad-features", "The contract refuses a feature value"),
    (errors.NotAllowed, 403, "not-allowed", "The token lacks a scope"),
    (errors.UnknownRoute, 404, "unknown-route", "There is no such call"),
    (errors.UnknownEntity, 404, "unknown-entity", "No features are held for this entity"),
    (errors.StaleFeatures, 409, "stale-features", "A feature is older than the contract allows"),
    (errors.UnderWay, 409, "under-way", "The same request is still being worked on"),
    (errors.Conflict, 409, "conflict", "Somebody else was first"),
    (errors.RoutingError, 422, "bad-routing", "The routing table cannot be what is asked"),
    (errors.RateLimited, 429, "rate-limited", "The client asks too often"),
    (errors.NoRelease, 503, "no-release", "There is no release yet"),
    (errors.ReleaseError, 503, "no-usable-release", "The release cannot be used"),
    (errors.Unavailable, 503, "unavailable", "A server that is needed does not answer"),
)
"""Error, status, last part of the problem's type, title; the first row that fits holds."""

_HIDDEN = {
    "no-usable-release": "The release failed its checks; its owner finds the reason in the function's log.",
    "unavailable": "A server that is needed is away. Send the same again in a moment; sent twice it changes nothing.",
}
"""What is said where the error itself names paths, servers or users."""

_AWAY = 503
_DAY = 86_400


def ok(document: Any, correlation_id: str) -> Answer:
    """Answer 200 with a JSON document."""
    body = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    return Answer(200, body, {"content-type": JSON, "x-correlation-id": correlation_id})


def problem(error: errors.EbbError, correlation_id: str) -> Answer:
    """Answer with the problem that stands for this error."""
    document = problem_document(error, correlation_id)
    return _send(document, _waiting(error, document["status"]))


def problem_document(error: errors.EbbError, correlation_id: str) -> dict[str, Any]:
    """Return the RFC 9457 document that stands for this error; also for one item of a batch."""
    row = next((row for row in TABLE if isinstance(error, row[0])), None)
    if row is None:
        return _unexpected(correlation_id)
    _, status, name, title = row
    document: dict[str, Any] = {
        "type": f"urn:ebb:problem:{name}",
        "title": title,
        "status": status,
        "detail": _HIDDEN.get(name, str(error)),
        "correlation_id": correlation_id,
    }
    if isinstance(error, errors.BadFeatures):
        document["errors"] = [{"feature": r.feature, "reason": r.reason} for r in error.refusals]
    return document


def unexpected(correlation_id: str) -> Answer:
    """Answer for what nobody foresaw; the log has the rest."""
    return _send(_unexpected(correlation_id), {})


def _unexpected(correlation_id: str) -> dict[str, Any]:
    return {
        "type": "urn:ebb:problem:unexpected",
        "title": "Something unforeseen went wrong",
        "status": 500,
        "detail": "Sending the same again is safe. Give the correlation id to whoever runs this service.",
        "correlation_id": correlation_id,
    }


def _waiting(error: errors.EbbError, status: int) -> Mapping[str, str]:
    """Return the headers that say when to ask again."""
    if isinstance(error, errors.RateLimited):
        return {"retry-after": _seconds(error.wait), **_limits(error)}
    if isinstance(error, errors.UnderWay):
        return {"retry-after": _seconds(error.wait)}
    return {"retry-after": "1"} if status == _AWAY else {}


def _seconds(wait: float) -> str:
    return str(max(1, math.ceil(wait)))


def _limits(error: errors.RateLimited) -> Mapping[str, str]:
    """Return the client's plan and what is left of it (draft-ietf-httpapi-ratelimit-headers-10).

    A policy is `q` requests in a window of `w` seconds; the rate's window is as long as its burst lasts.
    """
    if not error.rate:
        return {}
    window = max(1, math.ceil(max(error.burst, 1.0) / error.rate))
    policies = [f'"rate";q={math.floor(error.rate * window)};w={window}']
    until = f";t={_seconds(error.reset)}"
    by_quota = error.limit == "quota"
    left = [f'"rate";r={error.remaining}{"" if by_quota else until}']
    if error.daily is not None:
        policies.append(f'"quota";q={error.daily};w={_DAY}')
    if error.quota_left is not None:
        left.append(f'"quota";r={error.quota_left}{until if by_quota else ""}')
    return {"ratelimit-policy": ", ".join(policies), "ratelimit": ", ".join(left)}


def _send(document: dict[str, Any], more: Mapping[str, str]) -> Answer:
    headers = {"content-type": PROBLEM, "x-correlation-id": document["correlation_id"], **more}
    return Answer(document["status"], orjson.dumps(document), headers)
