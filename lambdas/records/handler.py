"""Entry of the records function."""

import os
from typing import Any

from ebb.http.doors import dispatch
from ebb.http.scopes import ADMIN, FEATURES
from lambdas.records.bootstrap import bootstrap

RECORDS = bootstrap(os.environ)
ROUTES = {
    "PUT /v1/features/{entity_id}": RECORDS.once.guard(FEATURES, RECORDS.features.put_features),
    "POST /v1/features/batch": RECORDS.once.guard(FEATURES, RECORDS.features.put_batch),
    "GET /v1/subjects/{entity_id}": RECORDS.subjects.export,
    "DELETE /v1/subjects/{entity_id}": RECORDS.subjects.erase,
    "GET /v1/routing": RECORDS.routing.show,
    "PUT /v1/routing": RECORDS.once.guard(ADMIN, RECORDS.routing.set_roles),
    "POST /v1/routing/promote": RECORDS.once.guard(ADMIN, RECORDS.routing.promote),
    "POST /v1/routing/rollback": RECORDS.once.guard(ADMIN, RECORDS.routing.roll_back),
}


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer one API Gateway event in payload format 2.0."""
    result = dispatch(event, ROUTES, RECORDS.features.report).payload()
    RECORDS.tick()
    return result
