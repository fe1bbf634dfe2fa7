"""The FastAPI door: the same service, described for people and tools by OpenAPI."""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from mangum import Mangum
from mangum.handlers import HTTPGateway
from starlette.exceptions import HTTPException

from ebb.http.doors import Route, answer, unknown_route
from lambdas.predict.described import description
from lambdas.predict.docs import asset, page
from lambdas.predict.service import PredictService

Door = Callable[[dict[str, Any], Any], dict[str, Any]]

_TEXT = ("text/", "application/json", "application/problem+json")
_OURS = b"content-length"
"""The gateway counts itself."""


def make_door(service: PredictService) -> Door:
    """Build the application as a Lambda handler; Mangum expects an event loop that is already there."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    return Mangum(make_api(service), lifespan="off", custom_handlers=[_Gateway])


def routes_of(service: PredictService) -> Mapping[str, Route]:
    """Return every route by its key."""
    return {
        "POST /v1/predictions": service.predict,
        "POST /v1/predictions/batch": service.predict_batch,
        "GET /v1/releases": service.releases,
        "GET /v1/health": service.health,
        "GET /openapi.json": lambda _call: description(service.contract()),
        "GET /docs": page,
        "GET /docs/{asset}": asset,
    }


def make_api(service: PredictService) -> FastAPI:
    """Build the application around one service."""
    api = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    for key, route in routes_of(service).items():
        method, path = key.split(" ")
        api.add_api_route(path, _endpoint(route, service), methods=[method], response_model=None)
    api.add_exception_handler(HTTPException, _endpoint(unknown_route, service))
    return api


def _endpoint(route: Route, service: PredictService) -> Callable[..., Any]:
    async def endpoint(request: Request, _error: Any = None) -> Response:
        result = answer(request.scope["aws.event"], route, service.report)
        return Response(result.body, result.status, dict(result.headers))

    return endpoint


class _Gateway(HTTPGateway):
    """An event of the HTTP API, whatever it looks like: it has found its route, and the routes read it themselves."""

    @classmethod
    def infer(cls, _event: Any, _context: Any, _config: Any) -> bool:
        return True

    @property
    def body(self) -> bytes:
        return b""

    @property
    def scope(self) -> Any:
        key = self.event.get("routeKey")
        method, _, path = key.partition(" ") if isinstance(key, str) else ("GET", "", "")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path or "/",
            "raw_path": None,
            "root_path": "",
            "query_string": b"",
            "headers": [],
            "server": ("localhost", 443),
            "client": None,
            "aws.event": self.event,
            "aws.context": self.context,
        }

    def __call__(self, response: Any) -> dict[str, Any]:
        headers = {name.decode(): value.decode("latin-1") for name, value in response["headers"] if name != _OURS}
        content: bytes = response["body"]
        is_text = headers.get("content-type", "").startswith(_TEXT) and "content-encoding" not in headers
        return {
            "statusCode": response["status"],
            "headers": headers,
            "body": content.decode() if is_text else b64encode(content).decode(),
            "isBase64Encoded": not is_text,
        }
