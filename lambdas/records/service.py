"""The routes of the records function that write features, from a call to a document."""

from collections.abc import Callable, Mapping
from typing import Any

from ebb.contract.model import Contract
from ebb.errors import BadFeatures, BadShape, Refusal
from ebb.event_time import AHEAD_SECONDS
from ebb.features.inputs import accept_some
from ebb.http.calls import Call, entity_id_of, feature_values, only
from ebb.http.doors import Report
from ebb.http.scopes import FEATURES
from ebb.ports import FeatureRecord, FeatureUpdate
from ebb.store.store import FeatureStore
from lambdas.records.admission import admit

ONE_LIMIT, BATCH_LIMIT = 65_536, 5_000_000
"""Bytes of a body."""

BATCH_ENTITIES = 1_000

TOO_LATE = "what is older than the subject's erasure changes nothing"

_ONE = frozenset({"features", "event_time"})
_BATCH = frozenset({"entities"})
_ITEM = _ONE | {"entity_id"}


class RecordsService:
    """Writes features.

    Args:
        contract: returns the served contract; raises NoRelease while there is none.
        store: the feature store.
        clock: epoch seconds.
        report: takes what happened and a correlation id, for the log.
    """

    def __init__(
        self, contract: Callable[[], Contract], store: FeatureStore, clock: Callable[[], float], report: Report
    ) -> None:
        self._contract, self._store, self._clock, self.report = contract, store, clock, report

    def put_features(self, call: Call) -> dict[str, Any]:
        """`PUT /v1/features/{entity_id}`: write some or all features of one entity."""
        call.require(FEATURES)
        admit(self._store, call.client)
        entity_id = entity_id_of(call.path.get("entity_id"))
        document = call.document(ONE_LIMIT)
        only(document, _ONE)
        update = self._update(entity_id, document)
        held = self._store.write([update])[entity_id]
        if _came_too_late(update, held):
            return {"entity_id": entity_id, "written": 0, "note": TOO_LATE}
        newest = sum(held.event_times.get(name) == update.event_time for name in update.values)
        return {"entity_id": entity_id, "written": newest}

    def put_batch(self, call: Call) -> dict[str, Any]:
        """`POST /v1/features/batch`: write features of up to 1,000 entities, all or none."""
        call.require(FEATURES)
        document = call.document(BATCH_LIMIT)
        only(document, _BATCH)
        entities = document.get("entities")
        if not isinstance(entities, list) or not 0 < len(entities) <= BATCH_ENTITIES:
            raise BadShape(f"`entities` must be a list of 1 to {BATCH_ENTITIES:,} objects")
        admit(self._store, call.client, len(entities))
        updates = self._updates(entities)
        held = self._store.write(updates)
        late = sum(_came_too_late(update, held[update.entity_id]) for update in updates)
        return {"written": len(entities) - late, **({"not_written": late, "note": TOO_LATE} if late else {})}

    def _updates(self, entities: list[Any]) -> list[FeatureUpdate]:
        """Read every item; all refusals are named with their position, counted from 0."""
        updates, refusals = [], []
        for position, item in enumerate(entities):
            if not isinstance(item, dict):
                raise BadShape(f"entities[{position}] must be an object")
            try:
                only(item, _ITEM)
                updates.append(self._update(entity_id_of(item.get("entity_id")), item))
            except BadFeatures as error:
                refusals += [Refusal(f"entities[{position}].{r.feature}", r.reason) for r in error.refusals]
            except BadShape as error:
                raise BadShape(f"entities[{position}]: {error}") from None
        if refusals:
            raise BadFeatures(refusals)
        return updates

    def _update(self, entity_id: str, item: Mapping[str, Any]) -> FeatureUpdate:
        values = feature_values(item.get("features"))
        if not values:
            raise BadShape("`features` must name at least one feature")
        accept_some(self._contract(), values)
        return FeatureUpdate(entity_id, values, self._event_time(item.get("event_time")))

    def _event_time(self, given: Any) -> float:
        now = self._clock()
        if given is None:
            return now
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= now + AHEAD_SECONDS:
            raise BadShape("`event_time` must be epoch seconds, not in the future")
        return float(given)


def _came_too_late(update: FeatureUpdate, held: FeatureRecord) -> bool:
    return held.erased_at is not None and update.event_time <= held.erased_at
