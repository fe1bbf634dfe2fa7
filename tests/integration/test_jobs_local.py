"""Every entry script through the local executor: validate, train, evaluate, batch, features."""

import json
import tarfile
from pathlib import Path

import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from ebb.errors import Misuse
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.load import load_champion
from local.jobs.executor import describe
from local.jobs.status import JobStatus
from tests.fakes.shop import rows_of, write_events, write_shop
from tests.integration.jobs_case import Jobs, training_inputs, unpacked
from tests.integration.training_case import CONTRACT, make_data
from tests.unit.test_events_build import EVENTS
from training.dataset import read_dataset

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("table"), 3_000)


@pytest.fixture(scope="module")
def trained(table: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Jobs, JobStatus]:
    """Train once, for all that read the result."""
    jobs = Jobs(tmp_path_factory.mktemp("jobs"))
    status = jobs.run("train", training_inputs(table), seconds="0", workers="1")
    assert status.status == "Completed", (status.failure_reason, jobs.log(status))
    return jobs, status


def test_a_training_leaves_releases_that_serve(trained: tuple[Jobs, JobStatus], tmp_path: Path) -> None:
    jobs, status = trained
    assert (status.exit_code, status.secondary, status.interruptions) == (0, "Completed", 0)
    assert describe(jobs.runs, status.name) == status
    releases = unpacked(status, tmp_path)
    assert [path.name for path in releases.iterdir()] == ["synthetic"]
    release = load_champion(FolderReleases(releases), "synthetic", OnnxScorer)
    with tarfile.open(Path(status.output) / "output.tar.gz") as file:
        assert file.getnames() == ["result.json"]
        content = file.extractfile("result.json")
        assert content is not None
        told = json.load(content)
    assert told["name"] == status.name
    assert told["release"] == release.name
    assert told["role"] == "champion"
    assert told["metrics"]["rows"] == 3_000


def test_what_it_ran_in_is_gone_and_its_log_is_kept(trained: tuple[Jobs, JobStatus]) -> None:
    jobs, status = trained
    assert sorted(path.name for path in (jobs.runs / status.name).iterdir()) == ["checkpoints", "log", "status.json"]
    assert jobs.log(status).splitlines()[-1] == "job train: done"


def test_its_archive_is_evaluated_as_it_is(trained: tuple[Jobs, JobStatus], table: Path, tmp_path: Path) -> None:
    _, training = trained
    jobs = Jobs(tmp_path)
    status = jobs.run("evaluate", {"release": Path(training.output), "data": table})
    assert status.status == "Completed", status.failure_reason
    found = json.loads((Path(status.output) / "evaluation.json").read_text())
    assert found["seen"] is True
    assert found["rows"] == 3_000
    assert 0.7 < found["auc"] <= 1


def test_other_rows_are_scored_as_the_graph_scores_them(trained: tuple[Jobs, JobStatus], tmp_path: Path) -> None:
    releases = unpacked(trained[1], tmp_path / "releases")
    other = make_data(tmp_path / "other", 500, seed=5)
    jobs = Jobs(tmp_path)
    status = jobs.run("evaluate", {"release": releases, "data": other})
    found = json.loads((Path(status.output) / "evaluation.json").read_text())
    assert found["seen"] is False
    assert found["rows"] == 500


def test_a_prefix_is_scored_shard_by_shard_as_its_rows_are_one_by_one(
    trained: tuple[Jobs, JobStatus], table: Path, tmp_path: Path
) -> None:
    releases, prefix = unpacked(trained[1], tmp_path / "releases"), tmp_path / "prefix"
    prefix.mkdir()
    rows = pq.read_table(table)
    pq.write_table(rows.slice(0, 400), prefix / "a.parquet")
    pq.write_table(rows.slice(400, 300), prefix / "b.parquet")
    status = Jobs(tmp_path).run("batch", {"release": releases, "data": prefix}, workers="2")
    assert status.status == "Completed", status.failure_reason
    scored = pq.read_table(Path(status.output) / "scored")
    release = load_champion(FolderReleases(releases), "synthetic", OnnxScorer)
    data = read_dataset(table, release.contract)
    known = dict(zip(data.entity_ids.tolist(), release.scorer.score(data.inputs).tolist(), strict=True))
    key = release.contract.entity_column
    assert key is not None
    found = dict(zip(scored[key].to_pylist(), scored["probability"].to_pylist(), strict=True))
    assert len(found) == 700
    assert found == {entity: known[entity] for entity in found}
    told = json.loads((Path(status.output) / "result.json").read_text())
    assert (told["rows"], told["shards"], told["release"]) == (700, 2, release.name)


