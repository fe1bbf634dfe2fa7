"""Where and as whom a job runs on SageMaker: read from a file, overridden, and refused before anything is asked."""

from pathlib import Path
from typing import Any

import pytest

from ebb.errors import Misuse
from local.jobs.cloud.settings import read_settings
from local.jobs.cloud.submit import CloudRequest, submit
from training.jobs.table import job_named

GOOD: dict[str, Any] = {
    "role": "arn:aws:iam::123456789012:role/ebb-training",
    "image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/ebb-jobs:0.1.0",
    "region": "eu-central-1",
    "output": "s3://bucket/jobs/",
}
FILE = "[sagemaker]\n" + "\n".join(f'{name} = "{value}"' for name, value in GOOD.items())


def test_a_file_and_the_options_that_override_it(tmp_path: Path) -> None:
    path = tmp_path / "sagemaker.toml"
    path.write_text(FILE + "\nmax_seconds = 60\n")
    settings = read_settings(path, {"max_seconds": None, "instance_type": "ml.c7i.xlarge", "region": "us-east-1"})
    assert (settings.max_seconds, settings.instance_type, settings.region) == (60, "ml.c7i.xlarge", "us-east-1")
    assert settings.longest_wait == 120
    assert settings.place("one") == "s3://bucket/jobs/one/output"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"role": None}, "role: Field required"),
        ({"role": "ebb-training"}, "role: String should match"),
        ({"output": "bucket/jobs"}, "output: String should match"),
        ({"output": "s3://Bucket"}, "output: String should match"),
        ({"region": "here"}, "region: String should match"),
        ({"instance_type": "m5.large"}, "instance_type: String should match"),
        ({"max_seconds": 0}, "max_seconds: Input should be greater than or equal to 1"),
        ({"spot": True}, "spot needs checkpoints"),
        ({"max_seconds": 60, "max_wait_seconds": 59}, "max_wait_seconds must be at least max_seconds"),
        ({"subnets": ["subnet-1"]}, "subnets and security_groups belong together"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
    ],
)
def test_what_sagemaker_could_not_use_is_refused_by_name(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Misuse) as refused:
        read_settings(None, {**GOOD, **change})
    assert sentence in str(refused.value)
    assert "ebb-training" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("= 1", "is no TOML"), ("sagemaker = 3", r"\[sagemaker\] must be a table"), ("", "role: Field required")],
)
def test_a_file_that_says_nothing_usable_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(content)
    with pytest.raises(Misuse, match=sentence):
        read_settings(path, {})


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match=r"none\.toml cannot be read: No such file"):
        read_settings(tmp_path / "none.toml", {})


def test_inputs_of_this_machine_are_refused_before_anything_is_asked() -> None:
    inputs = {"contract": "s3://bucket/c/", "train": "train.csv"}
    with pytest.raises(Misuse, match=r"the input 'train': SageMaker reads from S3, so upload train\.csv"):
        submit(CloudRequest(job_named("train"), inputs, read_settings(None, GOOD)))


def test_a_processing_has_no_spot_machines() -> None:
    inputs = {"contract": "s3://bucket/c/", "data": "s3://bucket/d/"}
    settings = read_settings(None, {**GOOD, "spot": True, "checkpoints": "s3://bucket/cp"})
    with pytest.raises(Misuse, match="spot is for trainings"):
        submit(CloudRequest(job_named("validate"), inputs, settings))


def test_a_missing_input_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(Misuse, match="the job 'train' needs the input 'train'"):
        submit(CloudRequest(job_named("train"), {"contract": "s3://bucket/c/"}, read_settings(None, GOOD)))
