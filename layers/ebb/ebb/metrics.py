"""Counts and states of this process, as CloudWatch metrics on standard output.

One line of the embedded metric format per 100 requests or 10 seconds: a line per request would cost more than the
request. What has not been flushed when the environment vanishes is lost; the prediction events are the truth.
Format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import re
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import orjson

_NAMESPACE = "Ebb"
_REQUESTS, _SECONDS = 100, 10.0
_MOST_A_DIRECTIVE = _MOST_VALUES = 100
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Silent:
    """Signals that nobody watches."""

    def count(self, name: str, by: float = 1) -> None:
        """Forget a count."""

    def gauge(self, name: str, value: float) -> None:
        """Forget a state."""

    def observe(self, name: str, value: float) -> None:
        """Forget a measurement."""


class Metrics:
    """`Signals` that are added up in the process and written as one line now and then.

    Args:
        dimensions: what every metric is told apart by, such as the function and the contract.
        write: takes a line with its newline; standard output by default.
        clock: monotonic seconds, for when the next line is due.
        wall: epoch seconds, for the line's timestamp.
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
        self._lock = Lock()
        self._counts: dict[str, float] = {}
        self._gauges: dict[str, float] = {}
        self._measured: dict[str, deque[float]] = {}
        self._known: set[str] = set()
        self._requests, self._flushed = 0, clock()

    def count(self, name: str, by: float = 1) -> None:
        """Add to a count, which starts at 0 with every line.

        Raises:
            ValueError: the name is no plain word; only those of the code itself are.
        """
        with self._lock:
            self._know(name)
            self._counts[name] = self._counts.get(name, 0) + by

    def gauge(self, name: str, value: float) -> None:
        """State the present value, which every line repeats until it changes.

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
        with self._lock:
            measured = self._measured.get(name)
            if measured is None:
                self._know(name)
                measured = self._measured[name] = deque(maxlen=_MOST_VALUES)
            measured.append(value)

    def tick(self) -> None:
        """Note the end of one request; writes the line when it is due."""
        self._requests += 1
        if self._requests >= _REQUESTS or self._clock() - self._flushed >= _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what there is as one line; nothing where there is nothing."""
        with self._lock:
            counts, self._counts = self._counts, {}
            measured, self._measured = self._measured, {}
            gauges = dict(self._gauges)
        requests, self._requests = self._requests, 0
        self._flushed = self._clock()
        if requests:
            counts["requests"] = counts.get("requests", 0) + requests
        if counts or gauges or measured:
            self._write(self._line(counts, gauges, {name: list(values) for name, values in measured.items()}))

    def _know(self, name: str) -> None:
        # An entity or a value of a person can never become a metric's name by mistake.
        if name in self._known:
            return
        if not _NAME.fullmatch(name) or name in self._dimensions:
            raise ValueError("a metric's name must be one lower-case word of letters, digits and underscores")
        self._known.add(name)

    def _line(
        self, counts: Mapping[str, float], gauges: Mapping[str, float], measured: Mapping[str, list[float]]
    ) -> str:
        metrics = [{"Name": name, "Unit": "Count"} for name in counts]
        metrics += [{"Name": name, "Unit": "Milliseconds" if name.endswith("_ms") else "None"} for name in measured]
        metrics += [{"Name": name, "Unit": "None"} for name in gauges if name not in counts]
        directives: list[dict[str, Any]] = [
            {
                "Namespace": _NAMESPACE,
                "Dimensions": [list(self._dimensions)],
                "Metrics": metrics[start : start + _MOST_A_DIRECTIVE],
            }
            for start in range(0, len(metrics), _MOST_A_DIRECTIVE)
        ]
        about = {"Timestamp": int(self._wall() * 1000), "CloudWatchMetrics": directives}
        return orjson.dumps({"_aws": about, **self._dimensions, **gauges, **counts, **measured}).decode() + "\n"


def _to_stdout(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()
