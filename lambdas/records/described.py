"""The description of the records function's calls, which the prediction function serves with its own.

`python -m lambdas.records.described` writes it anew; a test says when that is needed.
"""

from pathlib import Path
from typing import Any

import orjson
from pydantic.json_schema import models_json_schema

import ebb.http
from ebb.http.openapi import Operation, paths
from ebb.http.scopes import FEATURES, SUBJECTS
from lambdas.records import routing_schemas, schemas
from lambdas.records.registry_described import REGISTRY_MODELS, REGISTRY_OPERATIONS
from lambdas.records.routing_described import ROUTING_OPERATIONS

_AT = 1_790_000_000.0
_RECORD = {
    "version": 2,
    "erased_at": None,
    "salt": "held",
    "features": {"tenure": {"value": 4, "event_time": _AT - 20}},
}
_SUBJECT = {
    "entity_id": "c-000123",
    "exported_at": _AT,
    "current": _RECORD,
    "fast_tier": {"state": "agrees", "record": _RECORD},
    "history": [{"values": {"tenure": 4}, "event_time": _AT - 20, "ingested_at": _AT - 19}],
    "history_next": None,
    "accesses": [{"at": _AT, "client": "desk", "action": "export", "correlation_id": "JKJaXmPLvHcESHA="}],
}
_ERASED = {
    "entity_id": "c-000123",
    "erased_at": _AT,
    "durable_tier": "erased",
    "fast_tier": "erased",
    "caches_clear_at": _AT + 60,
}
_LATE = "what is older than the subject's erasure changes nothing"


def _query(name: str, description: str, example: float) -> dict[str, Any]:
    schema = {"type": "integer" if isinstance(example, int) else "number", "minimum": 0}
    return {"name": name, "in": "query", "description": description, "schema": schema, "example": example}


_FEATURES = (
    Operation(
        "PUT",
        "/v1/features/{entity_id}",
        "put_features",
        "Write some or all features of one entity",
        "WrittenAnswer",
        {
            "written": {"entity_id": "c-000123", "written": 2},
            "erased since": {"entity_id": "c-000123", "written": 0, "note": _LATE},
        },
        scopes=(FEATURES,),
        body="FeaturesBody",
        requests={"two values": {"features": {"tenure": 4, "plan": "plus"}, "event_time": _AT - 20}},
        parameters=("entity_id", "idempotency-key"),
        headers=("idempotency-replayed",),
        problems=("bad-features", "no-release"),
    ),
    Operation(
        "POST",
        "/v1/features/batch",
        "put_batch",
        "Write features of up to 1,000 entities, all or none",
        "BatchWrittenAnswer",
        {"written": {"written": 2}, "some erased since": {"written": 1, "not_written": 1, "note": _LATE}},
        scopes=(FEATURES,),
        body="FeaturesBatchBody",
        requests={
            "two entities": {
                "entities": [
                    {"entity_id": "c-000123", "features": {"tenure": 4}},
                    {"entity_id": "c-000124", "features": {"tenure": 5}, "event_time": _AT - 20},
                ]
            }
        },
        parameters=("idempotency-key",),
        headers=("idempotency-replayed",),
        problems=("bad-features", "no-release"),
        description="A batch counts as many requests as it has entities.",
    ),
)
_SUBJECTS = (
    Operation(
        "GET",
        "/v1/subjects/{entity_id}",
        "export_subject",
        "Everything that is held of one entity",
        "SubjectAnswer",
        {"held": _SUBJECT},
        scopes=(SUBJECTS,),
        parameters=(
            "entity_id",
            _query("history_from", "`history_next` of the part before; a long history comes in parts", 0),
            _query("event_time", "Also what was true then, epoch seconds", _AT),
            _query("ingested_at", "As far as it was known then, epoch seconds", _AT),
        ),
        problems=("bad-shape", "unknown-entity"),
        description="The look is recorded for good.",
    ),
    Operation(
        "DELETE",
        "/v1/subjects/{entity_id}",
        "erase_subject",
        "Erase one entity everywhere",
        "ErasedAnswer",
        {"erased": _ERASED},
        scopes=(SUBJECTS,),
        parameters=("entity_id",),
        problems=("bad-shape",),
        description="Again, it changes nothing but the moment.",
    ),
)
OPERATIONS = (*_FEATURES, *_SUBJECTS, *ROUTING_OPERATIONS, *REGISTRY_OPERATIONS)
MODELS = (
    schemas.FeaturesBody,
    schemas.FeaturesBatchBody,
    schemas.WrittenAnswer,
    schemas.BatchWrittenAnswer,
    schemas.SubjectAnswer,
    schemas.ErasedAnswer,
    routing_schemas.RolesBody,
    routing_schemas.PromoteBody,
    routing_schemas.RollbackBody,
    routing_schemas.RoutingAnswer,
    routing_schemas.RoutingChangedAnswer,
    *REGISTRY_MODELS,
)
WHERE = Path(next(iter(ebb.http.__path__))) / "records_openapi.json"


def description() -> bytes:
    """Return the file's content: the paths and schemas of an OpenAPI document."""
    modes = [(model, "validation") for model in MODELS]
    made = models_json_schema(modes, ref_template="#/components/schemas/{model}")[1]["$defs"]  # type: ignore[arg-type]
    document = {"paths": paths(OPERATIONS), "schemas": made}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


if __name__ == "__main__":
    WHERE.write_bytes(description())
