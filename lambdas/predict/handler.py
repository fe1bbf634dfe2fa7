"""Entry of the prediction function: the hot routes go straight to the service, the rest through FastAPI."""

import gc
import os
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any

from ebb.http.doors import dispatch
from ebb.http.payload import in_one_format
from ebb.lambda_json import use_quick_json
from ebb.trace import watched
from lambdas.predict.annotations import annotations
from lambdas.predict.bootstrap import bootstrap

SERVICE = bootstrap(os.environ)
SERVICE.warm()
use_quick_json()
# What is loaded now stays; and a batch makes 50,000 objects that go by themselves, so the collector looks less often.
gc.freeze()
gc.set_threshold(50_000)
HOT = {
    "POST /v1/predictions": SERVICE.predict,
    "POST /v1/predictions/batch": SERVICE.predict_batch,
    **SERVICE.direct,
}


@watched(annotations)
def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one API Gateway event, of an HTTP API or of a REST API."""
    event = in_one_format(event)
    key = event.get("routeKey", "") if isinstance(event, dict) else None
    rare = isinstance(key, str) and key not in HOT
    result = _door()(event, context) if rare else dispatch(event, HOT, SERVICE.report).payload()
    if result["statusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
        SERVICE.failed()
    SERVICE.tick()
    return result


@cache
def _door() -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Import FastAPI when it is first needed: the hot routes never pay for it."""
    from lambdas.predict.api import make_door  # noqa: PLC0415

    return make_door(SERVICE)
