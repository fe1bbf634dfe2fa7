"""SageMaker's API of this machine: asked by boto3, answered by jobs that run."""

import json
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ebb.errors import DataError
from ebb.release import manifest as m
from local.jobs.api.objects import fetch, send
from local.jobs.api.server import SageMakerApi
from tests.fakes.releases import tiny_release
from tests.integration.jobs_case import processes_about
from tests.integration.stack_case import DEADLINE, Stack, client_of, running_stack
from tests.unit.test_jobs_api_asked import REQUEST

pytestmark = pytest.mark.timeout(300)
BUCKET = "b-jobs"
BOTO = import_module("botocore.exceptions")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return a stack with a release and two shards in its S3."""
    folder = tmp_path_factory.mktemp("stack")
    with running_stack(folder) as running:
        running.s3.create_bucket(Bucket=BUCKET)
        files = tiny_release()
        for name, content in files.items():
            running.s3.put_object(Bucket=BUCKET, Key=f"release/tiny/{m.version_of(files)}/{name}", Body=content)
        usual = {"tenure": 5, "Monthly  spend": 20.5, "paperless": True, "plan": "basic", "city": "Ghent"}
        for name in ("one", "two"):
            pq.write_table(pa.Table.from_pylist([{"id": name, **usual}]), folder / name)
            running.s3.upload_file(str(folder / name), BUCKET, f"data/deep/{name}.parquet")
        put(running, "manifest", [{"prefix": f"s3://{BUCKET}/data/"}, "deep/one.parquet"])
        yield running


def put(stack: Stack, key: str, content: Any) -> None:
    stack.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(content).encode())


def request(name: str, data: str = "manifest", kind: str = "ManifestFile") -> dict[str, Any]:
    text = json.dumps(REQUEST).replace("s3://b/", f"s3://{BUCKET}/").replace("/data", f"/{data}", 1)
    found: dict[str, Any] = json.loads(text)
    source = found["ProcessingInputs"][1]["S3Input"]
    source.update(S3Uri=f"s3://{BUCKET}/{data}", LocalPath="/opt/ml/processing/input/data", S3DataType=kind)
    found["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] = f"s3://{BUCKET}/out/{name}"
    return {**found, "ProcessingJobName": name}


def ended(stack: Stack, name: str) -> dict[str, Any]:
    """Wait for a job's end and describe it."""
    until = time.monotonic() + DEADLINE
    while True:
        told: dict[str, Any] = stack.sagemaker.describe_processing_job(ProcessingJobName=name)
        if told["ProcessingJobStatus"] not in {"InProgress", "Stopping"}:
            return told
        assert time.monotonic() < until, told
        time.sleep(0.05)


def refused(call: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(BOTO.ClientError) as error:
        call(**arguments)
    found = error.value.response["Error"]
    return found["Code"], found["Message"]


def test_a_job_runs_and_its_results_are_where_they_were_asked_for(stack: Stack) -> None:
    created = stack.sagemaker.create_processing_job(**request("runs"))
    assert created["ProcessingJobArn"].endswith(":processing-job/runs")
    told = ended(stack, "runs")
    assert told["ProcessingJobStatus"] == "Completed", told
    assert told["ProcessingEndTime"] > told["CreationTime"]
    assert told["AppSpecification"] == REQUEST["AppSpecification"]
    assert "FailureReason" not in told
    assert stack.keys(BUCKET, "out/runs") == ["out/runs/deep/one.parquet"], "the manifest named one of the two"
    assert not list(Path(stack.api.jobs._folder).glob("downloads/*")), "what was fetched is gone"


def test_a_prefix_is_fetched_whole(stack: Stack) -> None:
    stack.sagemaker.create_processing_job(**request("whole", "data", "S3Prefix"))
    assert ended(stack, "whole")["ProcessingJobStatus"] == "Completed"
    assert stack.keys(BUCKET, "out/whole") == ["out/whole/deep/one.parquet", "out/whole/deep/two.parquet"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("text", "no list", "is no manifest"),
        ("nothing", [], "is no manifest"),
        ("numbers", [{"prefix": f"s3://{BUCKET}/data/"}, 7], "is no manifest"),
        ("empty", [{"prefix": f"s3://{BUCKET}/data/"}], "holds no object"),
        ("absent", [{"prefix": f"s3://{BUCKET}/data/"}, "none.parquet"], "/data/none.parquet cannot be read"),
        ("out", [{"prefix": f"s3://{BUCKET}/data/"}, "../../x"], "has no place below a folder"),
    ],
)
def test_a_bad_manifest_fails_the_job_in_a_sentence(stack: Stack, name: str, content: Any, sentence: str) -> None:
    put(stack, f"bad/{name}", content)
    stack.sagemaker.create_processing_job(**request(f"bad-{name}", f"bad/{name}"))
    told = ended(stack, f"bad-{name}")
    assert told["ProcessingJobStatus"] == "Failed"
    assert told["FailureReason"].startswith("ClientError: ")
    assert sentence in told["FailureReason"]
    assert stack.keys(BUCKET, f"out/bad-{name}") == []


