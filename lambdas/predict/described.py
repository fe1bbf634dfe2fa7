"""The description of all calls: this function's, and the records function's, which a file brings along."""

from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from pydantic.json_schema import models_json_schema

from ebb.contract.model import Contract
from ebb.http.examples import problem_example
from ebb.http.feature_schema import features_schema
from ebb.http.openapi import Operation, components, paths
from ebb.http.scopes import EXPLAIN, PREDICT
from lambdas.predict import schemas

_FRESHNESS = {
    "tier": "fast",
    "hedged": False,
    "oldest_seconds": 31.5,
    "request": [],
    "defaults": [],
    "stale": [],
    "unseen": [],
}
_SCORED = {
    "prediction_id": "6f1d0c5e7a3b42d9a1c08e55",
    "entity_id": "c-000123",
    "probability": 0.7312,
    "decision": "act",
    "threshold": 0.16,
    "expected_profit": 42.48,
    "currency": "EUR",
    "release": "example/0f3a9c51d27e",
    "rules_version": None,
    "variant": "champion",
    "features": _FRESHNESS,
    "degraded": False,
    "degraded_because": [],
}
_PROVENANCE = [{"tier": "fast", "age_seconds": 31.5, "features": ["tenure"]}]
_REASONS = [{"feature": "tenure", "contribution": 0.21, "text": "months as a customer"}]
_RULES = {
    "release": None,
    "rules_version": "1b9d4e7f",
    "variant": "rules",
    "degraded": True,
    "degraded_because": ["the feature store does not answer"],
}
_RELEASES = {
    "champion": {
        "release": "example/0f3a9c51d27e",
        "sha256": "5c1e" * 16,
        "created": "2026-01-31T12:00:00Z",
        "features": ["tenure"],
    },
    "challengers": [{"release": "7be0c4a9f312", "weight": 0.1}],
    "cheap": None,
    "shadow": None,
    "previous": "94d1e5a0b6c7",
    "routing": 7,
    "missing": [],
    "versions": ["0f3a9c51d27e", "7be0c4a9f312", "94d1e5a0b6c7"],
}
_CALLED = ("ebb-purpose", "ebb-request-id")
_NO_RELEASE = ("no-release", "no-usable-release")

OPERATIONS = (
    Operation(
        "POST",
        "/v1/predictions",
        "predict",
        "Score one entity",
        "PredictionAnswer",
        {
            "scored": {**_SCORED, "features": {**_FRESHNESS, "provenance": _PROVENANCE}, "reasons": _REASONS},
            "degraded": {**_SCORED, **_RULES, "features": {**_FRESHNESS, "tier": "none", "provenance": []}},
        },
        scopes=(PREDICT,),
        body="PredictionBody",
        requests={
            "from the feature store": {"entity_id": "c-000123"},
            "with reasons and a value of its own": {
                "entity_id": "c-000123",
                "features": {"tenure": 3},
                "explain": True,
            },
        },
        parameters=_CALLED,
        problems=("bad-features", "unknown-entity", "stale-features", *_NO_RELEASE),
        description=f"Reason codes need the scope `{EXPLAIN}` too.",
    ),
    Operation(
        "POST",
        "/v1/predictions/batch",
        "predict_batch",
        "Score up to 1,000 entities",
        "BatchAnswer",
        {
            "one scored and one not": {
                "predictions": [
                    _SCORED,
                    {"entity_id": "c-999999", "error": problem_example("unknown-entity")},
                ],
                "failed": 1,
            }
        },
        scopes=(PREDICT,),
        body="BatchBody",
        requests={"two entities": {"entities": [{"entity_id": "c-000123"}, {"entity_id": "c-999999"}]}},
        parameters=_CALLED,
        problems=_NO_RELEASE,
        description="What is wrong with one entity stands in its place and costs no other its answer. A batch counts "
        f"as many requests as it has entities. Reason codes need the scope `{EXPLAIN}` too.",
    ),
    Operation(
        "GET",
        "/v1/releases",
        "releases",
        "What serves",
        "ReleasesAnswer",
        {"serving": _RELEASES},
        scopes=(PREDICT,),
        problems=_NO_RELEASE,
    ),
    Operation(
        "GET",
        "/v1/health",
        "health",
        "Whether the function runs",
        "HealthAnswer",
        {
            "serving": {"status": "ok", "release": "example/0f3a9c51d27e"},
            "waiting": {"status": "waiting for a release", "release": None},
        },
    ),
    Operation("GET", "/openapi.json", "openapi", "This document", "OpenApiDocument", {}),
    Operation("GET", "/docs", "docs", "This document for people, as a page", "", {}),
)
MODELS = (
    schemas.PredictionBody,
    schemas.BatchBody,
    schemas.PredictionAnswer,
    schemas.BatchAnswer,
    schemas.ReleasesAnswer,
    schemas.HealthAnswer,
    schemas.Problem,
    schemas.GatewayRefusal,
    schemas.OpenApiDocument,
)


def description(contract: Contract | None = None) -> dict[str, Any]:
    """Return the OpenAPI document of everything that the gateway's callers may ask.

    Args:
        contract: of the champion, whose features the document names; None where there is none yet.
    """
    fixed = _fixed()
    parts = fixed["components"]
    known = {**parts["schemas"], "Features": features_schema(contract)}
    return {**fixed, "components": {**parts, "schemas": known}}


@cache
def _fixed() -> dict[str, Any]:
    """Return what is the same whatever is served."""
    records = orjson.loads((files("ebb.http") / "records_openapi.json").read_bytes())
    modes = [(model, "validation") for model in MODELS]
    own = models_json_schema(modes, ref_template="#/components/schemas/{model}")[1]["$defs"]  # type: ignore[arg-type]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ebb",
            "version": "1",
            "description": "Scores entities in real time. What is refused is told as a problem (RFC 9457) with a "
            "correlation id; what the gateway refuses has the gateway's own body.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": {**paths(OPERATIONS), **records["paths"]},
        "components": components({**own, **records["schemas"]}),
    }
