"""The gateway: takes HTTP, lets pass who may, calls the executor, answers."""

import logging
import os
import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from itertools import count
from typing import Any, Protocol

from ebb.errors import Misuse
from local.executor.error_bodies import REQUEST_LIMIT
from local.executor.invocation import Invocation, Kind
from local.gateway import event, event_1
from local.gateway.authorizer import Authorizer, Unauthorized
from local.gateway.event import Call
from local.gateway.refusals import refusal
from local.gateway.reply import Malformed, read
from local.gateway.routes import Route, RouteTable
from local.gateway.throttle import Bucket
from local.wire.answer import Answer
from local.wire.listener import Listener
from local.wire.request import Request
from local.wire.site import Limits

_LOG = logging.getLogger(__name__)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*(.*)")
Respond = Callable[[Answer], None]
PAYLOADS: Mapping[str, Callable[[Call], bytes]] = {"2.0": event.build, "1.0": event_1.build}
"""What a function is sent: as by an HTTP API, or by a REST API."""


class Invoker(Protocol):
    """The part of the executor that the gateway needs."""

    @property
    def functions(self) -> Mapping[str, Any]:
        """The functions that can be invoked, by name."""

    def invoke(self, name: str, payload: bytes, done: Callable[[Invocation], None]) -> str:
        """Start an invocation; `done` is called once with its end."""


def _split(target: str) -> tuple[str, str]:
    """Return raw path and query of a request target in origin or absolute form (RFC 9112, 3.2)."""
    if not target.startswith("/"):
        absolute = _ABSOLUTE.fullmatch(target)
        target = "/" + absolute[1].removeprefix("/") if absolute else "*"
    path, _, query = target.partition("?")
    return path, query


class _Refused(Exception):
    """The gateway refuses the request itself."""

    def __init__(self, status: HTTPStatus, challenge: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.challenge = challenge


class Gateway:
    """Serves routes over HTTP, in the event loop of the executor.

    Args:
        executor: what runs the functions.
        routes: what is served.
        authorizer: who may pass; needed when any route asks for a token.
        limits: how much is taken at once.
        payload: the format of the events, one of `PAYLOADS`.

    Raises:
        Misuse: there is no such payload format, or a route names an unknown function or asks for a token without an
            authorizer.
    """

    def __init__(
        self,
        executor: Invoker,
        routes: Iterable[Route],
        authorizer: Authorizer | None,
        limits: Limits | None = None,
        *,
        payload: str = "2.0",
    ) -> None:
        if payload not in PAYLOADS:
            raise Misuse(f"there is no payload format {payload!r}: choose one of {', '.join(PAYLOADS)}")
        self.build = PAYLOADS[payload]
        self.executor = executor
        self.table = RouteTable(routes)
        self.authorizer = authorizer
        self.listener = Listener(self, "the gateway", limits)
        self.port = 0
        self.prefix = os.urandom(5)
        self.numbers = count(int.from_bytes(os.urandom(4), "big"))
        now = time.monotonic()
        self.buckets: dict[str, Bucket] = {}
        for route in self.table.routes.values():
            if route.function not in executor.functions:
                raise Misuse(f'the route "{route.key}" names the function {route.function}, which does not run here')
            if route.authorized and authorizer is None:
                raise Misuse(f'the route "{route.key}" asks for a token, but there is no authorizer')
            if route.throttle is not None:
                self.buckets[route.key] = Bucket(route.throttle, now)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, and return the port.

        Raises:
            Unavailable: the port cannot be listened on; the sentence names it.
        """
        self.port = await self.listener.start(host, port)
        return self.port

    async def stop(self) -> None:
        """Accept no more and let what is being answered finish for up to 2 s."""
        await self.listener.stop()

    def _request_id(self) -> str:
        """Return an id like API Gateway's: 16 characters of base64."""
        return b64encode(self.prefix + next(self.numbers).to_bytes(6, "big")).decode()

    def refuse(self, status: int) -> Answer:
        """Return the answer to what could not be read."""
        return refusal(status, self._request_id())

    def serve(self, request: Request, respond: Respond) -> None:
        """Answer one request."""
        request_id = self._request_id()
        try:
            call = self._admit(request, request_id)
        except _Refused as refused:
            respond(refusal(refused.status, request_id, refused.challenge))
            return
        told = self.build(call)
        if len(told) > REQUEST_LIMIT:
            respond(refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, request_id))
            return
        self.executor.invoke(call.route.function, told, partial(_finish, request_id, respond))

    def _admit(self, request: Request, request_id: str) -> Call:
        """Find the route and check throttle, token and scopes.

        Raises:
            _Refused: 404, 429, 401 or 403.
        """
        path, query = _split(request.target)
        found = self.table.find(request.method, path)
        if found is None:
            raise _Refused(HTTPStatus.NOT_FOUND)
        route, parameters = found
        bucket = self.buckets.get(route.key) if self.buckets else None
        if bucket is not None and not bucket.take(time.monotonic()):
            raise _Refused(HTTPStatus.TOO_MANY_REQUESTS)
        context = None
        if route.authorized and self.authorizer is not None:
            try:
                grant = self.authorizer.check(request.headers.get("authorization"))
            except Unauthorized as error:
                raise _Refused(HTTPStatus.UNAUTHORIZED, error.challenge) from error
            if route.scopes and grant.scopes.isdisjoint(route.scopes):
                wanted = " ".join(route.scopes)
                raise _Refused(HTTPStatus.FORBIDDEN, f'Bearer scope="{wanted}" error="insufficient_scope"')
            context = grant.context
        return Call(request, route, parameters, path, query, context, request_id, time.time(), self.port)


def _finish(request_id: str, respond: Respond, invocation: Invocation) -> None:
    """Turn the end of an invocation into the answer."""
    if invocation.kind is Kind.ANSWERED:
        try:
            respond(read(invocation.body, request_id))
        except Malformed as error:
            _LOG.warning("request %s: the function's answer is malformed: %s", request_id, error)
            respond(refusal(HTTPStatus.INTERNAL_SERVER_ERROR, request_id))
    elif invocation.kind is Kind.FUNCTION_ERROR or (invocation.kind is Kind.CRASHED and invocation.began):
        respond(refusal(HTTPStatus.BAD_GATEWAY, request_id))
    else:
        respond(refusal(HTTPStatus.SERVICE_UNAVAILABLE, request_id))
