"""One HTTP call as a function sees it: who calls, with which scopes, and what the body says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ebb.entity_id import LONGEST, NO_TEXT, is_entity_id
from ebb.errors import BadRequest, BadShape, NotAllowed, TooLarge
from ebb.http.headers import purpose_of, request_id_of, require_json

_DIGITS = 15
"""Of the largest count."""

LATEST = 253_402_300_800.0
"""Epoch seconds of the year 10000, which no calendar holds."""


@dataclass(slots=True)
class Call:
    """A verified caller's request; nobody changes one (it is not frozen since that costs a microsecond).

    Attributes:
        client: the client id of the token.
        scopes: what the token allows.
        body: as sent.
        path: path parameters.
        query: query parameters; one that is given several times has its values joined by commas.
        correlation_id: names this call in answers and logs.
        headers: by lower-case name, as the gateway hands them on.
        route: such as "PUT /v1/features/{entity_id}".
    """

    client: str
    scopes: frozenset[str]
    body: bytes
    path: Mapping[str, str]
    query: Mapping[str, str]
    correlation_id: str
    headers: Mapping[str, str]
    route: str

    @property
    def purpose(self) -> str:
        """Return what the prediction is made for.

        Raises:
            BadShape: see `purpose_of`.
        """
        return purpose_of(self.headers)

    @property
    def request_id(self) -> str:
        """Return what names this request over all its tries and hedges; the correlation id where none is sent.

        Raises:
            BadShape: see `request_id_of`.
        """
        return request_id_of(self.headers, self.correlation_id)

    def require(self, scope: str) -> None:
        """Check one scope.

        Raises:
            NotAllowed: the token lacks it.
        """
        if scope not in self.scopes:
            raise NotAllowed(f"this call needs the scope {scope!r}: ask for a token that has it")

    def document(self, limit: int) -> dict[str, Any]:
        """Read the body as a JSON object.

        Raises:
            UnsupportedMedia: it is not sent as JSON.
            TooLarge: it has more than `limit` bytes.
            BadRequest: it is no JSON.
            BadShape: it is JSON, but no object.
        """
        require_json(self.headers)
        if len(self.body) > limit:
            raise TooLarge(f"the body has {len(self.body):,} bytes, but at most {limit:,} are read here")
        try:
            document = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise BadRequest(f"the body is not valid JSON (line {error.lineno}, column {error.colno})") from None
        if not isinstance(document, dict):
            raise BadShape("the body must be a JSON object")
        return document


def entity_id_of(value: Any) -> str:
    """Check an entity id.

    Raises:
        BadShape: it is no text of 1 to 256 printable characters.
    """
    if isinstance(value, str) and NO_TEXT in value:
        raise BadShape("`entity_id` was not sent as UTF-8: encode it so before it is percent-encoded")
    if not isinstance(value, str) or not is_entity_id(value):
        raise BadShape(f"`entity_id` must be a text of 1 to {LONGEST} printable characters")
    return value


def moment_of(query: Mapping[str, str], name: str, default: float) -> float:
    """Read a moment from the query, epoch seconds.

    Raises:
        BadShape: it is given, and no such number.
    """
    try:
        value = float(query.get(name, default))
    except ValueError:
        value = -1.0
    if not 0 <= value < LATEST:
        raise BadShape(f"`{name}` must be epoch seconds, such as 1790000000")
    return value


def count_of(query: Mapping[str, str], name: str) -> int:
    """Read a count from the query; 0 where it is not given.

    Raises:
        BadShape: it is given, and no such number.
    """
    text = query.get(name, "0")
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise BadShape(f"`{name}` must be a whole number, such as 10000")
    return int(text)


def only(document: Mapping[str, Any], known: frozenset[str]) -> None:
    """Refuse keys that the call does not know.

    Raises:
        BadShape: names the first unknown key.
    """
    for key in document:
        if key not in known:
            raise BadShape(f"unknown key {key[:64]!r}; this call knows {', '.join(sorted(known))}")


def feature_values(value: Any) -> dict[str, Any]:
    """Check that `features` is an object of plain values.

    Raises:
        BadShape: it is none, or a value is a list or an object.
    """
    if not isinstance(value, dict):
        raise BadShape("`features` must be an object of feature names and values")
    for name, item in value.items():
        if isinstance(item, list | dict):
            raise BadShape(f"the feature {name[:64]!r} must be a plain value, not a list or an object")
    return value
