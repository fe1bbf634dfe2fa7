"""Step Functions of MiniStack: what it does by itself, what it leaves out, and what is added to it.

A part that it learns to do by itself fails `test_what_is_added_is_still_missing`: then the addition can go.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.servers import ministack
from local.servers.child import Child, start_child
from local.servers.ministack import MiniStack
from local.servers.ports import free_port
from local.servers.starting import wait_ready
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
    environment = ministack._environment(folder, port, "plain")
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
