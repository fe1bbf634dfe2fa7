"""One request as both kinds of API hand it on, made by the local gateway: payload format 2.0, and 1.0."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from local.gateway import event, event_1
from local.gateway.event import Call
from local.gateway.routes import Route, RouteTable
from local.wire.request import Request
from stacks.routes import ROUTES

TABLE = RouteTable([Route(route.method, route.path, route.function, route.authorized) for route in ROUTES])
NOW, PORT = 1_800_000_000.25, 8080


@dataclass(frozen=True)
class Asked:
    """A request.

    Attributes:
        method, target: as on the request line.
        body: as sent.
        headers: names and values in the order sent; a name may come again.
        claims: of the token; None where none is sent.
    """

    method: str
    target: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
    claims: dict[str, str] | None = field(
        default_factory=lambda: {"client_id": "acme", "scope": "ebb/predict ebb/explain"}
    )

    def call(self) -> Call:
        """Return what the gateway makes of it once it may pass."""
        path, _, query = self.target.partition("?")
        found = TABLE.find(self.method, path)
        assert found is not None, self.target
        request = Request(method=self.method, target=self.target, body=self.body)
        for name, value in self.headers:
            request.add_header(name.lower(), value)
        authorizer = None
        if self.claims is not None and found[0].authorized:
            authorizer = orjson.Fragment(orjson.dumps({"jwt": {"claims": self.claims, "scopes": None}}))
        return Call(request, *found, path, query, authorizer, "request-1", NOW, PORT)

    def of_http_api(self) -> dict[str, Any]:
        """Return the event of an HTTP API."""
        made: dict[str, Any] = orjson.loads(event.build(self.call()))
        return made

    def of_rest_api(self) -> dict[str, Any]:
        """Return the event of a REST API."""
        made: dict[str, Any] = orjson.loads(event_1.build(self.call()))
        return made
