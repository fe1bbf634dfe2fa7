"""One example of every problem, made as the functions make theirs; for the description of the API."""

from collections.abc import Iterable, Mapping
from typing import Any

from ebb import errors
from ebb.http.problems import TABLE, problem_document

_CORRELATION_ID = "JKJaXmPLvHcESHA="

_ERRORS: Mapping[str, errors.EbbError] = {
    "too-large": errors.TooLarge("the body has 70,000 bytes, but at most 65,536 are read here"),
    "unsupported-media-type": errors.UnsupportedMedia(
        "the body was sent as text/plain: send JSON with the header `content-type: application/json`"
    ),
    "key-reused": errors.KeyReused(
        "this idempotency key was sent with another request before: send each request with its own"
    ),
    "bad-shape": errors.BadShape("`entity_id` must be a text of 1 to 256 printable characters"),
    "bad-request": errors.BadRequest("the body is not valid JSON (line 1, column 2)"),
    "bad-features": errors.BadFeatures([errors.Refusal("tenure", "is below its minimum of 0")]),
    "not-allowed": errors.NotAllowed("this call needs the scope 'predict': ask for a token that has it"),
    "unknown-route": errors.UnknownRoute("there is no such call here: /openapi.json says which there are"),
    "unknown-entity": errors.UnknownEntity(
        "no features are held for this entity: write them with PUT /v1/features/{entity_id}, "
        "or send them as `features` with the request"
    ),
    "stale-features": errors.StaleFeatures("tenure is older than its max_age: write a newer value first"),
    "under-way": errors.UnderWay("the same request is still being worked on: send it again in a moment", 1.0),
    "conflict": errors.Conflict("the routing table is at version 8 and not 7 any more: look, and ask again"),
    "bad-routing": errors.RoutingError("the weights of challengers and cheap release add up to more than 1"),
    "rate-limited": errors.RateLimited(0.02),
    "no-release": errors.NoRelease("there is no release yet: train one with `ebb train`"),
    "no-usable-release": errors.ReleaseError("model.onnx is not what the manifest names"),
    "unavailable": errors.Unavailable("the feature store does not answer"),
}

TITLES: Mapping[str, str] = {name: title for _, _, name, title in TABLE} | {
    "unexpected": "Something unforeseen went wrong"
}
"""Of every problem, by the last part of its type."""


def problem_example(name: str) -> dict[str, Any]:
    """Return the document of one problem; a name that is none is the unforeseen."""
    return problem_document(_ERRORS.get(name, errors.Misuse("unforeseen")), _CORRELATION_ID)


def by_status(names: Iterable[str]) -> dict[int, list[str]]:
    """Group problems by their HTTP status, ascending."""
    grouped: dict[int, list[str]] = {}
    for name in names:
        grouped.setdefault(problem_example(name)["status"], []).append(name)
    return dict(sorted(grouped.items()))
