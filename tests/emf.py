"""The embedded metric format as CloudWatch reads it, written from the rules of its published JSON schema.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_SIZES = [prefix + unit for prefix in ("", "Kilo", "Mega", "Giga", "Tera") for unit in ("bytes", "bits")]
UNITS = {"Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None"}
UNITS |= {size.capitalize() + rate for size in _SIZES for rate in ("", "/Second")}
_MOST, _DIMENSIONS, _DIMENSION, _NAME, _VALUE = 100, 30, 250, 1024, 1024


def problems_of(line: Any) -> list[str]:
    """Return what the specification refuses in a document; nothing where it is right."""
    return list(_problems(line))


def _problems(line: Any) -> Iterator[str]:
    about = line.get("_aws") if isinstance(line, dict) else None
    if not isinstance(about, dict):
        yield "the root lacks the object _aws"
        return
    if not isinstance(about.get("Timestamp"), int):
        yield "Timestamp is no whole number"
    directives = about.get("CloudWatchMetrics")
    if not isinstance(directives, list) or not directives:
        yield "CloudWatchMetrics is no list of directives"
        return
    for directive in directives:
        yield from _directive(directive, line)
    names = [metric["Name"] for directive in directives for metric in directive["Metrics"]]
    if len(set(names)) < len(names):
        yield "a metric is told twice"


def _directive(directive: Any, line: Mapping[str, Any]) -> Iterator[str]:
    if set(directive) != {"Namespace", "Dimensions", "Metrics"}:
        yield f"a directive has the keys {sorted(directive)}"
        return
    if not _text(directive["Namespace"], _NAME):
        yield "Namespace is no text"
    if not isinstance(directive["Dimensions"], list) or not directive["Dimensions"]:
        yield "Dimensions holds no set"
    for names in directive["Dimensions"]:
        if len(names) > _DIMENSIONS or len(set(names)) < len(names):
            yield "a set of dimensions is too large, or names one twice"
        for name in names:
            if not _text(name, _DIMENSION) or not _text(line.get(name), _VALUE):
                yield f"the dimension {name!r} is no text member of the root"
    if not 0 < len(directive["Metrics"]) <= _MOST:
        yield f"a directive has {len(directive['Metrics'])} metrics"
    for metric in directive["Metrics"]:
        yield from _metric(metric, line)


def _metric(metric: Mapping[str, Any], line: Mapping[str, Any]) -> Iterator[str]:
    name = metric.get("Name")
    if not _text(name, _NAME) or set(metric) - {"Name", "Unit", "StorageResolution"}:
        yield f"a metric is defined as {metric}"
        return
    if metric.get("Unit", "None") not in UNITS:
        yield f"{name} has the unit {metric['Unit']!r}"
    value = line.get(str(name))
    values = value if isinstance(value, list) else [value]
    if not 0 < len(values) <= _MOST or not all(_number(one) for one in values):
        yield f"{name} is {value!r}, neither a number nor a list of 1 to {_MOST} numbers"


def _text(value: Any, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= most and bool(value.strip())


def _number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)


def values_of(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line's metrics by name."""
    directives = line["_aws"]["CloudWatchMetrics"]
    return {metric["Name"]: line[metric["Name"]] for directive in directives for metric in directive["Metrics"]}


def units_in(line: Mapping[str, Any]) -> dict[str, str]:
    """Return the units of a line's metrics by name."""
    directives = line["_aws"]["CloudWatchMetrics"]
    return {metric["Name"]: metric["Unit"] for directive in directives for metric in directive["Metrics"]}


def lines_in(log: Path) -> list[dict[str, Any]]:
    """Return the metric lines of a function's log file; whatever else stands there is passed over."""
    texts = log.read_text().splitlines()
    return [json.loads(text) for text in texts if text.startswith('{"_aws":')]
