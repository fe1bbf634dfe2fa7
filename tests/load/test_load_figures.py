"""The bulk load's promised figures, guarded with as many entities as the promise speaks of."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.load.guard import guard
from tests.load.load_figures import CATEGORIES, NUMBERS, Reader, load_figures, write_table
from training.contract_file import read_contract
from training.dataset import read_dataset


@pytest.mark.timeout(600)
def test_a_million_entities_of_twenty_features(tmp_path: Path) -> None:
    figures = load_figures(tmp_path)
    guard(figures)


def test_the_table_is_what_the_figures_speak_of(tmp_path: Path) -> None:
    data, contract = write_table(tmp_path, 120)
    dataset = read_dataset(data, read_contract(contract)[0], labelled=False)
    assert dataset.rows == len(set(dataset.entity_ids)) == 120
    assert dataset.inputs.numbers.shape == (120, NUMBERS)
    assert dataset.inputs.categories.shape == (120, CATEGORIES)
    assert pq.read_metadata(data).num_rows == 120


def test_a_reader_keeps_what_its_reads_took() -> None:
    reader = Reader(1)
    reader.milliseconds = [float(i) for i in range(1, 101)]
    assert reader.percentile(50) == pytest.approx(50.5)
    assert reader.percentile(100) == 100
