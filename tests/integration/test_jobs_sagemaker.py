"""What SageMaker is asked for, as moto records it, beside what the same job gets on this machine.

moto keeps the requests of training and processing jobs and answers that they are completed; it runs nothing. It knows
no `SimulatePrincipalPolicy`, by which the SDK checks the role before a training unless it is told not to: that one call
is added to it here, and denies the role everything, as it does for a role that may do its work and no more.
Names that are resolved, addresses that are called and the SDK's telemetry are counted: there are none.
"""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.iam.responses import IamResponse

from ebb.errors import Misuse, Unavailable
from local.cli import run as ebb
from local.jobs.cloud.settings import SageMakerSettings
from local.jobs.cloud.submit import CloudRequest, submit
from local.jobs.request import JobRequest
from local.jobs.tree import arguments, make_tree, variables
from training.jobs.container import read_container
from training.jobs.table import JOBS, job_named

REGION = "eu-central-1"
IMAGE = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/ebb-jobs:0.1.0"
ROLE = "arn:aws:iam::123456789012:role/ebb-training"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
pytestmark = [
    pytest.mark.timeout(400),
    # The SDK's source, compiled anew where nothing may be cached; `submit` keeps users from seeing the first two.
    pytest.mark.filterwarnings("ignore:.*invalid escape sequence:SyntaxWarning"),
    pytest.mark.filterwarnings("ignore:sagemaker.train.configs has been moved:DeprecationWarning"),
]


def _simulated(response: Any) -> str:
    """Answer SimulatePrincipalPolicy: nothing that is asked for is allowed."""
    member = "<member><EvalActionName>{}</EvalActionName><EvalDecision>implicitDeny</EvalDecision></member>"
    members = "".join(member.format(action) for action in response._get_param("ActionNames"))
    return (
        '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        f"<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>{members}"
        "</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
    )


