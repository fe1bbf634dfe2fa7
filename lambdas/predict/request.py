"""What a caller asks, read from the body."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ebb.contract.model import Value
from ebb.errors import BadRequest, BadShape
from ebb.http import scopes
from ebb.http.calls import Call, entity_id_of, feature_values, only

ONE_LIMIT, BATCH_LIMIT = 65_536, 5_000_000
"""Bytes of a body."""
BATCH_ENTITIES, EXPLAINED_ENTITIES = 1_000, 100

_ONE = frozenset({"entity_id", "features", "explain"})
_BATCH = frozenset({"entities", "explain"})
_ITEM = frozenset({"entity_id", "features"})
_NONE: Mapping[str, Value] = {}


@dataclass(slots=True)
class Asked:
    """What holds for a whole call.

    Attributes:
        client: who asks.
        purpose: what for.
        request: names the request over all its tries and hedges.
        explain: whether reason codes are wanted.
    """

    client: str
    purpose: str
    request: str
    explain: bool


@dataclass(slots=True)
class Item:
    """One entity of a call.

    Attributes:
        entity_id: whom to score.
        overrides: raw values that take the stored ones' place.
    """

    entity_id: str
    overrides: Mapping[str, Value]


def read_one(call: Call) -> tuple[Asked, Item]:
    """Read the body of `POST /v1/predictions`.

    Raises:
        BadRequest: it is too large, no JSON, or of another shape; says what is wrong.
        NotAllowed: reason codes are asked for without their scope.
    """
    document = call.document(ONE_LIMIT)
    only(document, _ONE)
    asked = _asked(call, document)
    return asked, _item(document)


def read_batch(call: Call) -> tuple[Asked, list[Item | BadRequest]]:
    """Read the body of `POST /v1/predictions/batch`; an item of another shape has its error in its place.

    Raises:
        BadRequest, NotAllowed: see `read_one`.
    """
    document = call.document(BATCH_LIMIT)
    only(document, _BATCH)
    asked = _asked(call, document)
    entities = document.get("entities")
    most = EXPLAINED_ENTITIES if asked.explain else BATCH_ENTITIES
    if not isinstance(entities, list) or not 0 < len(entities) <= most:
        why = ", since each has its reasons" if asked.explain else ""
        raise BadShape(f"`entities` must be a list of 1 to {most:,} objects{why}")
    return asked, [_item_or_error(entity) for entity in entities]


def _asked(call: Call, document: Mapping[str, Any]) -> Asked:
    explain = document.get("explain", False)
    if explain is not False:
        if explain is not True:
            raise BadShape("`explain` must be true or false")
        call.require(scopes.EXPLAIN)
    return Asked(call.client, call.purpose, call.request_id, explain)


def _item(document: Mapping[str, Any]) -> Item:
    entity_id = entity_id_of(document.get("entity_id"))
    features = document.get("features")
    return Item(entity_id, feature_values(features) if "features" in document else _NONE)


def _item_or_error(entity: Any) -> Item | BadRequest:
    if not isinstance(entity, dict):
        return BadShape("every one of `entities` must be an object")
    try:
        only(entity, _ITEM)
        return _item(entity)
    except BadRequest as error:
        return error
