"""The state machine of batch scoring, run: every shard scored by the job, with the bits of `score_prefix`.

`tests.integration.stack_case` says what is emulated.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release import manifest as m
from ebb.release.load import load_champion
from tests.fakes.releases import tiny_release
from tests.integration.stack_case import ROLE, Stack, running_stack
from training.batch import score_prefix
from training.batch.cloud_scoring import CloudScoring
from training.batch.state_machine import as_json, state_machine
from training.progress import Silent

pytestmark = pytest.mark.timeout(400)
SHARDS = ["month=0/0", "month=0/2", "month=0/4", "month=1/1", "month=1/3"]
DATA, MODELS, RESULTS = "customer-tables", "models", "results"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        for bucket in (DATA, MODELS, RESULTS):
            running.s3.create_bucket(Bucket=bucket)
        yield running


class Prefix:
    """A prefix of shards in S3 with a release, and the same in folders."""

    def __init__(self, stack: Stack, folder: Path, name: str, shards: list[str]) -> None:
        self.stack, self.folder, self.name = stack, folder, name
        for number, shard in enumerate(shards):
            self.put(shard, rows(number))
        stack.s3.put_object(Bucket=DATA, Key=f"{name}/_SUCCESS", Body=b"")
        stack.s3.put_object(Bucket=DATA, Key=f"{name}/empty.parquet", Body=b"")
        self.release()

    def put(self, shard: str, table: pa.Table) -> None:
        path = self.folder / "data" / f"{shard}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
        self.stack.s3.upload_file(str(path), DATA, f"{self.name}/{shard}.parquet")

    def release(self, bias: float = 0.0) -> None:
        """Make a release the champion, here and in S3."""
        files = tiny_release(bias)
        store = FolderReleases(self.folder / "releases")
        store.write("tiny", m.version_of(files), files)
        store.set_champion("tiny", m.version_of(files))
        for path in sorted((self.folder / "releases").rglob("*")):
            if path.is_file():
                key = f"{self.name}/releases/{path.relative_to(self.folder / 'releases').as_posix()}"
                self.stack.s3.upload_file(str(path), MODELS, key)

    def machine(self, **values: int) -> str:
        definition = as_json(state_machine(CloudScoring("image", ROLE, **values)))  # type: ignore[arg-type]
        return self.stack.machine(f"score-{self.name}-{'-'.join(map(str, values.values()))}", definition)

    def run(self, machine: str, **others: str) -> dict[str, Any]:
        usual = {"bucket": DATA, "prefix": f"{self.name}/", "release": f"s3://{MODELS}/{self.name}/releases"}
        return self.stack.run(machine, {**usual, "results_bucket": RESULTS, "results_prefix": self.name, **others})

    def scored(self) -> dict[str, pa.Table]:
        """Return what was scored, by shard."""
        found, home = {}, f"{self.name}/scored/{self.name}/"
        for key in self.stack.keys(RESULTS, home):
            target = self.folder / "came.parquet"
            self.stack.s3.download_file(RESULTS, key, str(target))
            found[key.removeprefix(home).removesuffix(".parquet")] = pq.ParquetFile(target).read()
        return found

    def expected(self) -> dict[str, pa.Table]:
        """Return what `score_prefix` makes of the same shards on this machine."""
        out = self.folder / "expected"
        release = load_champion(FolderReleases(self.folder / "releases"), "tiny", OnnxScorer)
        score_prefix(release, self.folder / "data", out, progress=Silent())
        paths = sorted(out.rglob("*.parquet"))
        return {str(p.relative_to(out).with_suffix("")): pq.ParquetFile(p).read() for p in paths}

    def jobs(self, execution: dict[str, Any]) -> list[str]:
        """Return the names of the jobs that an execution started."""
        names = [child["name"] for child in self.stack.children(execution)]
        return [job for job in self.stack.api.jobs.names() if any(name in job for name in names)]


def rows(number: int, count: int = 40) -> pa.Table:
    """Return rows that differ, with missing, unseen and nasty values."""
    return pa.Table.from_pylist(
        [
            {
                "id": f"{number}-{i}",
                "tenure": (i * 7 + number) % 120,
                "Monthly  spend": None if i % 9 == 0 else i * 1.7 + number / 3,
                "paperless": i % 2 == 0,
                "plan": ("basic", "plus")[i % 3 == 0],
                "city": ("Ghent", "", "Łódź", None)[i % 4],
            }
            for i in range(count)
        ]
    )


def assert_same_bits(came: dict[str, pa.Table], expected: dict[str, pa.Table]) -> None:
    assert sorted(came) == sorted(expected)
    for name, table in expected.items():
        assert came[name].replace_schema_metadata().equals(table.replace_schema_metadata())
        bits = [each["probability"].to_numpy().view(np.int32) for each in (came[name], table)]
        assert np.array_equal(*bits)
        assert len(set(bits[0].tolist())) > 10, "the rows tell something"


def test_every_shard_is_scored_with_the_bits_of_score_prefix_and_once(stack: Stack, tmp_path: Path) -> None:
    prefix = Prefix(stack, tmp_path, "monthly", SHARDS)
    machine = prefix.machine(shards_a_job=2, jobs_at_once=2)
    first = prefix.run(machine)
    assert first["status"] == "SUCCEEDED", first
    assert_same_bits(prefix.scored(), prefix.expected())
    assert len(prefix.jobs(first)) == 3, "seven objects, two in a batch, one batch of markers alone"
    told = stack.map_run(first)
    assert (told["status"], told["itemCounts"]["total"], told["itemCounts"]["succeeded"]) == ("SUCCEEDED", 7, 7)
    assert told["executionCounts"]["total"] == 4
    details = json.loads(first["output"])["ResultWriterDetails"]
    results = stack.json(RESULTS, details["Key"])["ResultFiles"]
    assert [len(results[status]) for status in ("SUCCEEDED", "FAILED", "PENDING")] == [1, 0, 0]
    stamps = {entry["Key"]: entry["LastModified"] for entry in stack.s3.list_objects_v2(Bucket=RESULTS)["Contents"]}

    again = prefix.run(machine)
    assert (again["status"], prefix.jobs(again)) == ("SUCCEEDED", [])
    after = {entry["Key"]: entry["LastModified"] for entry in stack.s3.list_objects_v2(Bucket=RESULTS)["Contents"]}
    assert {key: after[key] for key in stamps} == stamps, "nothing was written again"


def test_a_shard_that_fails_fails_its_batch_and_the_run_says_why(stack: Stack, tmp_path: Path) -> None:
    prefix = Prefix(stack, tmp_path, "strict", SHARDS[:4])
    prefix.put(SHARDS[1], rows(1).set_column(1, "tenure", pa.array([999] * 40)))
    machine = prefix.machine(shards_a_job=1, jobs_at_once=2)
    failed = prefix.run(machine)
    assert (failed["status"], failed["error"]) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    told = stack.map_run(failed)
    assert (told["status"], told["itemCounts"]["failed"], told["itemCounts"]["succeeded"]) == ("FAILED", 1, 5)
    (child,) = (child for child in stack.children(failed) if child["status"] == "FAILED")
    assert child["error"] == "States.TaskFailed", "no error that is tried again"
    described = json.loads(child["cause"])
    assert described["ProcessingJobStatus"] == "Failed"
    assert "column 'tenure' is above" in described["FailureReason"]
    assert "999" not in described["FailureReason"]
    (written,) = (key for key in stack.keys(RESULTS, "strict/runs/") if key.endswith("/FAILED_0.json"))
    assert [entry["Name"] for entry in stack.json(RESULTS, written)] == [child["name"]]
    assert sorted(prefix.scored()) == sorted({*SHARDS[:4]} - {SHARDS[1]}), "the others are there"

    prefix.put(SHARDS[1], rows(1))
    mended = prefix.run(machine)
    assert mended["status"] == "SUCCEEDED"
    assert len(prefix.jobs(mended)) == 1, "only the shard that failed"
    assert_same_bits(prefix.scored(), prefix.expected())


def test_failures_that_are_tolerated_leave_a_run_that_succeeded(stack: Stack, tmp_path: Path) -> None:
    prefix = Prefix(stack, tmp_path, "lenient", SHARDS[:4])
    prefix.put(SHARDS[1], rows(1).drop_columns(["tenure"]))
    lenient = prefix.run(prefix.machine(shards_a_job=1, tolerated_percent=17))
    assert lenient["status"] == "SUCCEEDED", "one of six objects failed, and 17 percent may"
    assert stack.map_run(lenient)["itemCounts"]["failed"] == 1
    strict = prefix.run(prefix.machine(shards_a_job=1, tolerated_percent=16))
    assert strict["status"] == "FAILED"
    assert len(prefix.jobs(strict)) == 1, "what is done is not done again"


def test_what_changed_is_scored_again_and_a_new_release_scores_all(stack: Stack, tmp_path: Path) -> None:
    prefix = Prefix(stack, tmp_path, "changing", SHARDS[:2])
    machine = prefix.machine(shards_a_job=1)
    assert prefix.run(machine)["status"] == "SUCCEEDED"
    prefix.put(SHARDS[0], rows(7))
    changed = prefix.run(machine)
    assert (changed["status"], len(prefix.jobs(changed))) == ("SUCCEEDED", 1)
    assert_same_bits(prefix.scored(), prefix.expected())
    prefix.release(bias=0.25)
    new = prefix.run(machine)
    assert (new["status"], len(prefix.jobs(new))) == ("SUCCEEDED", 2)
    assert_same_bits(prefix.scored(), prefix.expected())


def test_no_release_and_no_bucket_end_the_run(stack: Stack, tmp_path: Path) -> None:
    prefix = Prefix(stack, tmp_path, "lost", SHARDS[:1])
    machine = prefix.machine(shards_a_job=5)
    without = prefix.run(machine, release=f"s3://{MODELS}/nowhere/releases")
    assert (without["status"], without["error"]) == ("FAILED", "States.QueryEvaluationError")
    elsewhere = prefix.run(machine, release="s3://no-such-bucket/releases")
    assert (elsewhere["status"], elsewhere["error"]) == ("FAILED", "S3.NoSuchBucketException")
    assert prefix.run(machine, bucket="no-such-bucket")["error"] == "States.ItemReaderFailed"
    assert prefix.scored() == {}
