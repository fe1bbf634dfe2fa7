"""What CreateProcessingJob may ask for here, and what is refused as AWS refuses it."""

from copy import deepcopy
from typing import Any

import pytest

from ebb.errors import DataError, Misuse
from local.jobs.api.asked import read_request
from local.jobs.api.objects import split

REQUEST: dict[str, Any] = {
    "ProcessingJobName": "ebb-batch-1",
    "RoleArn": "arn:aws:iam::123456789012:role/score",
    "AppSpecification": {"ImageUri": "image", "ContainerArguments": ["batch", "--shards", "true"]},
    "ProcessingInputs": [
        {
            "InputName": name,
            "S3Input": {
                "S3Uri": f"s3://b/{name}",
                "LocalPath": f"/opt/ml/processing/input/{name}",
                "S3DataType": kind,
                "S3InputMode": "File",
            },
        }
        for name, kind in (("release", "S3Prefix"), ("data", "ManifestFile"))
    ],
    "ProcessingOutputConfig": {
        "Outputs": [
            {
                "OutputName": "scored",
                "S3Output": {
                    "S3Uri": "s3://b/out",
                    "LocalPath": "/opt/ml/processing/output/scored",
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    },
    "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "Environment": {"A": "b"},
}


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    """Return the request with one value changed; None removes it."""
    request = deepcopy(REQUEST)
    place: Any = request
    for step in path[:-1]:
        place = place[step]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return request


def test_a_request_is_read() -> None:
    asked = read_request(REQUEST)
    assert (asked.name, asked.job.name, asked.parameters) == ("ebb-batch-1", "batch", {"shards": "true"})
    assert {name: (source.uri, source.kind) for name, source in asked.inputs.items()} == {
        "release": ("s3://b/release", "S3Prefix"),
        "data": ("s3://b/data", "ManifestFile"),
    }
    assert asked.outputs == {"scored": "s3://b/out"}
    assert (asked.max_seconds, asked.environment) == (60, {"A": "b"})


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (changed("RoleArn", to=None), 'Missing required parameter in input: "RoleArn"'),
        (changed("Role", to="x"), 'Unknown parameter in input: "Role"'),
        (changed("ProcessingResources", "ClusterConfig", "InstanceCount", to="one"), "Invalid type for parameter"),
        (changed("AppSpecification", "ContainerArguments", to=["bath"]), "there is no job 'bath'"),
        (changed("AppSpecification", "ContainerArguments", to=["batch", "--shards"]), "`--name value` pairs"),
        (changed("AppSpecification", "ContainerArguments", to=["batch", "shards", "true"]), "`--name value` pairs"),
        (changed("AppSpecification", "ContainerArguments", to=None), "`--name value` pairs"),
        (changed("AppSpecification", "ContainerArguments", to=["batch", "--shard", "true"]), "did you mean 'shards'"),
        (changed("ProcessingInputs", 0, "S3Input", "LocalPath", to="/mnt/release"), "does not lie below"),
        (changed("ProcessingInputs", 0, "S3Input", "LocalPath", to="/opt/ml/processing/input/x"), "here it lies in"),
        (changed("ProcessingInputs", 0, to=None), "needs the input 'release'"),
    ],
)
def test_what_is_wrong_is_refused_in_a_sentence(request_: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Misuse) as refused:
        read_request(request_)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("uri", ["", "s3://", "s3:///key", "https://b/key", "b/key"])
def test_what_is_no_address_of_s3_is_refused(uri: str) -> None:
    with pytest.raises(DataError, match="is no address of S3"):
        split(uri)
    assert split("s3://b/a/c") == ("b", "a/c")
    assert split("s3://b") == ("b", "")
