"""What the gateway itself refuses, in the bodies of AWS's HTTP APIs (which cannot be changed there)."""

from http import HTTPStatus

from local.wire.answer import Answer

MESSAGES = {
    HTTPStatus.BAD_REQUEST: "Bad Request",
    HTTPStatus.UNAUTHORIZED: "Unauthorized",
    HTTPStatus.FORBIDDEN: "Forbidden",
    HTTPStatus.NOT_FOUND: "Not Found",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Request Entity Too Large",
    HTTPStatus.TOO_MANY_REQUESTS: "Too Many Requests",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "Request Header Fields Too Large",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Internal Server Error",
    HTTPStatus.BAD_GATEWAY: "Internal Server Error",
    HTTPStatus.SERVICE_UNAVAILABLE: "Service Unavailable",
}
_BODIES = {int(status): b'{"message":"%b"}' % message.encode() for status, message in MESSAGES.items()}


def refusal(status: int, request_id: str, challenge: str = "") -> Answer:
    """Return the gateway's own answer.

    Args:
        status: one of `MESSAGES`.
        request_id: the gateway's id of the request.
        challenge: the value of www-authenticate, for 401 and 403.
    """
    headers = f"content-type: application/json\r\napigw-requestid: {request_id}\r\n"
    if challenge:
        headers += f"www-authenticate: {challenge}\r\n"
    return Answer(status, headers.encode("latin-1"), _BODIES[status])
