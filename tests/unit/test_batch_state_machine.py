"""The state machine of batch scoring: a definition whose parts fit together and that the services' models accept.

Calls are held against botocore's models of the services, which an emulator knows in part only. What is emulated: moto
keeps a definition and reads nothing of it. tests/integration/test_state_machine_run.py runs it.
"""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import boto3
import pytest
from moto import mock_aws

from training.batch.batch_states import JOB, SHARED
from training.batch.cloud_scoring import CloudScoring
from training.batch.state_machine import as_json, state_machine
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
        states, reached, waiting = machine["States"], set(), [machine["StartAt"]]
        while waiting:
            name = waiting.pop()
            reached.add(name)
            waiting += [following for following in followers(states[name]) if following not in reached]
        assert reached == set(states)
        assert [name for name in states if not followers(states[name])], "one of them ends"


def followers(state: dict[str, Any]) -> list[str]:
    """Return where a state leads; nowhere where it ends, by exactly one of the ways that the language has."""
    ways = [state[way] for way in ("Next", "Default") if way in state]
    ways += [choice["Next"] for choice in state.get("Choices", [])]
    assert (state.get("End") is True) + (state["Type"] == "Succeed") + bool(ways) == 1
    return ways


def test_states_have_the_fields_of_their_type_and_language() -> None:
    """Amazon States Language: JSONata has Arguments and Output, and none of JSONPath's five fields."""
    fields = {
        "Task": {"Resource", "Arguments", "Output", "Retry", "Next", "TimeoutSeconds"},
        "Pass": {"Output", "Next"},
        "Choice": {"Choices", "Default"},
        "Succeed": set(),
        "Map": {
            *("ItemReader", "ItemBatcher", "ItemProcessor", "ResultWriter", "Label", "End"),
            *("MaxConcurrency", "ToleratedFailurePercentage"),
        },
    }
    machine = state_machine(VALUES)
    inner = machine["States"]["ScoreShards"]["ItemProcessor"]["States"]
    assert set(machine) == {"Comment", "QueryLanguage", "StartAt", "States"}
    assert machine["QueryLanguage"] == "JSONata"
    for state in [*machine["States"].values(), *inner.values()]:
        assert set(state) <= {"Type", *fields[state["Type"]]}
    assert all(set(choice) == {"Condition", "Next"} for choice in inner["IsThereWork"]["Choices"])


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
    for name in ("WriteManifest", "Mark"):
        assert states[name]["Resource"].endswith("aws-sdk:s3:putObject")
        assert accepted("s3", "PutObject", states[name]["Arguments"]) == ""
    release = state_machine(VALUES)["States"]["LookAtRelease"]
    for arguments in (part["Arguments"] for part in (scoring["ItemReader"], states["LookForMark"], release)):
        assert accepted("s3", "ListObjectsV2", arguments) == ""
    assert accepted("s3", "ListObjectsV2", {"Buckets": "x"}), "the check finds a wrong name"


def test_the_job_is_fed_what_it_asks_for(scoring: dict[str, Any]) -> None:
    arguments = scoring["ItemProcessor"]["States"]["ScoreBatch"]["Arguments"]
    job = job_named(JOB)
    name, *words = arguments["AppSpecification"]["ContainerArguments"]
    assert (name, words) == (job.name, ["--shards", "true"])
    inputs = {entry["InputName"]: entry["S3Input"] for entry in arguments["ProcessingInputs"]}
    job.check(set(inputs), {word.removeprefix("--") for word in words[::2]})
    assert job.kind == "processing"
    assert {name: entry["S3DataType"] for name, entry in inputs.items()} == {
        "release": "S3Prefix",
        "data": "ManifestFile",
    }


def test_errors_are_retried_by_name_and_refusals_are_not(scoring: dict[str, Any]) -> None:
    tasks = [*scoring["ItemProcessor"]["States"].values(), state_machine(VALUES)["States"]["LookAtRelease"]]
    for state in (state for state in tasks if state["Type"] == "Task"):
        names = [name for retry in state["Retry"] for name in retry["ErrorEquals"]]
        assert len(names) == len(set(names))
        assert not {"States.ALL", "States.TaskFailed"} & set(names), "a refused table stays refused"
        assert all(retry["BackoffRate"] > 1 and retry["MaxAttempts"] > 1 for retry in state["Retry"])


def asked_for(value: Any) -> set[str]:
    return {name for text in texts(value) for name in re.findall(r"\$states\.input\.(\w+)", text)}


def test_expressions_ask_for_what_a_run_is_given(scoring: dict[str, Any]) -> None:
    outer = {key: value for key, value in scoring.items() if key != "ItemProcessor"}
    assert asked_for(outer) == {*INPUT, "release_state"}
    assert asked_for(state_machine(VALUES)["States"]["LookAtRelease"]) == {"release"}
    assert set(scoring["ItemBatcher"]["BatchInput"]) == set(SHARED)
    states = scoring["ItemProcessor"]["States"]
    assert asked_for(states["NameBatch"]) == {"BatchInput", "Items"}
    later = {"all": [state for name, state in states.items() if name != "NameBatch"]}
    assert asked_for(later) <= {*SHARED, "batch", "keys", "done", "job"}
    for text in texts(state_machine(VALUES)):
        if "{%" in text:
            assert re.fullmatch(r"\{% .+ %\}", text)
            assert text.count("(") == text.count(")")
            assert text.count("'") % 2 == 0


def test_a_manifest_is_written_as_a_list(scoring: dict[str, Any]) -> None:
    """Step Functions writes a text with quotation marks around it, which is no manifest."""
    body = scoring["ItemProcessor"]["States"]["WriteManifest"]["Arguments"]["Body"]
    assert body.startswith("{% $append([{'prefix':")
    assert "$string" not in body


def test_results_lie_side_by_side_in_one_folder(scoring: dict[str, Any]) -> None:
    """A shard that is scored again takes the place of what was there."""
    (output,) = scoring["ItemProcessor"]["States"]["ScoreBatch"]["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["LocalPath"] == "/opt/ml/processing/output/scored"
    assert "batch" not in output["S3Output"]["S3Uri"]
    assert "Execution" not in output["S3Output"]["S3Uri"]


def test_a_jobs_name_fits(scoring: dict[str, Any]) -> None:
    name = scoring["ItemProcessor"]["States"]["ScoreBatch"]["Arguments"]["ProcessingJobName"]
    assert "RetryCount" in name
    assert len(f"ebb-{JOB}-") + 36 + len("-20") <= 63, "the service's limit"
