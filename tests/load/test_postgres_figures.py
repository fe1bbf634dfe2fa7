"""The durable tier's promised figures, guarded; see `tests.load.figures`."""

import pytest

from tests.load.bench import rows_of
from tests.load.postgres_figures import postgres_figures


@pytest.mark.timeout(300)
def test_reads_cost_little_more_than_the_bare_driver() -> None:
    figures = postgres_figures()
    for row in rows_of(figures):
        print(" | ".join(row))  # noqa: T201 - shown by `make verify`
    missed = [f"{f.name}: {f.measured:g} against {f.target}" for f in figures if not f.tolerable]
    assert not missed, missed
