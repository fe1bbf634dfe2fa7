"""A history of five million rows: what is promised of fifty, guarded; see `tests.load.figures`."""

import time
from itertools import pairwise
from pathlib import Path

import pytest

from ebb.errors import Misuse
from ebb.postgres.month import Month
from tests.load.guard import guard
from tests.load.history import history_figures
from tests.load.history_rows import MONTHS, months_until_now, need_disk

ROWS = 5_000_000


@pytest.mark.timeout(900)
def test_reads_as_of_a_moment_and_months_that_come_and_go() -> None:
    made: list[int] = []
    figures = history_figures(ROWS, made.append)
    assert sum(made) == ROWS
    guard(figures)


def test_a_disk_without_room_is_refused_in_a_sentence(tmp_path: Path) -> None:
    assert need_disk(tmp_path, 1_000) < 1e6
    with pytest.raises(Misuse, match=r"take about .* GB, and the disk of .* must have twice that free"):
        need_disk(tmp_path, 10**12)


def test_the_months_end_with_the_present_one() -> None:
    months = months_until_now()
    assert len(months) == len(set(months)) == MONTHS
    assert months[-1] == Month.of(time.time())
    assert all(before.next == after for before, after in pairwise(months))
