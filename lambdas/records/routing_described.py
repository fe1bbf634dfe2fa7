"""The description of the calls about the routing table."""

from collections.abc import Mapping
from typing import Any

from ebb.http.openapi import Operation
from ebb.http.scopes import ADMIN

_AT = 1_790_000_000.0
_ROUTING = {
    "contract": "example",
    "version": 7,
    "salt": "9f" * 16,
    "roles": [
        {"role": "champion", "release": "0f3a9c51d27e", "weight": 0.9, "slots": 9_000, "since": _AT - 900},
        {"role": "challenger", "release": "7be0c4a9f312", "weight": 0.1, "slots": 1_000, "since": _AT},
    ],
    "changes": [{"version": 7, "at": _AT, "client": "ops", "action": "set"}],
}
_CHANGED = {**_ROUTING, "written": 7, "notes": []}
_WRITE: Mapping[str, Any] = {"parameters": ("idempotency-key",), "headers": ("idempotency-replayed",)}
_CHANGE = ("bad-routing", "conflict", "no-release", "no-usable-release")
ROUTING_OPERATIONS = (
    Operation(
        "GET",
        "/v1/routing",
        "show_routing",
        "The routing table, and what changed lately",
        "RoutingAnswer",
        {"serving": _ROUTING},
        scopes=(ADMIN,),
        problems=("no-release",),
    ),
    Operation(
        "PUT",
        "/v1/routing",
        "set_roles",
        "State challengers, cheap and shadow",
        "RoutingChangedAnswer",
        {"changed": _CHANGED},
        scopes=(ADMIN,),
        body="RolesBody",
        requests={"one challenger": {"challengers": [{"release": "7be0c4a9f312", "weight": 0.1}], "based_on": 6}},
        problems=_CHANGE,
        **_WRITE,
    ),
    Operation(
        "POST",
        "/v1/routing/promote",
        "promote",
        "Make a release the champion",
        "RoutingChangedAnswer",
        {"changed": _CHANGED},
        scopes=(ADMIN,),
        body="PromoteBody",
        requests={"a challenger": {"release": "7be0c4a9f312"}},
        problems=_CHANGE,
        **_WRITE,
    ),
    Operation(
        "POST",
        "/v1/routing/rollback",
        "roll_back",
        "Champion and previous champion change places",
        "RoutingChangedAnswer",
        {"changed": _CHANGED},
        scopes=(ADMIN,),
        body="RollbackBody",
        needs_body=False,
        requests={"whatever stands": {}, "what was looked at": {"based_on": 7}},
        problems=_CHANGE,
        **_WRITE,
    ),
)