def test_names_are_given_once_and_unknown_ones_are_refused(stack: Stack) -> None:
    stack.sagemaker.create_processing_job(**request("once"))
    assert refused(stack.sagemaker.create_processing_job, **request("once"))[0] == "ResourceInUse"
    for call in (stack.sagemaker.describe_processing_job, stack.sagemaker.stop_processing_job):
        code, sentence = refused(call, ProcessingJobName="none")
        assert (code, "Could not find requested job" in sentence) == ("ValidationException", True)
    assert ended(stack, "once")["ProcessingJobStatus"] == "Completed"


def test_what_this_machine_cannot_run_is_refused_at_once(stack: Stack) -> None:
    other = request("other")
    other["AppSpecification"] = {"ImageUri": "image", "ContainerArguments": ["bath"]}
    code, sentence = refused(stack.sagemaker.create_processing_job, **other)
    assert code == "ValidationException"
    assert "there is no job 'bath'" in sentence
    assert refused(stack.sagemaker.list_processing_jobs)[0] == "UnknownOperationException"
    door = stack.api.url
    for body in (b"", b"{", b"[]", b"\xff"):
        answer = httpx.post(door, content=body, headers={"X-Amz-Target": "SageMaker.DescribeProcessingJob"})
        assert answer.status_code == 400
        assert answer.json()["__type"] == "SerializationException"


def test_a_stop_ends_a_job_whenever_it_comes(stack: Stack) -> None:
    for number in range(3):
        stack.sagemaker.create_processing_job(**request(f"stop-{number}"))
        stack.sagemaker.stop_processing_job(ProcessingJobName=f"stop-{number}")
    for number in range(3):
        assert ended(stack, f"stop-{number}")["ProcessingJobStatus"] == "Stopped"
        assert stack.keys(BUCKET, f"out/stop-{number}") == []
    stack.sagemaker.stop_processing_job(ProcessingJobName="stop-0")
    assert ended(stack, "stop-0")["ProcessingJobStatus"] == "Stopped"


def test_closing_it_ends_every_job(stack: Stack, tmp_path: Path) -> None:
    with SageMakerApi(tmp_path / "jobs", lambda: client_of("s3", stack.server.url)) as api:
        address = api.url.rpartition(":")[2]
        listening = [c for c in psutil.Process().net_connections() if c.status == psutil.CONN_LISTEN]
        assert {c.laddr.ip for c in listening if c.laddr.port == int(address)} == {"127.0.0.1"}
        client_of("sagemaker", api.url).create_processing_job(**request("closed"))
    assert api.jobs.describe("closed")["ProcessingJobStatus"] in {"Stopped", "Completed"}
    assert processes_about(str(tmp_path)) == set()


def test_objects_come_and_go_as_folders(stack: Stack, tmp_path: Path) -> None:
    for key in ("f/a", "f/b/c d", "f/b/é", "f/marker/", "fff/other"):
        stack.s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    for uri in (f"s3://{BUCKET}/f", f"s3://{BUCKET}/f/"):
        folder = tmp_path / str(len(uri))
        fetch(stack.s3, uri, "S3Prefix", folder)
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert files == {"a", "b/c d", "b/é"}
    fetch(stack.s3, f"s3://{BUCKET}/f/a", "S3Prefix", tmp_path / "one")
    assert (tmp_path / "one" / "a").read_bytes() == b"f/a"
    send(stack.s3, folder, f"s3://{BUCKET}/g/")
    assert stack.keys(BUCKET, "g") == ["g/a", "g/b/c d", "g/b/é"]
    with pytest.raises(DataError, match="holds no object"):
        fetch(stack.s3, f"s3://{BUCKET}/nowhere", "S3Prefix", tmp_path / "none")
