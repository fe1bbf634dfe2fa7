"""Scoring in processes of their own, killed runs, full disks, and the command."""

import hashlib
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from ebb.errors import DataError, Unavailable
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release import manifest as m
from ebb.release.load import LoadedRelease
from tests.fakes.batch import made_inputs, made_model, release_of, scored, table_of, write_shards
from tests.fakes.releases import tiny_release
from tests.home import ROOT, Home
from tests.tiny_home import write_table
from training.batch import score_prefix, scorer, task
from training.progress import Silent


@pytest.fixture(scope="module")
def release() -> LoadedRelease:
    return release_of(made_model())


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_any_workers_and_batches_write_the_same_file(
    release: LoadedRelease, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = made_inputs(60_000, seed=11)
    pq.write_table(table_of(inputs), tmp_path / "t.parquet", row_group_size=7_000)
    summaries, files = [], set()
    for workers, at_once in ((1, 16_384), (1, 997), (2, 16_384), (3, 16_384)):
        monkeypatch.setattr(task, "ROWS", at_once)
        out = tmp_path / f"o.{ending}"
        summaries.append(score_prefix(release, tmp_path / "t.parquet", out, workers=workers, progress=Silent()))
        files.add(out.read_bytes())
    assert len(files) == 1
    assert all(summary == summaries[0] for summary in summaries)
    if ending == "parquet":
        expected = release.scorer.score(inputs)
        came = scored(tmp_path / "o.parquet")["probability"].to_numpy()
        assert np.array_equal(came.view(np.int32), expected.view(np.int32))
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"o.{ending}", "t.parquet"]


