"""The measurement of the overhead runs and leaves nothing behind; how good its figures are, the benchmark says."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPT = Path(__file__).parents[2] / "load" / "overhead.py"


def test_the_overhead_can_be_measured() -> None:
    spec = importlib.util.spec_from_file_location("overhead", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    measure: Callable[[int], dict[str, float]] = module.measure
    figures = measure(100)
    assert list(figures) == ["cached_p50_ms", "cached_p99_ms", "uncached_p50_ms", "uncached_p99_ms"]
    assert all(figure > 0 for figure in figures.values())
    assert figures["cached_p50_ms"] <= figures["cached_p99_ms"]
