"""Batch scoring's promised figures, guarded, and the measuring itself."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.load.batch_figures import CATEGORIES, NUMBERS, batch_figures, made_release, made_rows, write_table
from tests.load.guard import guard
from training.batch.cut import cut
from training.batch.scorer import Rest, Walked
from training.dataset.texts import Texts


@pytest.mark.timeout(900)
def test_batch_scoring(tmp_path: Path) -> None:
    guard(batch_figures(tmp_path))


def test_the_table_is_what_the_figures_speak_of(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", 120)
    table = pq.ParquetFile(tmp_path / "t.parquet").read()
    assert (table.num_rows, table.num_columns) == (120, NUMBERS + CATEGORIES + 1)
    assert made_rows(120, 3).numbers.shape == (120, NUMBERS)


def test_the_graph_is_what_the_figures_speak_of_and_keeps_its_bits() -> None:
    packed = made_release(300, 31)
    parts = cut(packed.model)
    assert parts is not None
    assert parts.trees is not None
    assert (len(parts.trees.forest.firsts), len(parts.trees.forest.leaves)) == (300, 300 * 31)
    inputs = made_rows(200_000, 9)
    columns = []
    for column in inputs.categories.T:
        distinct, codes = np.unique(column.astype(str), return_inverse=True)
        columns.append(Texts(distinct.astype(object), codes.astype(np.int32)))
    walked = Walked(parts, parts.trees).score(inputs.numbers, columns)
    assert np.array_equal(walked.view(np.int32), Rest(parts).score(inputs.numbers, columns).view(np.int32))
    some = inputs.rows(slice(0, 20_000))
    alone = packed().scorer.score(some)
    assert np.array_equal(walked[:20_000].view(np.int32), alone.view(np.int32))
