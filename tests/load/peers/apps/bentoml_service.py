"""BentoML's service around the graph."""

from typing import Any

import bentoml  # type: ignore[import-not-found]  # of the peer's environment
from graph import Graph  # type: ignore[import-not-found]  # a neighbour on the peer's path


@bentoml.service(workers=1, logging={"access": {"enabled": False}}, metrics={"enabled": False})
class Scorer:
    """Scores one row a request."""

    def __init__(self) -> None:
        self._graph = Graph()

    @bentoml.api  # type: ignore[untyped-decorator]
    async def predict(self, entity_id: str, numbers: list[float], categories: list[str]) -> dict[str, Any]:
        """Score one row; on the event loop, since a thread would cost more than the graph."""
        return {"entity_id": entity_id, "probability": self._graph.one(numbers, categories)}
