"""The page of signals names every metric of the code with its unit, and no other; so does the table of units."""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from itertools import islice
from typing import TypeGuard

from ebb.metric_units import UNITS
from tests.home import ROOT

PAGE = ROOT / "docs" / "signals.md"
SOURCES = [path for folder in ("layers/ebb/ebb", "lambdas") for path in sorted((ROOT / folder).rglob("*.py"))]
ROW = re.compile(r"^\| `([a-z_*]+)` \| (\w+) \| (.+) \|$", re.MULTILINE)


def test_the_page_says_what_every_metric_is() -> None:
    rows = ROW.findall(PAGE.read_text())
    assert [(name, unit) for name, unit, _ in rows] == list(UNITS.items())
    assert all(len(meaning) > 10 for *_, meaning in rows)


def test_every_metric_that_is_counted_has_a_unit() -> None:
    told = set(_told())
    assert {"rate_limited", "variant_*", "breaker_*_*", "routing_version", "latency_ms"} <= told
    assert [pattern for pattern in sorted(told) if not any(_fit(name, pattern) for name in UNITS)] == []


def test_no_unit_is_of_a_metric_that_is_never_counted() -> None:
    texts = {text for path in SOURCES if path.name != "metric_units.py" for text in _texts(ast.parse(path.read_text()))}
    assert [name for name in UNITS if not any(_fit(name, text) for text in texts)] == []


def test_the_page_is_no_longer_than_a_page() -> None:
    assert len(PAGE.read_text().splitlines()) < 150


def _fit(name: str, pattern: str) -> bool:
    """Whether a name with a star may come of a pattern in the code, such as `breaker_*_open` of `breaker_*_*`."""
    return fnmatch(name.replace("*", "x"), pattern) and pattern.strip("*_") != ""


def _told() -> Iterator[str]:
    """Find the first argument of every count, gauge and observe of signals."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if _is_signal(node):
                yield from islice(_texts(node.args[0]), 1)


def _is_signal(node: ast.AST) -> TypeGuard[ast.Call]:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    whose = ast.unparse(node.func.value)
    return node.func.attr in {"count", "gauge", "observe"} and whose.endswith(("signals", "metrics"))


def _texts(tree: ast.AST) -> Iterator[str]:
    """Find all texts, with a star for what is filled in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
