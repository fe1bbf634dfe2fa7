"""Traces of the invocations that X-Ray samples; the others pay one look at a variable of the environment.

Lambda decides who is sampled and says so in the trace header, which its runtime client puts into `_X_AMZN_TRACE_ID`
before each invocation. The SDK takes 300 to 450 ms to import, so the first sampled invocation of an environment does.
Format: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from functools import wraps
from http import HTTPStatus
from typing import Any

from ebb.log import LOG, Log

HEADER, DAEMON = "_X_AMZN_TRACE_ID", "AWS_XRAY_DAEMON_ADDRESS"
_SAMPLED = "Sampled=1"

Handle = Callable[[dict[str, Any], Any], dict[str, Any]]
Annotation = str | int | float | bool
Annotate = Callable[[Mapping[str, Any]], Mapping[str, Annotation]]


def no_annotations(_answer: Mapping[str, Any]) -> Mapping[str, Annotation]:
    """Say nothing of an answer."""
    return {}


def watched(
    annotate: Annotate = no_annotations, *, environment: Mapping[str, str] = os.environ, log: Log = LOG
) -> Callable[[Handle], Handle]:
    """Decorate a function's handler: a sampled invocation becomes a subsegment, the first one ends the cold start.

    Args:
        annotate: from the handler's answer to what the trace says of it, nothing personal; asked for sampled ones
            only, and what it raises is forgotten.
        environment: names the function, the daemon and each invocation's trace.
        log: told when the environment is no longer cold.
    """
    name = environment.get("AWS_LAMBDA_FUNCTION_NAME", "function")
    can_send = bool(environment.get(DAEMON))

    def decorate(handle: Handle) -> Handle:
        def traced(event: dict[str, Any], context: Any) -> dict[str, Any]:
            with _subsegment(name) as notes:
                notes.update(function=name, cold_start=log.cold)
                answer = handle(event, context)
                notes.update(_of(answer, annotate))
                return answer

        @wraps(handle)
        def invoke(event: dict[str, Any], context: Any) -> dict[str, Any]:
            try:
                if can_send and _SAMPLED in environment.get(HEADER, ""):
                    return traced(event, context)
                return handle(event, context)
            finally:
                log.cold = False

        return invoke

    return decorate


def _of(answer: Mapping[str, Any], annotate: Annotate) -> dict[str, Annotation]:
    notes: dict[str, Annotation] = {}
    with suppress(Exception):
        if "statusCode" in answer:
            notes["status"] = answer["statusCode"]
        notes |= annotate(answer)
    return notes


@contextmanager
def _subsegment(name: str) -> Iterator[MutableMapping[str, Annotation]]:
    """Time the block; nothing that the SDK does or raises reaches it, nor does the SDK see what the block raises."""
    notes: dict[str, Annotation] = {}
    recorder = subsegment = None
    with suppress(Exception):
        recorder = _recorder()
        subsegment = recorder.begin_subsegment(name)
    failed = True
    try:
        yield notes
        failed = notes.get("status", HTTPStatus.OK) >= HTTPStatus.INTERNAL_SERVER_ERROR  # type: ignore[operator]
    finally:
        with suppress(Exception):
            if recorder is not None and subsegment is not None:
                if failed:
                    subsegment.add_fault_flag()
                for key, value in notes.items():
                    subsegment.put_annotation(key, value)
                recorder.end_subsegment()


def _recorder() -> Any:
    from aws_xray_sdk.core import xray_recorder  # noqa: PLC0415 - see above

    return xray_recorder
