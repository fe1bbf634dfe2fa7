"""The durable tier's promised figures, guarded; see `tests.load.figures`."""

import pytest

from tests.load.guard import guard
from tests.load.postgres_figures import postgres_figures


@pytest.mark.timeout(300)
def test_reads_cost_little_more_than_the_bare_driver() -> None:
    figures = postgres_figures()
    guard(figures)
