"""A whole table scored with the release's graph, and written whole or not at all."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from ebb.errors import DataError, Misuse
from ebb.features.inputs import accept_row, encode
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release import manifest as m
from ebb.release.load import LoadedRelease, load_champion
from local.score_table import score_table
from tests.fakes.contracts import ROW
from tests.fakes.releases import tiny_release
from training.batch import task as module
from training.progress import Silent


@pytest.fixture
def release(tmp_path: Path) -> LoadedRelease:
    files = tiny_release()
    store = FolderReleases(tmp_path / "releases")
    store.write("tiny", m.version_of(files), files)
    store.set_champion("tiny", m.version_of(files))
    return load_champion(store, "tiny", OnnxScorer)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Fifty customers with no label column, in the contract's own spelling of the columns."""
    rows = [
        {
            "id": f"e-{i}",
            "tenure": i,
            "Monthly  spend": None if i % 7 == 0 else i * 1.5,
            "paperless": bool(i % 2),
            "plan": "basic" if i % 3 else "plus",
            "city": "Ghent",
        }
        for i in range(50)
    ]
    path = tmp_path / "customers.parquet"
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("at_once", [7, 20_000])
def test_every_row_is_scored_as_it_would_be_alone(
    release: LoadedRelease, data: Path, tmp_path: Path, ending: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS", at_once)
    out = tmp_path / f"scored.{ending}"
    summary = score_table(release, data, out, Silent())
    read = pyarrow.csv.read_csv if ending == "csv" else pyarrow.parquet.read_table
    scored = read(out).to_pylist()
    assert [row["id"] for row in scored] == [f"e-{i}" for i in range(50)]
    values = {**ROW, "tenure": 8, "spend": 12.0, "paperless": False, "plan": "basic"}
    alone = release.scorer.score(encode(release.contract, [accept_row(release.contract, values)]))[0]
    assert np.float32(scored[8]["probability"]) == alone
    assert summary["rows"] == 50
    assert summary["acted_on"] == sum(row["decision"] == "act" for row in scored)
    assert summary["mean_probability"] == pytest.approx(np.mean([row["probability"] for row in scored]))


def test_another_ending_is_misuse(release: LoadedRelease, data: Path, tmp_path: Path) -> None:
    with pytest.raises(Misuse, match=r"must end in \.csv or \.parquet"):
        score_table(release, data, tmp_path / "scored.xlsx", Silent())


def test_a_folder_that_is_not_there_is_a_sentence(release: LoadedRelease, data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="could not be written: there is no folder"):
        score_table(release, data, tmp_path / "nowhere" / "scored.csv", Silent())


def test_a_full_disk_leaves_what_was_there(
    release: LoadedRelease, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "scored.csv"
    out.write_text("before")

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(pyarrow.csv, "CSVWriter", full)
    with pytest.raises(DataError, match="No space left on device; nothing was kept"):
        score_table(release, data, out, Silent())
    assert out.read_text() == "before"
    assert sorted(path.name for path in tmp_path.glob(".scor*")) == []


def test_a_table_that_does_not_fit_is_refused(release: LoadedRelease, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("id,tenure,plan\n1,5,basic\n")
    with pytest.raises(DataError, match=r"paperless|Monthly"):
        score_table(release, path, tmp_path / "o.csv", Silent())
    assert not (tmp_path / "o.csv").exists()
