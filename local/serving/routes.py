"""Which function answers which call, and which is invoked without a caller."""

from local.gateway.routes import Route
from local.supervisor.schedules import Schedule

ROUTES = (
    Route("POST", "/v1/predictions", "predict", authorized=True),
    Route("POST", "/v1/predictions/batch", "predict", authorized=True),
    Route("GET", "/v1/releases", "predict", authorized=True),
    Route("GET", "/v1/health", "predict", authorized=False),
    Route("GET", "/openapi.json", "predict", authorized=False),
    Route("GET", "/docs", "predict", authorized=False),
    Route("GET", "/docs/{asset}", "predict", authorized=False),
    Route("PUT", "/v1/features/{entity_id}", "records", authorized=True),
    Route("POST", "/v1/features/batch", "records", authorized=True),
    Route("GET", "/v1/subjects/{entity_id}", "records", authorized=True),
    Route("DELETE", "/v1/subjects/{entity_id}", "records", authorized=True),
    Route("GET", "/v1/routing", "records", authorized=True),
    Route("PUT", "/v1/routing", "records", authorized=True),
    Route("POST", "/v1/routing/promote", "records", authorized=True),
    Route("POST", "/v1/routing/rollback", "records", authorized=True),
)
SCHEDULES = (Schedule("maintain", {"task": "all"}, 5.0, {"valkey": {"task": "refill"}}),)
