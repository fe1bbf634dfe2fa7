"""The state machine of batch scoring, run: every shard scored by the job, with the bits of `score_prefix`.

`tests.integration.stack_case` says what is emulated.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ebb.errors import Unavailable
from tests.integration.prefix_case import DATA, MODELS, RESULTS, Prefix, assert_same_bits, rows
from tests.integration.stack_case import ROLE, Stack, running_stack
from training.batch.cloud_scoring import CloudScoring
from training.batch.state_machine import state_machine

pytestmark = pytest.mark.timeout(400)
SHARDS = ["month=0/0", "month=0/2", "month=0/4", "month=1/1", "month=1/3"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        for bucket in (DATA, MODELS, RESULTS):
            running.s3.create_bucket(Bucket=bucket)
        yield running


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


def test_a_service_that_falters_is_asked_again_by_another_name(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first two answers are lost although a job was started, whose name is then taken for good."""
    prefix = Prefix(stack, tmp_path, "faltering", SHARDS[:1])
    create, asked = stack.api.jobs.create, []

    def faltering(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request["ProcessingJobName"])
        answer = create(request)
        if len(asked) < 3:
            raise Unavailable("the answer was lost")
        return answer

    monkeypatch.setattr(stack.api.jobs, "create", faltering)
    assert prefix.run(prefix.machine(shards_a_job=5))["status"] == "SUCCEEDED"
    assert [name[-2:] for name in asked] == ["-0", "-1", "-2"]
    assert len({name[:-2] for name in asked}) == 1
    assert_same_bits(prefix.scored(), prefix.expected())


def test_a_release_is_known_by_its_files_and_one_of_too_many_never(stack: Stack) -> None:
    look = {**state_machine(CloudScoring("image", ROLE))["States"]["LookAtRelease"], "End": True}
    del look["Next"]
    definition = {"QueryLanguage": "JSONata", "StartAt": "Look", "States": {"Look": look}}
    machine = stack.machine("look", json.dumps(definition))

    def state() -> str:
        told = stack.run(machine, {"release": f"s3://{MODELS}/large"})
        return str(json.loads(told["output"])["release_state"])

    for number in range(500):
        stack.s3.put_object(Bucket=MODELS, Key=f"large/{number}", Body=b"x")
    before = state()
    assert state() == before
    stack.s3.put_object(Bucket=MODELS, Key="large/0", Body=b"other")
    assert state() != before
    stack.s3.put_object(Bucket=MODELS, Key="large/more", Body=b"x")
    assert state() != state(), "what is not seen whole is never known"


def test_no_release_and_no_bucket_end_the_run(stack: Stack, tmp_path: Path) -> None:
    prefix = Prefix(stack, tmp_path, "lost", SHARDS[:1])
    machine = prefix.machine(shards_a_job=5)
    without = prefix.run(machine, release=f"s3://{MODELS}/nowhere/releases")
    assert (without["status"], without["error"]) == ("FAILED", "States.QueryEvaluationError")
    elsewhere = prefix.run(machine, release="s3://no-such-bucket/releases")
    assert (elsewhere["status"], elsewhere["error"]) == ("FAILED", "S3.NoSuchBucketException")
    assert prefix.run(machine, bucket="no-such-bucket")["error"] == "States.ItemReaderFailed"
    assert prefix.scored() == {}
