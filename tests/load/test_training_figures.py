"""Training within its budget, guarded: time, memory, and how near it comes to the truth."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.load.guard import guard
from tests.load.training_figures import make_table, training_figures
from tests.load.watched import watch
from training.contract_file import read_contract


@pytest.mark.timeout(600)
def test_training_within_a_minute(tmp_path: Path) -> None:
    guard(list(training_figures(tmp_path)))


def test_the_table_is_what_the_figures_speak_of(tmp_path: Path) -> None:
    table = make_table(tmp_path, 2_000)
    contract, _ = read_contract(table.contract)
    assert len(contract.features) == 32
    assert pq.read_metadata(table.data).num_rows == 2_000
    assert 0.7 < table.true_auc < 1
    assert table.plain_bytes > 2_000 * 32


def test_what_a_command_holds_is_seen_and_its_failure_is_told(tmp_path: Path) -> None:
    ran = watch(["synthesize", "--rows", 1_000, "--out", tmp_path / "a"])
    assert ran.told["rows"] == 1_000
    assert ran.peak > 20e6
    with pytest.raises(RuntimeError, match=r"(?s)ebb synthesize.*failed: .*--rows"):
        watch(["synthesize", "--rows", 0, "--out", tmp_path / "b"])
