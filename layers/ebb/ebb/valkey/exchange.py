"""One question to one server."""

from typing import Any

from redis.exceptions import TimeoutError as NoAnswer

from ebb.errors import Unavailable
from ebb.valkey.answers import refusal
from ebb.valkey.link import Link, Request
from ebb.valkey.refusal import FAILURES
from ebb.valkey.server import Server


def exchange(server: Server, request: Request, deadline: float) -> list[Any]:
    """Ask, and return the replies that come before `deadline`, a moment of `time.monotonic`.

    Raises:
        Unavailable: the server did not answer in time, was lost or refused; its breaker knows.
    """
    return last_chance(server, ask(server, request, deadline), deadline)


def ask(server: Server, request: Request, connected_by: float) -> Link:
    """Send a question.

    Raises:
        Unavailable: the server cannot be reached.
    """
    try:
        return server.send(request, connected_by)
    except FAILURES as error:
        raise server.failed(error) from None


def replies_by(server: Server, link: Link, until: float) -> list[Any] | None:
    """Return the replies that come until then; None where they have not.

    Raises:
        Unavailable: the connection was lost, or the server refused.
    """
    try:
        come = link.wait(until)
    except FAILURES as error:
        link.close()
        raise server.failed(error) from None
    return judged(server, link) if come else None


def last_chance(server: Server, link: Link, deadline: float) -> list[Any]:
    """Return the replies that come before the deadline; after it they are not waited for any more.

    Raises:
        Unavailable: see `exchange`.
    """
    replies = replies_by(server, link, deadline)
    if replies is None:
        raise overdue(server, link)
    return replies


def overdue(server: Server, link: Link) -> Unavailable:
    """Report that replies have not come in time, and put their connection aside; return what that means to callers."""
    error = server.failed(NoAnswer())
    server.park(link)
    return error


def judged(server: Server, link: Link) -> list[Any]:
    """Return replies that are all there, and report to the breaker.

    Raises:
        Unavailable: the server refused.
    """
    error = refusal(link.replies)
    if error is not None:
        raise server.refused(link, error)
    server.succeeded(link)
    return link.replies
