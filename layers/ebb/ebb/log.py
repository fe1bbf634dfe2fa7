"""The log of every function: Powertools' JSON lines on standard error, imported with the first line that is written.

A normal prediction writes none, and the import takes some 60 ms. A line says what happened, where and to which call;
it never holds an entity or a value: whoever writes one hands over sentences of the code's own.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

SERVICE = "ebb"
_LEVELS = {"ERROR": logging.ERROR, "INFO": logging.INFO}


class Log:
    """Writes lines; what goes wrong with that is nobody's problem, least of all a caller's.

    Args:
        environment: tells the function's name, and Powertools the trace's id.

    Attributes:
        cold: whether this environment has not ended its first invocation yet.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self.cold = True

    def error(self, what: str, correlation_id: str = "") -> None:
        """Write that something went wrong.

        Args:
            what: a sentence without any personal value.
            correlation_id: names the call; empty where it was none.
        """
        self._say("ERROR", what, correlation_id)

    def info(self, what: str, correlation_id: str = "") -> None:
        """Write what went well, where somebody waits to know; arguments as of `error`."""
        self._say("INFO", what, correlation_id)

    def _say(self, level: str, what: str, correlation_id: str) -> None:
        about = {"correlation_id": correlation_id} if correlation_id else {}
        try:
            self._logger.log(_LEVELS[level], what, extra={"cold_start": self.cold, **about})
        except Exception as error:  # noqa: BLE001 - without Powertools a line is poorer, but it is there
            self._poorer(level, what, about, type(error).__name__)

    @cached_property
    def _logger(self) -> Any:
        from aws_lambda_powertools.logging import Logger  # noqa: PLC0415 - see above

        return Logger(
            service=SERVICE,
            level="INFO",
            logger_handler=_Lines(),
            json_serializer=json.dumps,
            json_deserializer=str,  # a sentence stays one, also if it happens to be JSON
            log_record_order=["level", "message", "timestamp"],
            utc=True,
            use_rfc3339=True,
            location=None,  # it would always name this file
            function_name=self._environment.get("AWS_LAMBDA_FUNCTION_NAME"),
        )

    def _poorer(self, level: str, what: str, about: Mapping[str, str], why: str) -> None:
        line = {
            "level": level,
            "message": what,
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "service": SERVICE,
            "function_name": self._environment.get("AWS_LAMBDA_FUNCTION_NAME"),
            "cold_start": self.cold,
            **about,
            "without_powertools": why,
        }
        _write(json.dumps(line))


class _Lines(logging.Handler):
    """Writes to what standard error is at that moment, a whole line at once."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; `logging` itself would print a traceback where that fails."""
        with suppress(Exception):
            _write(self.format(record))


def _write(line: str) -> None:
    with suppress(OSError, ValueError):  # full, or closed
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


LOG = Log()
"""Of this process."""
