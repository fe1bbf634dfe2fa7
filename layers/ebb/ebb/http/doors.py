"""How every function turns a call into an answer: one place where errors become problems."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from ebb.errors import EbbError, NoRelease, ReleaseError, Unavailable, UnknownRoute
from ebb.http.calls import Call
from ebb.http.gateway import call_from_event, correlation_id_of
from ebb.http.problems import Answer, ok, problem, unexpected
from ebb.log import LOG

Route = Callable[[Call], object]
Report = Callable[[str, str], None]

_UNFORESEEN = 500


def unknown_route(_call: Call) -> NoReturn:
    """Stand for every route that a function does not have.

    Raises:
        UnknownRoute: always.
    """
    raise UnknownRoute("there is no such call here: /openapi.json says which there are")


def answer(event: Any, route: Route, report: Report) -> Answer:
    """Run one route for an API Gateway event and answer with its document or the problem that stands for its error.

    Args:
        event: payload format 2.0; whatever else it is, there is an answer with a correlation id.
        route: from the call to a JSON document, or to the whole answer.
        report: takes what happened and the correlation id, for the log; never a personal value.
    """
    correlation_id = correlation_id_of(event)
    try:
        result = route(call_from_event(event, correlation_id))
        return result if isinstance(result, Answer) else ok(result, correlation_id)
    except EbbError as error:
        answered = problem(error, correlation_id)
        if isinstance(error, ReleaseError) and not isinstance(error, NoRelease):
            report(f"release refused: {error}", correlation_id)
        elif isinstance(error, Unavailable):
            report(f"unavailable: {error}", correlation_id)
        elif answered.status == _UNFORESEEN:
            report(f"unexpected {type(error).__name__} in {place_of(error)}", correlation_id)
        return answered
    except Exception as error:  # noqa: BLE001 - no traceback may reach a caller
        report(f"unexpected {type(error).__name__} in {place_of(error)}", correlation_id)
        return unexpected(correlation_id)


def dispatch(event: Any, routes: Mapping[str, Route], report: Report) -> Answer:
    """Answer an event by its route key; see `answer`."""
    key = event.get("routeKey") if isinstance(event, dict) else None
    return answer(event, routes.get(key, unknown_route) if isinstance(key, str) else unknown_route, report)


def report_to_log(what: str, correlation_id: str) -> None:
    """Write one JSON line to the function's log; never raises."""
    LOG.error(what, correlation_id)


def place_of(error: BaseException) -> str:
    """Name the innermost function, whose arguments may be personal and are not written."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "an unknown place"
