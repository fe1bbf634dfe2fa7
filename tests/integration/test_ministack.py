"""MiniStack: it starts, answers and ends as a server of ours; what we rely on, and what it leaves out by itself.

A part that it learns to do by itself fails `test_what_is_added_is_still_missing`: then the addition can go.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import psutil
import pytest

from ebb.errors import Unavailable
from local.servers import ministack
from local.servers.child import Child, start_child
from local.servers.ministack import MiniStack
from local.servers.ports import free_port, is_listening
from local.servers.process_id import ProcessId
from local.servers.starting import Aborted, PortTaken, wait_ready
from tests.home import ROOT
from tests.integration.stack_case import Stack, client_of, running_stack

pytestmark = pytest.mark.timeout(300)
BUCKET = "contract-tests"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        running.s3.create_bucket(Bucket=BUCKET)
        yield running


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return Step Functions of a MiniStack to which nothing was added."""
    folder, port = tmp_path_factory.mktemp("plain"), free_port()
    environment = ministack._environment(folder, port, "plain", "")
    python = ROOT / ".tools/ministack/bin/python"
    child = start_child("plain", [python, "-m", "ministack"], log=folder / "log", environment=environment)
    try:
        wait_ready(child, lambda: ministack._answers(port, "plain"), port=port, seconds=60, abort=None)
        client_of("s3", f"http://127.0.0.1:{port}").create_bucket(Bucket=BUCKET)
        yield Plain(child, port)
    finally:
        child.stop()


class Plain(Stack):
    """MiniStack alone."""

    def __init__(self, child: Child, port: int) -> None:
        self.server = MiniStack(port, child)


def test_it_listens_on_loopback_only_and_writes_to_its_folder_only(tmp_path: Path) -> None:
    server = MiniStack.start(tmp_path / "ms")
    try:
        found = psutil.Process(server.id.pid).net_connections(kind="all")
        listening = {connection.laddr for connection in found if connection.status == psutil.CONN_LISTEN}
        assert {(address.ip, address.port) for address in listening} == {("127.0.0.1", server.port)}
        environment = psutil.Process(server.id.pid).environ()
        assert not {name for name in environment if name.lower().endswith("_proxy")}
        assert environment["DOCKER_HOST"].endswith("/no-docker")
        assert "AWS_ENDPOINT_URL_SAGEMAKER" not in environment
    finally:
        server.stop()
    assert not server.id.alive()
    assert not is_listening(server.port)
    assert [path.name for path in (tmp_path / "ms").iterdir()] == ["ministack.log"]


def test_a_stopped_one_forgets_and_its_port_is_free_for_another(tmp_path: Path) -> None:
    server = MiniStack.start(tmp_path)
    client_of("s3", server.url).create_bucket(Bucket="soon-gone")
    server.stop()
    server.stop()
    again = MiniStack.start(tmp_path, server.port)
    try:
        assert client_of("s3", again.url).list_buckets()["Buckets"] == []
        with pytest.raises(PortTaken, match=f"port {again.port} in use"):
            MiniStack.start(tmp_path / "other", again.port)
    finally:
        again.stop()


def test_one_that_is_not_installed_or_given_up_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = Event()
    given_up.set()
    with pytest.raises(Aborted):
        MiniStack.start(tmp_path, abort=given_up)
    monkeypatch.setattr(ministack, "_ROOT", tmp_path)
    with pytest.raises(Unavailable, match=r"run `sh local/setup\.sh ministack`"):
        MiniStack.start(tmp_path)


