"""The routes of the records function for a subject's rights, from a call to a document."""

from collections.abc import Callable
from typing import Any

from ebb.calls import Call, entity_id_of
from ebb.ports import Access
from ebb.store.subjects import Subjects

SCOPE = "subjects"


class SubjectsService:
    """Answers and erases subjects.

    Args:
        subjects: does both, in every tier.
        clock: epoch seconds.
    """

    def __init__(self, subjects: Subjects, clock: Callable[[], float]) -> None:
        self._subjects, self._clock = subjects, clock

    def export(self, call: Call) -> dict[str, Any]:
        """`GET /v1/subjects/{entity_id}`: everything that is held of one entity."""
        entity_id = self._entity_id(call)
        return self._subjects.export(entity_id, self._access(call, "export"))

    def erase(self, call: Call) -> dict[str, Any]:
        """`DELETE /v1/subjects/{entity_id}`: erase one entity everywhere; again changes nothing but the moment."""
        entity_id = self._entity_id(call)
        erased = self._subjects.erase(entity_id, self._access(call, "erase"))
        return {"entity_id": entity_id, **erased.document(self._clock())}

    def _entity_id(self, call: Call) -> str:
        call.require(SCOPE)
        return entity_id_of(call.path.get("entity_id"))

    def _access(self, call: Call, action: str) -> Access:
        return Access(self._clock(), call.client, action, call.correlation_id)