@pytest.fixture
def telemetry(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what the SDK would tell of its use, by a thread of its own, and would be answered by moto."""
    from sagemaker.core.telemetry import telemetry_logging  # noqa: PLC0415 - takes seconds

    told: list[Any] = []
    monkeypatch.setattr(telemetry_logging, "_send_telemetry_request", lambda *what, **_more: told.append(what))
    return told


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, telemetry: list[Any]) -> Iterator[Any]:
    """Return moto's SageMaker, with the role; whatever reaches for the network, or tells of it, fails the test."""
    outside: list[Any] = []

    def refuse(*what: Any, **_more: Any) -> Any:
        outside.append(what)
        raise OSError("no test reaches outside")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(IamResponse, "simulate_principal_policy", _simulated, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with mock_aws():
        role = {"RoleName": "ebb-training", "AssumeRolePolicyDocument": json.dumps(TRUST)}
        boto3.client("iam", region_name=REGION).create_role(**role)
        yield boto3.client("sagemaker", region_name=REGION)
    assert outside == []
    assert telemetry == []


def settings(**more: Any) -> SageMakerSettings:
    """Return settings that work."""
    told = {"role": ROLE, "image": IMAGE, "region": REGION, "output": "s3://bucket/jobs"}
    return SageMakerSettings.model_validate({**told, **more})


def uris(job: str) -> dict[str, str]:
    """Return an S3 address for each input that a job needs."""
    return {name: f"s3://bucket/in/{name}/" for name in job_named(job).channels}


def here(job: str, parameters: dict[str, str], folder: Path) -> Any:
    """Return the container that the same job gets on this machine."""
    inputs = {}
    for name in job_named(job).channels:
        (folder / name).mkdir(parents=True)
        inputs[name] = [folder / name]
    request = JobRequest("one", job_named(job), inputs, folder / "out", parameters=parameters)
    make_tree(request, folder / "run" / "ml")
    return read_container(request.job, arguments(request)[1:], variables(request, folder / "run" / "ml"))


def test_a_training_is_asked_for_as_it_runs_here(aws: Any, tmp_path: Path) -> None:
    parameters = {"seconds": "60", "families": "boosted,logistic"}
    spot = settings(spot=True, checkpoints="s3://bucket/checkpoints", max_seconds=600, volume_gb=50)
    name = submit(CloudRequest(job_named("train"), uris("train"), spot, parameters))
    asked = aws.describe_training_job(TrainingJobName=name)
    container = here("train", parameters, tmp_path)
    assert asked["HyperParameters"] == container.parameters == parameters
    channels = {entry["ChannelName"]: entry["DataSource"]["S3DataSource"] for entry in asked["InputDataConfig"]}
    assert set(channels) == set(container.channels) == {"contract", "train"}
    assert {name: source["S3Uri"] for name, source in channels.items()} == uris("train")
    assert {source["S3DataType"] for source in channels.values()} == {"S3Prefix"}
    assert asked["AlgorithmSpecification"]["TrainingImage"] == IMAGE
    assert "ContainerEntrypoint" not in asked["AlgorithmSpecification"], "the image's own entry takes `train`"
    assert asked["RoleArn"] == ROLE
    assert asked["OutputDataConfig"]["S3OutputPath"] == "s3://bucket/jobs"
    assert asked["StoppingCondition"] == {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 1200}
    assert asked["EnableManagedSpotTraining"] is True
    assert asked["CheckpointConfig"]["S3Uri"] == "s3://bucket/checkpoints"
    machine = {"InstanceType": "ml.m7i.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50}
    assert asked["ResourceConfig"].items() >= machine.items()


@pytest.mark.parametrize("job", sorted(name for name, job in JOBS.items() if job.kind == "processing"))
def test_a_processing_is_asked_for_as_it_runs_here(aws: Any, tmp_path: Path, job: str) -> None:
    parameters = {"at": "latest", "labelled": "true"} if job == "features" else {}
    name = submit(CloudRequest(job_named(job), uris(job), settings(), parameters))
    asked = aws.describe_processing_job(ProcessingJobName=name)
    container = here(job, parameters, tmp_path)
    words = asked["AppSpecification"]["ContainerArguments"]
    assert words[0] == job
    assert dict(zip((word[2:] for word in words[1::2]), words[2::2], strict=True)) == container.parameters
    assert "ContainerEntrypoint" not in asked["AppSpecification"]
    places = {entry["InputName"]: entry["S3Input"]["LocalPath"] for entry in asked["ProcessingInputs"]}
    below = {name: "/opt/ml/" + str(path.relative_to(container.root)) for name, path in container.channels.items()}
    assert places == below
    assert {entry["InputName"]: entry["S3Input"]["S3Uri"] for entry in asked["ProcessingInputs"]} == uris(job)
    (output,) = asked["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["LocalPath"] == "/opt/ml/" + str(container.results.relative_to(container.root))
    assert output["S3Output"]["S3Uri"] == f"s3://bucket/jobs/{name}/output"
    assert output["S3Output"]["S3UploadMode"] == ("Continuous" if job == "validate" else "EndOfJob")
    assert asked["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}


def test_a_network_of_one_s_own_is_asked_for(aws: Any) -> None:
    network = settings(subnets=("subnet-1",), security_groups=("sg-1",))
    name = submit(CloudRequest(job_named("train"), uris("train"), network, {}))
    asked = aws.describe_training_job(TrainingJobName=name)
    assert asked["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    name = submit(CloudRequest(job_named("validate"), uris("validate"), network, {}))
    asked = aws.describe_processing_job(ProcessingJobName=name)
    assert asked["NetworkConfig"]["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}


def test_it_is_asked_for_as_it_is_typed(aws: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "sagemaker.toml"
    config.write_text(f'[sagemaker]\nrole = "{ROLE}"\nimage = "{IMAGE}"\nregion = "{REGION}"\n')
    inputs = [word for name, uri in uris("train").items() for word in ("--input", f"{name}={uri}")]
    words = ["job", "run", "train", "--sagemaker", "--config", str(config), "--out", "s3://bucket/jobs", *inputs]
    assert ebb([*words, "--set", "seconds=60", "--instance-type", "ml.c7i.xlarge", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    asked = aws.describe_training_job(TrainingJobName=told["name"])
    assert asked["HyperParameters"] == {"seconds": "60"}
    assert asked["ResourceConfig"]["InstanceType"] == "ml.c7i.xlarge"
    assert told["output"] == f"s3://bucket/jobs/{told['name']}/output"
    assert ebb(words) == 0
    assert "Next:" in capfd.readouterr().out


def test_a_role_is_checked_where_somebody_says_so_and_refused_in_a_sentence(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert aws is not None
    asked = CloudRequest(job_named("train"), uris("train"), settings(), {})
    assert submit(asked), "a role that may do its work and no more is taken"
    monkeypatch.setenv("SAGEMAKER_VALIDATE_ROLE", "true")
    with pytest.raises(Unavailable, match=r"SageMaker was not started: .*ebb-training") as refused:
        submit(asked)
    assert "\n" not in str(refused.value)


def test_the_sdk_would_tell_of_its_use_were_it_not_told_otherwise(
    aws: Any, telemetry: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the other tests look where telemetry leaves."""
    assert aws is not None
    monkeypatch.setattr("local.jobs.cloud.submit._CONFIGURATION", {"SchemaVersion": "1.0"})
    submit(CloudRequest(job_named("train"), uris("train"), settings(), {}))
    assert telemetry
    telemetry.clear()


def test_what_is_wrong_is_refused_before_the_sdk_is_loaded(aws: Any) -> None:
    with pytest.raises(Misuse, match="knows no parameter 'secnds'"):
        submit(CloudRequest(job_named("train"), uris("train"), settings(), {"secnds": "1"}))
    assert aws.list_training_jobs()["TrainingJobSummaries"] == []
