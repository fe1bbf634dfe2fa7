"""The routes of the records function for a subject's rights, from a call to a document."""

from collections.abc import Callable
from typing import Any

from ebb.http.calls import Call, count_of, entity_id_of, moment_of
from ebb.http.scopes import SUBJECTS
from ebb.ports import Access
from ebb.store.subjects import Subjects


class SubjectsService:
    """Answers and erases subjects.

    Args:
        subjects: does both, in every tier.
        clock: epoch seconds.
    """

    def __init__(self, subjects: Subjects, clock: Callable[[], float]) -> None:
        self._subjects, self._clock = subjects, clock

    def export(self, call: Call) -> dict[str, Any]:
        """`GET /v1/subjects/{entity_id}`: everything that is held of one entity.

        A long history comes in parts: the next begins at `history_from`, the `history_next` of the one before.
        With `event_time` or `ingested_at` (epoch seconds; the other is now) also what was true then, as far as known.
        """
        entity_id = self._entity_id(call)
        now = self._clock()
        moments = [moment_of(call.query, name, now) for name in ("event_time", "ingested_at")]
        history_from = count_of(call.query, "history_from")
        document = self._subjects.export(entity_id, self._access(call, "export"), history_from)
        if not call.query.keys().isdisjoint({"event_time", "ingested_at"}):
            document["known_at"] = self._subjects.known_at(entity_id, *moments)
        return document

    def erase(self, call: Call) -> dict[str, Any]:
        """`DELETE /v1/subjects/{entity_id}`: erase one entity everywhere; again changes nothing but the moment."""
        entity_id = self._entity_id(call)
        erased = self._subjects.erase(entity_id, self._access(call, "erase"))
        return {"entity_id": entity_id, **erased.document(self._clock())}

    def _entity_id(self, call: Call) -> str:
        call.require(SUBJECTS)
        return entity_id_of(call.path.get("entity_id"))

    def _access(self, call: Call, action: str) -> Access:
        return Access(self._clock(), call.client, action, call.correlation_id)
