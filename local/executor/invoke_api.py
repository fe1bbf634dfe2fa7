"""Lambda's Invoke API over HTTP, for boto3 and whatever else speaks it; also publishes the identity documents.

Source: "Invoke", AWS Lambda API reference. An Event invocation is not tried again when it fails.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from urllib.parse import parse_qs, unquote

import orjson

from local.executor.error_bodies import REQUEST_LIMIT
from local.executor.executor import Executor
from local.executor.invocation import Invocation, Kind
from local.executor.process import VERSION
from local.wire.answer import Answer
from local.wire.listener import Listener
from local.wire.request import Request
from local.wire.site import Limits

_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
_ARN = re.compile(r"(?:arn:aws:lambda:[^:]*:)?(?:\d{12}:)?(?:function:)?([A-Za-z0-9_-]+)(?::([A-Za-z0-9$_-]+))?")
_JSON = b"content-type: application/json\r\n"
Respond = Callable[[Answer], None]


class _Refused(Exception):
    """One of Lambda's own errors."""

    def __init__(self, status: HTTPStatus, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.message = message


def _error(status: int, error_type: str, body: bytes) -> Answer:
    return Answer(status, _JSON + f"x-amzn-errortype: {error_type}\r\n".encode(), body)


def _ended(respond: Respond, invocation: Invocation) -> None:
    """Answer a RequestResponse invocation."""
    if invocation.kind is Kind.THROTTLED:
        respond(_error(HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequestsException", invocation.body))
        return
    headers = _JSON + f"x-amzn-requestid: {invocation.request_id}\r\nx-amz-executed-version: {VERSION}\r\n".encode()
    if invocation.kind is not Kind.ANSWERED:
        headers += b"x-amz-function-error: Unhandled\r\n"
    respond(Answer(HTTPStatus.OK, headers, invocation.body))


def _unheard(invocation: Invocation) -> None:
    """End an Event invocation: nobody waits for it, and its environment's log tells how it went."""
    del invocation


class InvokeApi:
    """The control listener: `POST /2015-03-31/functions/{name}/invocations` and the identity documents.

    Args:
        executor: what runs the functions.
        identity_documents: JSON documents to publish, by path.
    """

    def __init__(self, executor: Executor, identity_documents: Mapping[str, bytes]) -> None:
        self.executor = executor
        self.documents = dict(identity_documents)
        # SigV4 headers and a session token are larger than what API Gateway takes; the body ends at Lambda's 6 MB.
        self.listener = Listener(self, "the Lambda Invoke API", Limits(head_bytes=65_536))

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, and return the port.

        Raises:
            Unavailable: the port cannot be listened on; the sentence names it.
        """
        return await self.listener.start(host, port)

    async def stop(self) -> None:
        """Accept no more and let what is being answered finish for up to 2 s."""
        await self.listener.stop()

    def refuse(self, status: int) -> Answer:
        """Return the answer to what could not be read."""
        message = HTTPStatus(status).phrase
        return _error(status, "InvalidRequestContentException", orjson.dumps({"message": message}))

    def serve(self, request: Request, respond: Respond) -> None:
        """Answer one request."""
        path, _, query = request.target.partition("?")
        document = self.documents.get(path)
        if document is not None and request.method in {"GET", "HEAD"}:
            respond(Answer(HTTPStatus.OK, _JSON, document))
            return
        try:
            self._invoke(request, path, query, respond)
        except _Refused as refused:
            body = orjson.dumps({"Type": "User", "message": refused.message, "Message": refused.message})
            respond(_error(refused.status, refused.error_type, body))

    def _invoke(self, request: Request, path: str, query: str, respond: Respond) -> None:
        name = self._function(request, path, query)
        kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
        payload = self._payload(request)
        if kind == "DryRun":
            respond(Answer(HTTPStatus.NO_CONTENT, b"", b""))
        elif kind == "Event":
            request_id = self.executor.invoke(name, payload, _unheard)
            respond(Answer(HTTPStatus.ACCEPTED, _JSON + f"x-amzn-requestid: {request_id}\r\n".encode(), b""))
        elif kind == "RequestResponse":
            self.executor.invoke(name, payload, partial(_ended, respond))
        else:
            raise _Refused(
                HTTPStatus.BAD_REQUEST,
                "InvalidParameterValueException",
                f"InvocationType {kind[:64]} is not RequestResponse, Event or DryRun",
            )

    def _function(self, request: Request, path: str, query: str) -> str:
        """Return the name of the function that a path asks for, by name or ARN."""
        matched = _PATH.fullmatch(path)
        if matched is None or request.method != "POST":
            raise _Refused(HTTPStatus.NOT_FOUND, "UnknownOperationException", f"{request.method} {path} is unknown")
        named = _ARN.fullmatch(unquote(matched[1]))
        qualifier = parse_qs(query).get("Qualifier", [VERSION])[0]
        if named is None or named[1] not in self.executor.pools or (named[2] or qualifier) != VERSION:
            asked = self.executor.account.function_arn(named[1] if named else unquote(matched[1]))
            raise _Refused(HTTPStatus.NOT_FOUND, "ResourceNotFoundException", f"Function not found: {asked}")
        return named[1]

    def _payload(self, request: Request) -> bytes:
        """Return the event; an empty body is an empty object."""
        body = request.body or b"{}"
        if len(body) > REQUEST_LIMIT:
            raise _Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "RequestTooLargeException",
                f"Request must be smaller than {REQUEST_LIMIT} bytes for the InvokeFunction operation",
            )
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise _Refused(
                HTTPStatus.BAD_REQUEST,
                "InvalidRequestContentException",
                f"Could not parse request body into json: {error}",
            ) from error
        return body
