"""Counts and states of this process, as CloudWatch metrics on standard output.

One line of the embedded metric format per 100 requests or 10 seconds: a line per request would cost more than the
request. What has not been flushed when the environment vanishes is lost; the prediction events are the truth.
Format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import math
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Lock, get_ident
from typing import Any

import orjson

from ebb.metric_units import unit_of

_NAMESPACE = "Ebb"
_REQUESTS, _SECONDS = 100, 10.0
_MOST_A_DIRECTIVE = _MOST_VALUES = 100
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

State = float | Callable[[], float | None]
"""A value, or what tells it when a line is written; None, NaN and what raises are left out of that line."""


class Silent:
    """Signals that nobody watches."""

    def count(self, name: str, by: float = 1) -> None:
        """Forget a count."""

    def gauge(self, name: str, value: State) -> None:
        """Forget a state."""

    def observe(self, name: str, value: float) -> None:
        """Forget a measurement."""


class Metrics:
    """`Signals` that are added up in the process and written as one line now and then.

    The thread that makes it is the one that answers: it counts without a lock, ends requests and writes lines. Any
    other, such as one that loads a release, counts beside it under a lock, and its counts go with the next line.

    Args:
        dimensions: what every metric is told apart by, such as the function and the contract.
        write: takes a line with its newline; standard output by default.
        clock: monotonic seconds, for when the next line is due.
        wall: epoch seconds, for the line's timestamp.

    Raises:
        ValueError: a dimension has the name of a count of this class.
    """

    def __init__(
        self,
        dimensions: Mapping[str, str],
        *,
        write: Callable[[str], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._dimensions = dict(dimensions)
        self._write = write or _to_stdout
        self._clock, self._wall = clock, wall
        self._owner = get_ident()
        self._lock = Lock()
        self._counts: dict[str, float] = {}
        self._beside: dict[str, float] = {}
        self._gauges: dict[str, State] = {}
        self._measured: dict[str, deque[float]] = {}
        self._known: set[str] = set()
        self._requests, self._flushed, self._cold = 0, clock(), True
        for counted_here in ("requests", "cold_start"):
            self._know(counted_here)

    def count(self, name: str, by: float = 1) -> None:
        """Add to a count, which starts at 0 with every line.

        Raises:
            ValueError: the name is no plain word; only those of the code itself are.
        """
        counts = self._counts
        if name in counts and get_ident() == self._owner:
            counts[name] += by
        else:
            self._begin(name, by)

    def gauge(self, name: str, value: State) -> None:
        """State the present value, which every line repeats until it changes; a function is asked for each line.

        Raises:
            ValueError: see `count`.
        """
        with self._lock:
            self._know(name)
            self._gauges[name] = value

    def observe(self, name: str, value: float) -> None:
        """Add one measurement; beyond the 100 that a line carries of one name, the newer takes the oldest one's place.

        Raises:
            ValueError: see `count`.
        """
        measured = self._measured.get(name)
        if measured is None:
            with self._lock:
                self._know(name)
                measured = self._measured.setdefault(name, deque(maxlen=_MOST_VALUES))
        measured.append(value)

    def tick(self) -> None:
        """Note the end of one request; writes the line when it is due."""
        if self._cold:
            self._cold = False
            self.count("cold_start")
        self._requests += 1
        if self._requests >= _REQUESTS or self._clock() - self._flushed >= _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what there is as one line; nothing where there is nothing. What cannot be written is lost."""
        counts, self._counts = self._counts, {}
        with self._lock:
            beside, self._beside = self._beside, {}
            gauges = dict(self._gauges)
        requests, self._requests = self._requests, 0
        self._flushed = self._clock()
        if requests:
            counts["requests"] = counts.get("requests", 0) + requests
        for name, by in beside.items():
            counts[name] = counts.get(name, 0) + by
        values: dict[str, float | list[float]] = {name: value for name, value in counts.items() if math.isfinite(value)}
        values |= {name: list(taken) for name, kept in self._measured.items() if (taken := _taken(kept))}
        values |= {name: told for name, state in gauges.items() if (told := _told(state)) is not None}
        if values:
            with suppress(OSError, ValueError):  # standard output is full, or closed: no answer fails for that
                self._write(self._line(values))

    def _begin(self, name: str, by: float) -> None:
        """Add to a count of another thread, or to one that this line does not have yet."""
        with self._lock:
            self._know(name)
            counts = self._counts if get_ident() == self._owner else self._beside
            counts[name] = counts.get(name, 0) + by

    def _know(self, name: str) -> None:
        # An entity or a value of a person can never become a metric's name by mistake.
        if name in self._known:
            return
        if not _NAME.fullmatch(name) or name in self._dimensions:
            raise ValueError("a metric's name must be one lower-case word of letters, digits and underscores")
        self._known.add(name)

    def _line(self, values: Mapping[str, float | list[float]]) -> str:
        metrics = [{"Name": name, "Unit": unit_of(name)} for name in values]
        directives: list[dict[str, Any]] = [
            {
                "Namespace": _NAMESPACE,
                "Dimensions": [list(self._dimensions)],
                "Metrics": metrics[start : start + _MOST_A_DIRECTIVE],
            }
            for start in range(0, len(metrics), _MOST_A_DIRECTIVE)
        ]
        about = {"Timestamp": int(self._wall() * 1000), "CloudWatchMetrics": directives}
        return orjson.dumps({"_aws": about, **self._dimensions, **values}).decode() + "\n"


def _taken(measured: deque[float]) -> list[float]:
    """Empty a distribution, which another thread may be adding to."""
    found: list[float] = []
    with suppress(IndexError):
        while len(found) < _MOST_VALUES:
            found.append(measured.popleft())
    return [value for value in found if math.isfinite(value)]


def _told(state: State) -> float | None:
    """Ask for a state that is right now."""
    value: float | None = None
    with suppress(Exception):  # what cannot be told is left out
        value = state() if callable(state) else state
    return value if value is not None and math.isfinite(value) else None


def _to_stdout(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()
