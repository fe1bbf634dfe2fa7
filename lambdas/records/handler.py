"""Entry of the records function."""

import os
from typing import Any

from ebb.http.doors import dispatch
from ebb.http.payload import in_one_format
from ebb.http.scopes import ADMIN, FEATURES
from ebb.trace import watched
from lambdas.records.admission import limited
from lambdas.records.bootstrap import bootstrap

RECORDS = bootstrap(os.environ)

_once, _limits = RECORDS.once.guard, RECORDS.limits
_features, _subjects, _routing = RECORDS.features, RECORDS.subjects, RECORDS.routing
ROUTES = {
    "PUT /v1/features/{entity_id}": _once(FEATURES, _features.put_features),
    "POST /v1/features/batch": _once(FEATURES, _features.put_batch),
    "GET /v1/subjects/{entity_id}": limited(_limits, _subjects.export),
    "DELETE /v1/subjects/{entity_id}": limited(_limits, _subjects.erase),
    "GET /v1/registry": limited(_limits, RECORDS.registry.show),
    "GET /v1/routing": limited(_limits, _routing.show),
    "PUT /v1/routing": _once(ADMIN, limited(_limits, _routing.set_roles)),
    "POST /v1/routing/promote": _once(ADMIN, limited(_limits, _routing.promote)),
    "POST /v1/routing/rollback": _once(ADMIN, limited(_limits, _routing.roll_back)),
}


@watched()
def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer one API Gateway event, of an HTTP API or of a REST API."""
    result = dispatch(in_one_format(event), ROUTES, RECORDS.features.report).payload()
    RECORDS.tick()
    return result