def test_shards_side_by_side(release: LoadedRelease, tmp_path: Path) -> None:
    write_shards(tmp_path / "data", [4_000, 0, 3_000, 2_000, 1_000])
    one = score_prefix(release, tmp_path / "data", tmp_path / "one", progress=Silent())
    two = score_prefix(release, tmp_path / "data", tmp_path / "two", workers=2, progress=Silent())
    assert one == two
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_walked_trees_in_a_whole_run(release: LoadedRelease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = made_inputs(30_000, seed=2)
    pq.write_table(table_of(inputs), tmp_path / "t.parquet")
    score_prefix(release, tmp_path / "t.parquet", tmp_path / "a.parquet", progress=Silent())
    monkeypatch.setattr(scorer, "WORTH_COMPILING", 1)
    score_prefix(release, tmp_path / "t.parquet", tmp_path / "b.parquet", progress=Silent())
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_worker_that_meets_a_damaged_shard_tells_it(release: LoadedRelease, tmp_path: Path) -> None:
    write_shards(tmp_path / "data", [500, 400, 300])
    path = sorted((tmp_path / "data").rglob("*.parquet"))[1]
    column = pq.read_metadata(path).row_group(0).column(3)
    with path.open("r+b") as file:
        file.seek(column.dictionary_page_offset)
        file.write(b"\xff" * column.total_compressed_size)
    with pytest.raises(DataError) as caught:
        score_prefix(release, tmp_path / "data", tmp_path / "out", workers=2, progress=Silent())
    assert str(path) in str(caught.value)


def test_a_killed_worker_is_told(release: LoadedRelease, tmp_path: Path) -> None:
    write_shards(tmp_path / "data", [50, 40])
    assert isinstance(release.scorer, OnnxScorer)
    broken = replace(release, scorer=Killing(release.scorer.model))
    with pytest.raises(Unavailable, match="scoring process was killed"):
        score_prefix(broken, tmp_path / "data", tmp_path / "out", workers=2, progress=Silent())


class Killing(OnnxScorer):
    """Its graph cannot be loaded by a worker, which ends without a word."""

    def __init__(self, model: bytes) -> None:
        super().__init__(model)
        self.model = b"no graph"


def test_a_killed_run_is_taken_up_where_it_was(release: LoadedRelease, tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    write_shards(data, [500, 400, 300, 200])
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.scoring_process", str(data), str(out), "stuck"], cwd=ROOT
    )
    try:
        deadline = time.monotonic() + 120
        while not list((out / ".scoring").glob("000001")) or not list(out.rglob("*.parquet")):
            assert process.poll() is None, "it should be stuck in its second shard"
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    assert len(list(out.rglob("*.parquet"))) == 1
    summary = score_prefix(release, data, out, progress=Silent())
    assert (summary["rows"], summary["already_scored"]) == (1_400, 1)
    score_prefix(release, data, tmp_path / "fresh", progress=Silent())
    assert digests(out) == digests(tmp_path / "fresh")
    assert not (out / ".scoring").exists()


@pytest.mark.parametrize("single", [True, False])
def test_a_full_disk_is_one_sentence_and_nothing_half_written(tmp_path: Path, *, single: bool) -> None:
    data, out = tmp_path / "data", tmp_path / ("o.parquet" if single else "out")
    write_shards(data, [20_000])
    source = next(data.rglob("*.parquet")) if single else data
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.scoring_process", str(source), str(out), "50000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (3, "")
    assert "could not be written" in done.stdout
    assert done.stdout.count("\n") == 0
    assert list(tmp_path.rglob("o*.parquet")) == []
    assert not list(tmp_path.rglob(".scoring*"))


def tiny_folder(folder: Path) -> Home:
    files = tiny_release()
    store = FolderReleases(folder / "releases")
    store.write("tiny", m.version_of(files), files)
    store.set_champion("tiny", m.version_of(files))
    return Home(folder)


def test_the_command_scores_a_folder_and_collects_refused_rows(tmp_path: Path) -> None:
    home = tiny_folder(tmp_path)
    rows = [{"id": f"a-{i}"} for i in range(30)]
    write_table(tmp_path / "one.csv", [*rows, {"id": "a-30", "tenure": 999}])
    plain = home.ebb("score", "--data", "one.csv", "--out", "o.csv")
    assert plain.returncode == 1
    assert "column 'tenure' is above" in plain.stderr
    assert "--refused FILE" in plain.stderr
    assert not (tmp_path / "o.csv").exists()
    told = home.json("score", "--data", "one.csv", "--out", "o.csv", "--refused", "r.csv")
    assert (told["rows"], told["refused"], told["out"]) == (30, 1, "o.csv")
    assert "one.csv,31,a-30,tenure,is above" in (tmp_path / "r.csv").read_text()
    assert "1 rows, in r.csv" in home.ok("score", "--data", "one.csv", "--out", "o.csv", "--refused", "r.csv")
    for number in range(3):
        table = pq.ParquetFile(_parquet(tmp_path, number)).read()
        (tmp_path / "shards").mkdir(exist_ok=True)
        pq.write_table(table, tmp_path / "shards" / f"{number}.parquet")
    shown = home.ok("score", "--data", "shards", "--out", "scored", "--workers", "2")
    assert "3, of which 0 were scored before" in shown
    assert "Next:" in shown
    again = home.json("score", "--data", "shards", "--out", "scored")
    assert (again["rows"], again["already_scored"], again["release"][:5]) == (60, 3, "tiny/")


def _parquet(folder: Path, number: int) -> Path:
    import pyarrow as pa  # noqa: PLC0415 - for this table alone

    usual = {"tenure": 5, "Monthly  spend": 20.5, "paperless": True, "plan": "basic", "city": "Ghent"}
    path = folder / f"{number}.parquet"
    pq.write_table(pa.Table.from_pylist([{"id": f"{number}-{i}", **usual} for i in range(20)]), path)
    return path


def test_options_of_tables_are_misuse_for_one_entity(tmp_path: Path) -> None:
    done = Home(tmp_path).ebb("score", "someone", "--workers", "2")
    assert done.returncode == 2
    assert "--workers and --refused are for --data TABLE" in done.stderr


def test_the_facts_are_json(tmp_path: Path) -> None:
    home = tiny_folder(tmp_path)
    write_table(tmp_path / "one.csv", [{"id": "a"}])
    told = json.loads(home.ok("score", "--data", "one.csv", "--out", "o.csv", "--json"))
    assert {"rows", "acted_on", "mean_probability", "release", "out"} <= set(told)
