"""What a function answered, turned into HTTP by the rules of payload format 2.0."""

import re
from base64 import b64decode
from functools import lru_cache
from typing import Any

import orjson

from local.wire.answer import Answer

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNFIT = re.compile(r"[\r\n\0]")
# The gateway frames the answer itself.
_OURS = frozenset({"connection", "content-length", "date", "keep-alive", "transfer-encoding", "apigw-requestid"})
_STATUSES = range(200, 600)
_TEXT = "content-type: text/plain;charset=utf-8\r\n"
_JSON = "content-type: application/json\r\n"


class Malformed(Exception):
    """The function's answer is not one that API Gateway understands."""


@lru_cache(maxsize=256)
def _name(name: str) -> str:
    """Return a header's name in lower case.

    Raises:
        Malformed: the name is no token.
    """
    if not _NAME.fullmatch(name):
        raise Malformed(f"header {name[:64]!r}")
    return name.lower()


def _line(name: str, value: Any) -> str:
    """Return one header line.

    Raises:
        Malformed: the value is no text of one line.
    """
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str) or _UNFIT.search(value):
        raise Malformed(f"header {name[:64]!r}")
    return f"{name}: {value}\r\n"


def _lines(headers: Any, cookies: Any, *, has_body: bool) -> str:
    if not isinstance(headers, dict) or not isinstance(cookies, list):
        raise Malformed("headers must be an object and cookies a list")
    named = {lower: value for name, value in headers.items() if (lower := _name(name)) not in _OURS}
    lines = [_line(name, value) for name, value in named.items()]
    lines.extend([_line("set-cookie", cookie) for cookie in cookies])
    if has_body and "content-type" not in named:
        lines.append(_TEXT)
    return "".join(lines)


def _content(body: Any, is_base64: Any) -> bytes:
    if body is None:
        return b""
    if not isinstance(body, str):
        raise Malformed("body must be text")
    if not is_base64:
        return body.encode()
    try:
        return b64decode(body, validate=True)
    except ValueError as error:
        raise Malformed("body is not base64") from error


def read(document: bytes, request_id: str) -> Answer:
    """Return the HTTP answer that a function's answer means.

    Args:
        document: what the function returned, as JSON: an object with statusCode, headers, cookies, body and
            isBase64Encoded, or anything else, which is then itself the body of a 200.
        request_id: the gateway's id of the request.

    Raises:
        Malformed: it means none.
    """
    try:
        answer = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise Malformed("not JSON") from error
    tail = f"apigw-requestid: {request_id}\r\n"
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return Answer(200, (_JSON + tail).encode("latin-1"), document)
    status = answer["statusCode"]
    if type(status) is not int or status not in _STATUSES:
        raise Malformed("statusCode must be a whole number from 200 to 599")
    body = _content(answer.get("body"), answer.get("isBase64Encoded"))
    lines = _lines(answer.get("headers") or {}, answer.get("cookies") or [], has_body=bool(body))
    return Answer(status, (lines + tail).encode("utf-8"), body)
