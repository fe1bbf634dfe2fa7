"""The state machine of batch scoring: a definition whose parts fit together and that the services' models accept.

What is emulated: moto keeps a definition and reads nothing of it (its interpreter needs a package that is not
installed), so that no run takes place here. Calls are held against botocore's models of the services instead.
"""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import boto3
import pytest
from moto import mock_aws

from training.batch.state_machine import JOB, CloudScoring, as_json, state_machine
from training.jobs.table import job_named

VALUES = CloudScoring("123456789012.dkr.ecr.eu-west-1.amazonaws.com/ebb:1", "arn:aws:iam::123456789012:role/score")
INPUT = {"bucket", "prefix", "release", "results_bucket", "results_prefix"}


@pytest.fixture
def scoring() -> dict[str, Any]:
    found: dict[str, Any] = state_machine(VALUES)["States"]["ScoreShards"]
    return found


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def filled(value: Any) -> Any:
    """Put a usual text where an expression stands."""
    if isinstance(value, dict):
        return {name: filled(item) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item) for item in value]
    return "s3-text" if isinstance(value, str) and value.startswith("{%") else value


def accepted(service: str, operation: str, arguments: dict[str, Any]) -> str:
    model = boto3.client(service, region_name="eu-west-1").meta.service_model.operation_model(operation)
    validator = import_module("botocore.validate").ParamValidator()
    return str(validator.validate(filled(arguments), model.input_shape).generate_report())


def test_it_is_kept_as_it_is_written() -> None:
    definition = as_json(state_machine(VALUES))
    with mock_aws():
        client = boto3.client("stepfunctions", region_name="eu-west-1")
        arn = client.create_state_machine(name="score", definition=definition, roleArn=VALUES.role)["stateMachineArn"]
        assert client.describe_state_machine(stateMachineArn=arn)["definition"] == definition
    assert json.loads(definition) == state_machine(VALUES)
    assert as_json(state_machine(VALUES)) == definition, "the same values make the same text"


def test_every_state_is_reached_and_ends(scoring: dict[str, Any]) -> None:
    for machine in (state_machine(VALUES), scoring["ItemProcessor"]):
        states, name, seen = machine["States"], machine["StartAt"], []
        while True:
            seen.append(name)
            assert (states[name].get("End") is True) != ("Next" in states[name])
            if "Next" not in states[name]:
                break
            name = states[name]["Next"]
        assert seen == list(states)


def test_the_map_is_distributed_and_bounded(scoring: dict[str, Any]) -> None:
    assert scoring["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert (scoring["MaxConcurrency"], scoring["ToleratedFailurePercentage"]) == (10, 0)
    assert scoring["ItemBatcher"]["MaxItemsPerBatch"] == 20
    assert scoring["ItemBatcher"]["MaxInputBytesPerBatch"] <= 262_144, "the service's limit"
    assert scoring["ItemReader"]["Resource"].endswith(":s3:listObjectsV2")
    assert scoring["ResultWriter"]["Resource"].endswith(":s3:putObject")
    assert len(scoring["Label"]) <= 40


def test_values_change_what_they_name(scoring: dict[str, Any]) -> None:
    other = CloudScoring("i", "r", "ml.c7i.xlarge", 80, 3, 4, 5)
    changed = state_machine(other)["States"]["ScoreShards"]
    assert (changed["MaxConcurrency"], changed["ToleratedFailurePercentage"]) == (4, 5)
    cluster = changed["ItemProcessor"]["States"]["ScoreBatch"]["Arguments"]["ProcessingResources"]["ClusterConfig"]
    assert cluster == {"InstanceCount": 1, "InstanceType": "ml.c7i.xlarge", "VolumeSizeInGB": 80}
    assert scoring != changed


def test_the_services_know_every_argument(scoring: dict[str, Any]) -> None:
    states = scoring["ItemProcessor"]["States"]
    assert accepted("sagemaker", "CreateProcessingJob", states["ScoreBatch"]["Arguments"]) == ""
    assert accepted("s3", "PutObject", states["WriteManifest"]["Arguments"]) == ""
    assert accepted("s3", "ListObjectsV2", scoring["ItemReader"]["Arguments"]) == ""
    assert accepted("s3", "ListObjectsV2", {"Buckets": "x"}), "the check finds a wrong name"


def test_the_job_is_fed_what_it_asks_for(scoring: dict[str, Any]) -> None:
    arguments = scoring["ItemProcessor"]["States"]["ScoreBatch"]["Arguments"]
    job = job_named(JOB)
    assert arguments["AppSpecification"]["ContainerArguments"] == [job.name]
    inputs = {entry["InputName"]: entry["S3Input"] for entry in arguments["ProcessingInputs"]}
    job.check(set(inputs), set())
    assert job.kind == "processing"
    assert {name: entry["S3DataType"] for name, entry in inputs.items()} == {
        "release": "S3Prefix",
        "data": "ManifestFile",
    }


def test_errors_are_retried_by_name_and_refusals_are_not(scoring: dict[str, Any]) -> None:
    for state in scoring["ItemProcessor"]["States"].values():
        names = [name for retry in state["Retry"] for name in retry["ErrorEquals"]]
        assert len(names) == len(set(names))
        assert not {"States.ALL", "States.TaskFailed"} & set(names), "a refused table stays refused"
        assert all(retry["BackoffRate"] > 1 and retry["MaxAttempts"] > 1 for retry in state["Retry"])


def test_expressions_ask_for_what_a_run_is_given(scoring: dict[str, Any]) -> None:
    outer = {key: value for key, value in scoring.items() if key != "ItemProcessor"}
    assert {name for text in texts(outer) for name in re.findall(r"\$states\.input\.(\w+)", text)} == INPUT
    given = set(scoring["ItemBatcher"]["BatchInput"])
    job = scoring["ItemProcessor"]["States"]["ScoreBatch"]
    assert {name for text in texts(job) for name in re.findall(r"\$states\.input\.(\w+)", text)} <= given
    for text in texts(state_machine(VALUES)):
        if "{%" in text:
            assert re.fullmatch(r"\{% .+ %\}", text)
            assert text.count("(") == text.count(")")
            assert text.count("'") % 2 == 0


def test_a_jobs_name_fits(scoring: dict[str, Any]) -> None:
    name = scoring["ItemProcessor"]["States"]["ScoreBatch"]["Arguments"]["ProcessingJobName"]
    assert "RetryCount" in name
    assert len(f"ebb-{JOB}-") + 36 + len("-20") <= 63, "the service's limit"
