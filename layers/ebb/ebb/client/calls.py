"""Every call as a request: its path, body and headers, and how its answer is read."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict
from urllib.parse import quote, urlencode
from uuid import uuid4

from ebb.client.answers import (
    Erasure,
    Prediction,
    SubjectExport,
    Written,
    read_erasure,
    read_export,
    read_prediction,
    read_predictions,
    read_written,
)
from ebb.client.call import KEY, PURPOSE, Request
from ebb.client.errors import CallFailed
from ebb.errors import Misuse

Value = str | float | bool | None
"""Of a feature; None where it is missing."""

_PURPOSE = re.compile(r"[a-z0-9_-]{1,64}"), "1 to 64 of a-z, 0-9, _ and -"
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,128}"), "1 to 128 visible ASCII characters"

Features = Mapping[str, Value]


class _Named(TypedDict):
    entity_id: str


class Scored(_Named, total=False):
    """One item of a batch of predictions: `entity_id`, and values that take the stored ones' place."""

    features: Features


class Update(_Named, total=False):
    """One item of a batch of writes; `event_time` in epoch seconds, now where it is left out."""

    features: Features
    event_time: float


def predict(entity_id: str, features: Features | None, purpose: str | None, *, explain: bool) -> Request[Prediction]:
    """`POST /v1/predictions`."""
    document = {"entity_id": entity_id, **_given(features=features, explain=explain or None)}
    return _prediction("predict", "/v1/predictions", document, purpose, read_prediction)


def predict_batch(
    entities: Sequence[Scored], purpose: str | None, *, explain: bool
) -> Request[list[Prediction | CallFailed]]:
    """`POST /v1/predictions/batch`."""
    document = {"entities": list(entities), **_given(explain=explain or None)}
    return _prediction("predict_batch", "/v1/predictions/batch", document, purpose, read_predictions)


def put_features(entity_id: str, features: Features, event_time: float | None, key: str | None) -> Request[Written]:
    """`PUT /v1/features/{entity_id}`."""
    body = _body({"features": features, **_given(event_time=event_time)})
    path = f"/v1/features/{_segment(entity_id)}"
    return Request("put_features", "PUT", path, read_written, body, _key(key))


def put_features_batch(entities: Sequence[Update], key: str | None) -> Request[Written]:
    """`POST /v1/features/batch`."""
    body = _body({"entities": list(entities)})
    return Request("put_features_batch", "POST", "/v1/features/batch", read_written, body, _key(key))


def export_subject(
    entity_id: str, history_from: int, event_time: float | None, ingested_at: float | None
) -> Request[SubjectExport]:
    """`GET /v1/subjects/{entity_id}`."""
    query = _given(history_from=history_from or None, event_time=event_time, ingested_at=ingested_at)
    path = f"/v1/subjects/{_segment(entity_id)}" + (f"?{urlencode(query)}" if query else "")
    return Request("export_subject", "GET", path, read_export)


def erase_subject(entity_id: str, key: str | None) -> Request[Erasure]:
    """`DELETE /v1/subjects/{entity_id}`."""
    path = f"/v1/subjects/{_segment(entity_id)}"
    return Request("erase_subject", "DELETE", path, read_erasure, headers=_key(key))


def _prediction(name: str, path: str, document: Any, purpose: str | None, read: Any) -> Request[Any]:
    headers = {} if purpose is None else {PURPOSE: _fitting("purpose", purpose, *_PURPOSE)}
    return Request(name, "POST", path, read, _body(document), headers, anywhere=True)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _key(key: str | None) -> dict[str, str]:
    """Return the header that makes a write count once, however often it arrives."""
    return {KEY: uuid4().hex if key is None else _fitting("idempotency_key", key, *_IDEMPOTENCY_KEY)}


def _fitting(name: str, value: str, pattern: re.Pattern[str], what: str) -> str:
    """Check that a text can travel in its header.

    Raises:
        Misuse: it cannot.
    """
    if not pattern.fullmatch(value):
        raise Misuse(f"`{name}` must be {what}")
    return value


def _segment(entity_id: str) -> str:
    """Return an id as one segment of a path.

    Raises:
        Misuse: it is no text, or an empty one.
    """
    if not isinstance(entity_id, str) or not entity_id:
        raise Misuse("`entity_id` must be a text with at least one character")
    try:
        encoded = quote(entity_id, safe="")
    except UnicodeEncodeError:
        raise Misuse("`entity_id` holds half a character (a lone surrogate): pass it as it was read") from None
    # A path of dots would be resolved, and name something else.
    return encoded.replace(".", "%2E") if encoded.strip(".") == "" else encoded


def _body(document: Any) -> bytes:
    """Return a document as JSON.

    Raises:
        Misuse: it holds what JSON does not.
    """
    try:
        return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Misuse(
            "a value cannot be sent as JSON: use plain texts, numbers and booleans, and None for what is missing "
            f"({type(error).__name__})"
        ) from None