def test_one_table_is_scored_into_one_table(trained: tuple[Jobs, JobStatus], table: Path, tmp_path: Path) -> None:
    status = Jobs(tmp_path).run("batch", {"release": Path(trained[1].output), "data": table}, refused="true")
    assert status.status == "Completed", status.failure_reason
    assert pq.read_metadata(Path(status.output) / "scored.parquet").num_rows == 3_000


def test_the_former_champion_travels_with_the_new_one(trained: tuple[Jobs, JobStatus], tmp_path: Path) -> None:
    before = unpacked(trained[1], tmp_path / "before")
    inputs = {**training_inputs(make_data(tmp_path / "new", 3_000, seed=7)), "champion": before}
    status = Jobs(tmp_path).run("train", inputs, seconds="0", workers="1")
    assert status.status == "Completed", status.failure_reason
    former, store = FolderReleases(before), FolderReleases(unpacked(status, tmp_path / "after"))
    assert set(former.versions("synthetic")) < set(store.versions("synthetic"))
    newest = store.champion("synthetic")
    assert newest not in {None, former.champion("synthetic")}


def test_a_table_is_validated(table: Path, tmp_path: Path) -> None:
    status = Jobs(tmp_path).run("validate", {"contract": CONTRACT, "data": table})
    assert status.status == "Completed", status.failure_reason
    assert (Path(status.output) / "findings.json").is_file()
    told = json.loads((Path(status.output) / "result.json").read_text())
    assert told["rows"] == 3_000


def test_features_are_built_as_the_command_builds_them(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    write_shop(tmp_path / "shop")
    events = write_events(tmp_path / "events.parquet", EVENTS)
    jobs = Jobs(tmp_path)
    status = jobs.run("features", {"contract": tmp_path / "shop", "events": events}, at="2024-03-10", labelled="true")
    assert status.status == "Completed", status.failure_reason
    assert sorted(path.name for path in Path(status.output).iterdir()) == ["features.parquet", "result.json"]
    assert rows_of(Path(status.output) / "features.parquet")


def test_bad_input_fails_with_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("colour\nkitsune\n")
    jobs = Jobs(tmp_path)
    status = jobs.run("train", training_inputs(bad), seconds="0")
    assert (status.status, status.exit_code, status.output) == ("Failed", 1, "")
    assert status.failure_reason.startswith("AlgorithmError: ")
    assert status.failure_reason.endswith(", exit code: 1")
    assert "\n" not in status.failure_reason
    assert "kitsune" not in status.failure_reason
    assert "Traceback" not in jobs.log(status)
    assert not (tmp_path / "results").exists()


def test_findings_are_kept_where_they_are_why_it_failed(table: Path, tmp_path: Path) -> None:
    strict = tmp_path / "strict.csv"

    rows = pq.read_table(table).slice(0, 60)
    pc.write_csv(rows, strict)
    status = Jobs(tmp_path).run("validate", {"contract": CONTRACT, "data": strict})
    assert status.status == "Failed"
    assert "rows" in status.failure_reason
    findings = json.loads((Path(status.output) / "findings.json").read_text())
    assert {finding["severity"] for finding in findings} >= {"critical"}


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [({"seconds": "soon"}, "'seconds' must be a number"), ({"families": "forest"}, "no family 'forest'")],
)
def test_parameters_are_texts_and_refused_by_the_script(
    table: Path, tmp_path: Path, parameters: dict[str, str], sentence: str
) -> None:
    status = Jobs(tmp_path).run("train", training_inputs(table), **parameters)
    assert status.status == "Failed"
    assert sentence in status.failure_reason


def test_what_can_be_refused_before_a_start_is(table: Path, tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    with pytest.raises(Misuse, match="needs the input 'train'"):
        jobs.run("train", {"contract": CONTRACT})
    with pytest.raises(Misuse, match="knows no parameter 'secnds'"):
        jobs.run("train", training_inputs(table), secnds="1")
    assert not jobs.runs.exists()
