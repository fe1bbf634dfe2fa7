"""What a hook asks a version of the prediction function, as events that no gateway can send.

The gateway's route keys begin with a method of HTTP; these do not, so only who may invoke the function asks them.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from ebb.http.scopes import ADMIN, PREDICT

NAMED = "TRY releases"
"""Which releases does the newest routing table name? Answered with `contract`, `routing` and `releases`."""

ONE = "TRY release"
"""Load `{"release": ...}` and let it answer its golden examples. Answered with `refused`: None, or the reason."""

SERVES = "GET /v1/releases"
HEALTH = "GET /v1/health"

CLIENT = "ebb-shift"
"""Who asks, for the rate limit."""


def question(key: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return an event in payload format 2.0 with the claims of somebody who may operate.

    Args:
        key: the route key.
        body: a JSON document; None for none.
    """
    return {
        "version": "2.0",
        "routeKey": key,
        "rawPath": key.rpartition(" ")[2],
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "authorizer": {"jwt": {"claims": {"client_id": CLIENT, "scope": f"{PREDICT} {ADMIN}"}, "scopes": None}},
            "routeKey": key,
            "stage": "$default",
        },
        "body": orjson.dumps(body).decode() if body is not None else "",
        "isBase64Encoded": False,
    }
