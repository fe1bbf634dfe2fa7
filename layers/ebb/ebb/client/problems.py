"""From an answer that is no success to the exception that stands for it.

The function answers with RFC 9457 problems; what API Gateway itself refuses has its body `{"message": ...}`.
"""

import math
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from ebb.client import errors

_TYPE = "urn:ebb:problem:"
_SERVER = 500
UNDER_WAY = "under-way"

BY_PROBLEM: Mapping[str, type[errors.CallFailed]] = {
    "unknown-entity": errors.UnknownEntity,
    "stale-features": errors.StaleFeatures,
    UNDER_WAY: errors.UnderWay,
}
"""Where the status alone does not tell."""

BY_STATUS: Mapping[int, type[errors.CallFailed]] = {
    400: errors.BadCall,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    408: errors.Unavailable,
    409: errors.Conflict,
    413: errors.BadCall,
    415: errors.BadCall,
    422: errors.BadCall,
    429: errors.RateLimited,
    431: errors.BadCall,
    503: errors.Unavailable,
    504: errors.Unavailable,
}


def failure_of(response: httpx.Response, request_id: str) -> errors.CallFailed:
    """Return the exception that stands for an answer other than a success."""
    document = _document(response)
    headers = response.headers
    return _failure(
        document,
        response.status_code,
        document.get("correlation_id") or headers.get("x-correlation-id") or headers.get("apigw-requestid", ""),
        request_id,
        retry_after_of(headers),
    )


def failure_of_item(document: Mapping[str, Any], request_id: str) -> errors.CallFailed:
    """Return the exception that stands for the problem of one item of a batch."""
    status = document.get("status")
    known = status if isinstance(status, int) else _SERVER
    return _failure(document, known, document.get("correlation_id", ""), request_id, None)


def retry_after_of(headers: Mapping[str, str], clock: Callable[[], float] = time.time) -> float | None:
    """Read Retry-After, seconds or a date (RFC 9110, 10.2.3); None where there is none that can be read."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal():
        seconds = float(value)
        return seconds if math.isfinite(seconds) else None
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - clock())
    except (ValueError, OverflowError):
        return None


def _failure(
    document: Mapping[str, Any], status: int, correlation_id: Any, request_id: str, retry_after: float | None
) -> errors.CallFailed:
    kind = document.get("type")
    problem = kind.removeprefix(_TYPE) if isinstance(kind, str) and kind.startswith(_TYPE) else ""
    usual = errors.ServerTrouble if status >= _SERVER else errors.OddAnswer
    refusals = document.get("errors")
    return BY_PROBLEM.get(problem, BY_STATUS.get(status, usual))(
        _detail(document, status),
        status=status,
        problem=problem,
        correlation_id=str(correlation_id),
        request_id=request_id,
        retry_after=retry_after,
        refusals=[each for each in refusals if isinstance(each, dict)] if isinstance(refusals, list) else (),
    )


def _detail(document: Mapping[str, Any], status: int) -> str:
    """Return the function's detail, or what the gateway's message says."""
    detail = document.get("detail") or document.get("title")
    if isinstance(detail, str):
        return detail
    # A gateway of REST kind, or one with a WAF before it, writes the first letter large.
    message = document.get("message") or document.get("Message")
    return f"the gateway answered {status} {message}" if isinstance(message, str) else f"the answer was {status}"


def _document(response: httpx.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
