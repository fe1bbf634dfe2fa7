"""Plain FastAPI: a body with a model, one call of the graph, an answer."""

from fastapi import FastAPI
from graph import Graph  # type: ignore[import-not-found]  # a neighbour on the peer's path
from pydantic import BaseModel

GRAPH = Graph()
app = FastAPI()


class Row(BaseModel):
    """What a caller sends."""

    entity_id: str
    numbers: list[float]
    categories: list[str]


class Answer(BaseModel):
    """What it gets."""

    entity_id: str
    probability: float


@app.post("/predict")
async def predict(row: Row) -> Answer:
    """Score one row; on the event loop, since a thread would cost more than the graph."""
    return Answer(entity_id=row.entity_id, probability=GRAPH.one(row.numbers, row.categories))
