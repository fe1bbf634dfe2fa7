"""Which function answers which call: the gateway on AWS and the one of the local cloud are made from this table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ApiRoute:
    """One route.

    Attributes:
        method: HTTP method.
        path: template; a parameter is one whole segment.
        function: that answers.
        authorized: whether a valid token is needed.
    """

    method: str
    path: str
    function: str
    authorized: bool = True


ROUTES = (
    ApiRoute("POST", "/v1/predictions", "predict"),
    ApiRoute("POST", "/v1/predictions/batch", "predict"),
    ApiRoute("GET", "/v1/releases", "predict"),
    ApiRoute("GET", "/v1/health", "predict", authorized=False),
    ApiRoute("GET", "/openapi.json", "predict", authorized=False),
    ApiRoute("GET", "/docs", "predict", authorized=False),
    ApiRoute("GET", "/docs/{asset}", "predict", authorized=False),
    ApiRoute("PUT", "/v1/features/{entity_id}", "records"),
    ApiRoute("POST", "/v1/features/batch", "records"),
    ApiRoute("GET", "/v1/subjects/{entity_id}", "records"),
    ApiRoute("DELETE", "/v1/subjects/{entity_id}", "records"),
    ApiRoute("GET", "/v1/registry", "records"),
    ApiRoute("GET", "/v1/routing", "records"),
    ApiRoute("PUT", "/v1/routing", "records"),
    ApiRoute("POST", "/v1/routing/promote", "records"),
    ApiRoute("POST", "/v1/routing/rollback", "records"),
)
