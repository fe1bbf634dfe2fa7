"""Entry of the records function."""

import os
from typing import Any

from ebb.doors import answer
from lambdas.records.bootstrap import bootstrap

SERVICE = bootstrap(os.environ)
ROUTES = {
    "PUT /v1/features/{entity_id}": SERVICE.put_features,
    "POST /v1/features/batch": SERVICE.put_batch,
}


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer one API Gateway event in payload format 2.0."""
    return answer(event, ROUTES[event["routeKey"]], SERVICE.report).payload()
