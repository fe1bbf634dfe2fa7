"""The states of one batch of shards: named, passed over where its mark is there, scored by a processing job, marked."""

from typing import Any

from training.batch.asl import EXECUTION, retries, said
from training.batch.cloud_scoring import CloudScoring

JOB = "batch"
_INPUTS, _SCORED = "/opt/ml/processing/input", "/opt/ml/processing/output/scored"
_SECONDS = 3_600 * 6
_BATCH = "$states.input.batch & '.json'"
_RESULTS_BUCKET = said("$states.input.results_bucket")
SHARED = ("bucket", "release", "release_state", "results_bucket", "results_prefix")
"""What every batch is given of the run's input."""


def batch_states(values: CloudScoring) -> dict[str, Any]:
    """Return them, the first first."""
    return {
        "NameBatch": _name(),
        "LookForMark": _look_for_mark(),
        "IsThereWork": _choice(),
        "WriteManifest": _manifest(),
        "ScoreBatch": _job(values),
        "Mark": _mark(),
        "Done": {"Type": "Succeed"},
    }


def _name() -> dict[str, Any]:
    """Return the state that names a batch; markers of folders and what else lies in the prefix are left out."""
    shards = "$states.input.Items[$contains(Key, /\\.parquet$/) and Size > 0]"
    known = "$string([$states.input.BatchInput.release_state, $shards.[Key, Etag]])"
    batch = f"$substring($hash({known}, 'SHA-256'), 0, 32)"
    named = f"$merge([$states.input.BatchInput, {{'batch': {batch}, 'keys': [$shards.Key]}}])"
    return {"Type": "Pass", "Output": said(f"($shards := {shards}; {named})"), "Next": "LookForMark"}


def _look_for_mark() -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:listObjectsV2",
        "Arguments": {"Bucket": _RESULTS_BUCKET, "Prefix": _below("done"), "MaxKeys": 1},
        "Output": said("$merge([$states.input, {'done': $count($states.result.Contents) > 0}])"),
        "Retry": retries(10, 2, faults=2),
        "Next": "IsThereWork",
    }


def _choice() -> dict[str, Any]:
    work = said("$count($states.input.keys) > 0 and $not($states.input.done)")
    return {"Type": "Choice", "Choices": [{"Condition": work, "Next": "WriteManifest"}], "Default": "Done"}


def _manifest() -> dict[str, Any]:
    """Return the state that writes a manifest, as the list that it is: a text would be written in quotation marks."""
    prefix = "{'prefix': 's3://' & $states.input.bucket & '/'}"
    return _put("manifests", said(f"$append([{prefix}], $states.input.keys)"), "ScoreBatch")


def _mark() -> dict[str, Any]:
    return _put("done", said("{'job': $states.input.job, 'keys': $states.input.keys}"), "Done")


def _put(folder: str, body: str, following: str) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
        "Arguments": {
            "Bucket": _RESULTS_BUCKET,
            "Key": _below(folder),
            "Body": body,
            "ContentType": "application/json",
        },
        "Output": said("$states.input"),
        "Retry": retries(10, 2, faults=2),
        "Next": following,
    }


def _job(values: CloudScoring) -> dict[str, Any]:
    """Return the state that runs one processing job and waits for it.

    Its name changes with every attempt, since SageMaker never gives a name twice.
    """
    results = "'s3://' & $states.input.results_bucket & '/' & $states.input.results_prefix"
    name = f"'ebb-{JOB}-' & $substring({EXECUTION}, 0, 36) & '-' & $string($states.context.State.RetryCount)"
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync",
        "TimeoutSeconds": _SECONDS,
        "Arguments": {
            "ProcessingJobName": said(name),
            "RoleArn": values.role,
            "AppSpecification": {"ImageUri": values.image, "ContainerArguments": [JOB, "--shards", "true"]},
            "ProcessingInputs": [
                _input("release", said("$states.input.release"), "S3Prefix"),
                _input("data", said(f"{results} & '/manifests/' & {_BATCH}"), "ManifestFile"),
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "scored",
                        "S3Output": {
                            "S3Uri": said(f"{results} & '/scored'"),
                            "LocalPath": _SCORED,
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceCount": 1,
                    "InstanceType": values.instance,
                    "VolumeSizeInGB": values.volume_gb,
                }
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": _SECONDS},
        },
        "Output": said("$merge([$states.input, {'job': $states.result.ProcessingJobName}])"),
        "Retry": retries(20, 30, faults=10),
        "Next": "Mark",
    }


def _input(name: str, uri: str, kind: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{_INPUTS}/{name}",
            "S3DataType": kind,
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        },
    }


def _below(folder: str) -> str:
    return said(f"$states.input.results_prefix & '/{folder}/' & {_BATCH}")
