"""The fast tier's promised figures, guarded, and the measuring itself."""

import time

import pytest

from tests.load.guard import guard
from tests.load.valkey_figures import _interleaved, _percentile, valkey_figures


@pytest.mark.timeout(300)
def test_the_fast_tier() -> None:
    figures = valkey_figures()
    guard(figures)
    by_name = {figure.name: figure.measured for figure in figures}
    # Without a hedge the delay is there to be seen, so what took it away was the hedge.
    assert by_name["slow reads, p99 without a hedge"] > 90
    # With an extra read each, or with none while the primary's breaker is open: a busy machine opens it.
    assert by_name["answers by the replica"] > 1


def test_cpu_is_measured_and_not_waiting() -> None:
    def work(_who: str) -> None:
        sum(range(2_000))

    def work_and_wait(_who: str) -> None:
        sum(range(2_000))
        time.sleep(0.0002)

    plain, waiting = _interleaved([work, work_and_wait])
    assert 0 < waiting < plain + 150


def test_a_percentile_is_a_time_that_was_measured() -> None:
    assert _percentile([3.0, 1.0, 2.0, 100.0], 0.5) == 3.0
    assert _percentile([float(number) for number in range(1_000)], 0.99) == 990.0