def test_it_dies_with_whoever_started_it(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, time; from local.servers.ministack import MiniStack; "
        f"m = MiniStack.start(pathlib.Path({str(tmp_path)!r})); print(m.id.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        server = ProcessId.of(int(parent.stdout.readline()))
        assert server is not None
        parent.send_signal(signal.SIGKILL)
        assert server.wait_gone(60)
    finally:
        parent.kill()
        parent.communicate()


def test_s3_keeps_lists_and_refuses(stack: Stack) -> None:
    for number in range(1_005):
        stack.s3.put_object(Bucket=BUCKET, Key=f"many/{number:04d}", Body=b"x")
    page = stack.s3.list_objects_v2(Bucket=BUCKET, Prefix="many/")
    assert (page["KeyCount"], page["IsTruncated"]) == (1_000, True)
    assert len(stack.keys(BUCKET, "many/")) == 1_005
    stack.s3.put_object(Bucket=BUCKET, Key="a b/Łódź=1.parquet", Body=b"\x00\xff" * 9)
    assert stack.s3.get_object(Bucket=BUCKET, Key="a b/Łódź=1.parquet")["Body"].read() == b"\x00\xff" * 9
    with pytest.raises(stack.s3.exceptions.ClientError) as missing:
        stack.s3.get_object(Bucket=BUCKET, Key="none")
    assert missing.value.response["Error"]["Code"] == "NoSuchKey"


def test_s3_takes_large_objects_in_parts(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(range(256)) * 4 * 2**13 * 2)  # 16 MiB: above the parts' size
    stack.s3.upload_file(str(tmp_path / "large"), BUCKET, "large")
    stack.s3.download_file(BUCKET, "large", str(tmp_path / "came"))
    assert (tmp_path / "came").read_bytes() == (tmp_path / "large").read_bytes()


def test_parameters_and_events_are_there_for_what_comes(stack: Stack) -> None:
    ssm = client_of("ssm", stack.server.url)
    ssm.put_parameter(Name="/ebb/a", Value="1", Type="String")
    assert ssm.get_parameter(Name="/ebb/a")["Parameter"]["Value"] == "1"
    events = client_of("events", stack.server.url)
    entry = {"Source": "ebb", "DetailType": "d", "Detail": "{}"}
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0


def run(stack: Stack, name: str, states: dict[str, Any], given: Any = None) -> Any:
    """Run states in JSONata, and return the output, or the error."""
    definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}
    told = stack.run(stack.machine(name, json.dumps(definition)), given or {})
    return json.loads(told["output"]) if told["status"] == "SUCCEEDED" else told["error"]


def mapped(**fields: Any) -> dict[str, Any]:
    """Return a distributed map over three objects, whose children say what they see."""
    seen = {"in": "{% $states.input %}", "name": "{% $states.context.Execution.Name %}"}
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "See",
        "States": {"See": {"Type": "Pass", "Output": seen, "End": True}},
    }
    reader = {
        "Resource": "arn:aws:states:::s3:listObjectsV2",
        "Arguments": {"Bucket": BUCKET, "Prefix": "{% $states.input.prefix %}"},
    }
    return {"M": {"Type": "Map", "ItemReader": reader, "ItemProcessor": processor, "End": True, **fields}}


PUT = {
    "P": {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
        "Arguments": {"Bucket": BUCKET, "Key": "put.json", "Body": "{% ['a', 1] %}"},
        "Output": "{% $exists($states.result.ETag) %}",
        "End": True,
    }
}
JOB = {
    "J": {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync",
        "Arguments": {"ProcessingJobName": "one"},
        "End": True,
    }
}


def test_jsonata_and_its_functions_are_its_own(plain: Stack) -> None:
    regex = "$count($states.input.Items[$contains(Key, /\\.parquet$/) and Size > 0]) = 1"
    told = {
        "hash": "{% $hash('a', 'SHA-256') %}",
        "one": "{% [$states.input.Items[Size > 0].Key] %}",
        "regex": f"{{% {regex} %}}",
        "none": "{% $count($states.input.Nothing) %}",
    }
    items = [{"Key": "a.parquet", "Size": 1}, {"Key": "b.parquet", "Size": 0}]
    out = run(plain, "functions", {"A": {"Type": "Pass", "Output": told, "End": True}}, {"Items": items})
    assert out == {
        "hash": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        "one": ["a.parquet"],
        "regex": True,
        "none": 0,
    }
    assert run(plain, "undefined", {"A": {"Type": "Pass", "Output": "{% $states.input.x %}", "End": True}}) == (
        "States.QueryEvaluationError"
    )


