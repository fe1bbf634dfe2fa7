"""The FastAPI door: the same service, described for people and tools by OpenAPI."""

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from mangum import Mangum

from ebb.http.doors import Report, Route, answer
from ebb.http.problems import JSON, PROBLEM
from lambdas.predict.schemas import HealthAnswer, PredictionAnswer, PredictionBody, Problem, ReleasesAnswer
from lambdas.predict.service import PredictService

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {PROBLEM: {}}, "description": description}
    for status, description in (
        (400, "The body cannot be read"),
        (403, "The token lacks a scope"),
        (404, "No features are held for this entity"),
        (409, "A feature is older than the contract allows"),
        (413, "The body is too large"),
        (422, "A value does not fit the contract"),
        (429, "The client asks too often"),
        (503, "There is no release yet, or a server does not answer"),
    )
}
_BODY = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": PredictionBody.model_json_schema()}}}
}


Door = Callable[[dict[str, Any], Any], dict[str, Any]]


def make_door(service: PredictService) -> Door:
    """Build the application as a Lambda handler; Mangum expects an event loop that is already there."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    return Mangum(make_api(service), lifespan="off", text_mime_types=["text/", JSON, PROBLEM])


def make_api(service: PredictService) -> FastAPI:
    """Build the application around one service."""
    api = FastAPI(title="Ebb predictions", version="1", docs_url=None, redoc_url=None)

    @api.post(
        "/v1/predictions",
        summary="Score one entity",
        responses={200: {"model": PredictionAnswer}, **_PROBLEMS},
        openapi_extra=_BODY,
    )
    async def predict(request: Request) -> Response:
        return _through(request, service.predict, service.report)

    @api.get("/v1/releases", summary="What serves", responses={200: {"model": ReleasesAnswer}, **_PROBLEMS})
    async def releases(request: Request) -> Response:
        return _through(request, service.releases, service.report)

    @api.get("/v1/health", summary="Whether the function runs", responses={200: {"model": HealthAnswer}})
    async def health(request: Request) -> Response:
        return _through(request, service.health, service.report)

    return api


def _through(request: Request, route: Route, report: Report) -> Response:
    result = answer(request.scope["aws.event"], route, report)
    return Response(result.body, result.status, dict(result.headers))
