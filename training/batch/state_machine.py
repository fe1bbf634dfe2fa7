"""Batch scoring in the cloud: a Step Functions Distributed Map over the shards of a prefix.

Each batch of shards becomes a manifest in S3 and one run of the job `batch` as a SageMaker processing job, which scores
it with the same code as your own machine. Expressions are JSONata. Sources: AWS Step Functions Developer Guide, "Map
state in Distributed mode", "Transforming data with JSONata" and "Create and manage Amazon SageMaker AI jobs"; SageMaker
API Reference, `CreateProcessingJob` and `S3DataType` (the format of a manifest).
"""

import json
from dataclasses import dataclass
from typing import Any

JOB = "batch"
_INPUTS, _RESULTS = "/opt/ml/processing/input", "/opt/ml/processing/output"
_FULL = ["SageMaker.ResourceLimitExceededException", "SageMaker.ThrottlingException", "S3.SlowDownException"]
"""Errors of an account that does enough already: waiting helps."""
_FAULTS = ["SageMaker.AmazonSageMakerException", "SageMaker.SdkClientException", "S3.SdkClientException"]
"""Errors of a service or of the way to it: a few attempts help, or none."""
_SECONDS = 3_600 * 6
_MEGABYTES = 256 * 1024


@dataclass(frozen=True)
class CloudScoring:
    """The values of one stage; what a run scores comes with its input.

    Attributes:
        image: of the job container.
        role: that the jobs run as.
        instance: type of their machines.
        volume_gb: their disks: the shards of a batch and what is scored of them.
        shards_a_job: the most shards of one batch.
        jobs_at_once: the most batches that run side by side; an account has a quota of machines.
        tolerated_percent: shards that may fail before the whole run does, 0 to 100.
    """

    image: str
    role: str
    instance: str = "ml.m5.large"
    volume_gb: int = 50
    shards_a_job: int = 20
    jobs_at_once: int = 10
    tolerated_percent: int = 0


def state_machine(values: CloudScoring) -> dict[str, Any]:
    """Return the definition in Amazon States Language.

    A run's input: `bucket` and `prefix` of the shards, `release` (S3 URI of the folder of releases), `results_bucket`
    and `results_prefix` (ends without a slash; below it one folder a run). The batches lie in `manifests/` there,
    what came of them in `runs/`, the scored shards in `scored/`. A shard that fails is named there with the job's
    sentence; a run that failed can be redriven, and repeats failed batches only.
    """
    return {
        "Comment": "Score every shard of a prefix with one release",
        "QueryLanguage": "JSONata",
        "StartAt": "ScoreShards",
        "States": {
            "ScoreShards": {
                "Type": "Map",
                "Label": "ScoreShards",
                "ItemReader": _reader(),
                "ItemBatcher": _batcher(values),
                "MaxConcurrency": values.jobs_at_once,
                "ToleratedFailurePercentage": values.tolerated_percent,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "WriteManifest",
                    "States": {"WriteManifest": _manifest(), "ScoreBatch": _job(values)},
                },
                "ResultWriter": {
                    "Resource": "arn:aws:states:::s3:putObject",
                    "Arguments": {
                        "Bucket": _said("$states.input.results_bucket"),
                        "Prefix": _said("$states.input.results_prefix & '/runs'"),
                    },
                },
                "End": True,
            }
        },
    }


def as_json(definition: dict[str, Any]) -> str:
    """Return a definition as the text that CreateStateMachine takes."""
    return json.dumps(definition, indent=2, sort_keys=True) + "\n"


def _reader() -> dict[str, Any]:
    return {
        "Resource": "arn:aws:states:::s3:listObjectsV2",
        "Arguments": {"Bucket": _said("$states.input.bucket"), "Prefix": _said("$states.input.prefix")},
    }


def _batcher(values: CloudScoring) -> dict[str, Any]:
    run = "$states.input.results_prefix & '/' & $states.context.Execution.Name"
    return {
        "MaxItemsPerBatch": values.shards_a_job,
        "MaxInputBytesPerBatch": _MEGABYTES,
        "BatchInput": {
            "bucket": _said("$states.input.bucket"),
            "release": _said("$states.input.release"),
            "results_bucket": _said("$states.input.results_bucket"),
            "results_prefix": _said(run),
        },
    }


_KEYS = "$states.input.Items[$contains(Key, /\\.parquet$/) and Size > 0].Key"
"""Markers of folders and what else lies in a prefix are left out."""
_BATCH = "$states.context.Execution.Name"
"""The child execution of one batch, a name of its own in every run."""


def _manifest() -> dict[str, Any]:
    prefix = "[{'prefix': 's3://' & $states.input.BatchInput.bucket & '/'}]"
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
        "Arguments": {
            "Bucket": _said("$states.input.BatchInput.results_bucket"),
            "Key": _said(f"$states.input.BatchInput.results_prefix & '/manifests/' & {_BATCH} & '.json'"),
            "Body": _said(f"$string($append({prefix}, {_KEYS}))"),
            "ContentType": "application/json",
        },
        "Output": _said("$states.input.BatchInput"),
        "Retry": [_retry(_FULL, 10, 2), _retry(_FAULTS, 3, 2)],
        "Next": "ScoreBatch",
    }


def _job(values: CloudScoring) -> dict[str, Any]:
    """Return the state that runs one processing job and waits for it.

    Its name changes with every attempt, since SageMaker never gives a name twice.
    """
    results = "'s3://' & $states.input.results_bucket & '/' & $states.input.results_prefix"
    name = f"'ebb-{JOB}-' & $substring({_BATCH}, 0, 36) & '-' & $string($states.context.State.RetryCount)"
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync",
        "TimeoutSeconds": _SECONDS,
        "Arguments": {
            "ProcessingJobName": _said(name),
            "RoleArn": values.role,
            "AppSpecification": {"ImageUri": values.image, "ContainerArguments": [JOB]},
            "ProcessingInputs": [
                _input("release", _said("$states.input.release"), "S3Prefix"),
                _input("data", _said(f"{results} & '/manifests/' & {_BATCH} & '.json'"), "ManifestFile"),
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "results",
                        "S3Output": {
                            "S3Uri": _said(f"{results} & '/scored/' & {_BATCH}"),
                            "LocalPath": _RESULTS,
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
        "Output": _said("{'job': $states.result.ProcessingJobName, 'ended': $states.result.ProcessingJobStatus}"),
        "Retry": [_retry(_FULL, 20, 30), _retry(_FAULTS, 3, 10)],
        "End": True,
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


def _retry(errors: list[str], attempts: int, seconds: int) -> dict[str, Any]:
    return {
        "ErrorEquals": errors,
        "MaxAttempts": attempts,
        "IntervalSeconds": seconds,
        "BackoffRate": 2,
        "MaxDelaySeconds": 300,
        "JitterStrategy": "FULL",
    }


def _said(expression: str) -> str:
    return f"{{% {expression} %}}"