def test_what_is_added_is_still_missing(plain: Stack) -> None:
    for number in range(3):
        plain.s3.put_object(Bucket=BUCKET, Key=f"few/{number}", Body=b"x")
    assert run(plain, "reader", mapped(), {"prefix": "few/"}) == [], "JSONata of a reader is taken for a text"
    literal = mapped(ItemBatcher={"MaxItemsPerBatch": 2}, Output="{% 'changed' %}")
    literal["M"]["ItemReader"]["Arguments"]["Prefix"] = "few/"
    literal["M"]["ResultWriter"] = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Arguments": {"Bucket": BUCKET, "Prefix": "results"},
    }
    found = run(plain, "batcher", literal)
    assert [set(child["in"]) for child in found] == [{"Etag", "Key", "LastModified", "Size", "StorageClass"}] * 3
    assert len({child["name"] for child in found}) == 1, "a child sees its parent's name"
    assert plain.keys(BUCKET, "results") == []
    assert run(plain, "put", PUT) == "States.Runtime"
    assert run(plain, "job", JOB) == "States.Runtime"


def test_a_distributed_map_with_what_is_added(stack: Stack) -> None:
    for number in range(3):
        stack.s3.put_object(Bucket=BUCKET, Key=f"few/{number}", Body=b"x")
    batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"said": "{% $states.input.prefix %}"}}
    found = run(stack, "batcher", mapped(ItemBatcher=batcher), {"prefix": "few/"})
    assert [[item["Key"] for item in child["in"]["Items"]] for child in found] == [["few/0", "few/1"], ["few/2"]]
    assert [child["in"]["BatchInput"] for child in found] == [{"said": "few/"}] * 2
    assert len({child["name"] for child in found}) == 2
    output = "{% $count($states.result) %}"
    assert run(stack, "output", mapped(Output=output), {"prefix": "few/"}) == 3, "one child an item without a batcher"


def test_children_that_fail_are_judged_by_items(stack: Stack) -> None:
    for number in range(4):
        stack.s3.put_object(Bucket=BUCKET, Key=f"judged/{number}", Body=b"x")
    first = "{% $states.input.Items[0].Key = 'judged/0' %}"
    states = {
        "C": {"Type": "Choice", "Choices": [{"Condition": first, "Next": "F"}], "Default": "S"},
        "F": {"Type": "Fail", "Error": "Bad"},
        "S": {"Type": "Succeed"},
    }

    def judged(name: str, **tolerated: int) -> Any:
        machine = mapped(ItemBatcher={"MaxItemsPerBatch": 3}, Output="{% 'fine' %}", **tolerated)
        machine["M"]["ItemProcessor"].update(StartAt="C", States=states)
        return run(stack, name, machine, {"prefix": "judged/"})

    exceeded = "States.ExceedToleratedFailureThreshold"
    assert judged("none") == exceeded
    assert judged("74", ToleratedFailurePercentage=74) == exceeded, "three of four items, not one of two batches"
    assert judged("75", ToleratedFailurePercentage=75) == "fine"
    assert judged("two", ToleratedFailureCount=2) == exceeded
    assert judged("three", ToleratedFailureCount=3) == "fine"
    assert judged("either", ToleratedFailureCount=2, ToleratedFailurePercentage=75) == exceeded


def test_a_body_is_written_as_json(stack: Stack) -> None:
    assert run(stack, "put", PUT) is True
    assert stack.json(BUCKET, "put.json") == ["a", 1]
    nowhere = json.loads(json.dumps(PUT).replace(BUCKET, "no-such-bucket"))
    assert run(stack, "put-nowhere", nowhere) == "S3.NoSuchBucketException"


def test_a_job_that_sagemaker_refuses_is_its_error_by_name(stack: Stack) -> None:
    assert run(stack, "refused", JOB) == "SageMaker.SdkClientException", (
        "botocore refuses what AWS's model does not know"
    )
    caught = {**JOB["J"], "Catch": [{"ErrorEquals": ["SageMaker.SdkClientException"], "Next": "K"}]}
    kept = {"J": caught, "K": {"Type": "Pass", "Output": "{% 'caught' %}", "End": True}}
    assert run(stack, "caught", kept) == "caught"
