"""Batch scoring in the cloud: a Step Functions Distributed Map over the shards of a prefix.

Each batch of shards becomes a manifest in S3 and one run of the job `batch` as a SageMaker processing job, which scores
it with the same code as your own machine. A batch that is scored gets a mark, so that a later run passes it over.
Expressions are JSONata. Sources: AWS Step Functions Developer Guide, "Map state in Distributed mode", "Transforming
data with JSONata" and "Create and manage Amazon SageMaker AI jobs"; SageMaker API Reference, `CreateProcessingJob` and
`S3DataType` (the format of a manifest).
"""

import json
from typing import Any

from training.batch.asl import EXECUTION, retries, said
from training.batch.batch_states import SHARED, batch_states
from training.batch.cloud_scoring import CloudScoring

_FILES = 500
"""Of a release that are looked at: a list of 1,000 can be larger than the 256 KiB that a state may put out."""
_LARGEST_INPUT = 240 * 1024
"""Bytes of a batch: a state's input may have 256 KiB, and the states of a batch add a little to theirs."""


def state_machine(values: CloudScoring) -> dict[str, Any]:
    """Return the definition in Amazon States Language.

    A run's input: `bucket` and `prefix` of the shards, `release` (S3 URI of the folder of releases), `results_bucket`
    and `results_prefix` (ends without a slash). Below it lie the scored shards under their own keys in `scored/`, a
    manifest of each batch in `manifests/`, a mark of each that is done in `done/`, and what came of them in `runs/`:
    a batch that fails is named there with the job's sentence.

    A batch is known by its shards, their contents and the release's files. So a run with the same input repeats what
    failed or changed, and nothing else; a folder of releases with more than 500 files is taken for a changed one.
    """
    return {
        "Comment": "Score every shard of a prefix with one release",
        "QueryLanguage": "JSONata",
        "StartAt": "LookAtRelease",
        "States": {"LookAtRelease": _release(), "ScoreShards": _map(values)},
    }


def as_json(definition: dict[str, Any]) -> str:
    """Return a definition as the text that CreateStateMachine takes."""
    return json.dumps(definition, indent=2, sort_keys=True) + "\n"


def _release() -> dict[str, Any]:
    """Return the state that lists the release's files: what lies there, and since when."""
    path = "$substringAfter($states.input.release, 's3://')"
    listed = "$string($states.result.Contents.[Key, Size, LastModified])"
    state = f"$exists($states.result.NextContinuationToken) ? {EXECUTION} : {listed}"
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:listObjectsV2",
        "Arguments": {
            "Bucket": said(f"$substringBefore({path}, '/')"),
            "Prefix": said(f"$substringAfter({path}, '/')"),
            "MaxKeys": _FILES,
        },
        "Output": said(f"$merge([$states.input, {{'release_state': $hash({state}, 'SHA-256')}}])"),
        "Retry": retries(10, 2, faults=2),
        "Next": "ScoreShards",
    }


def _map(values: CloudScoring) -> dict[str, Any]:
    return {
        "Type": "Map",
        "Label": "ScoreShards",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:listObjectsV2",
            "Arguments": {"Bucket": said("$states.input.bucket"), "Prefix": said("$states.input.prefix")},
        },
        "ItemBatcher": {
            "MaxItemsPerBatch": values.shards_a_job,
            "MaxInputBytesPerBatch": _LARGEST_INPUT,
            "BatchInput": {name: said(f"$states.input.{name}") for name in SHARED},
        },
        "MaxConcurrency": values.jobs_at_once,
        "ToleratedFailurePercentage": values.tolerated_percent,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "NameBatch",
            "States": batch_states(values),
        },
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Arguments": {
                "Bucket": said("$states.input.results_bucket"),
                "Prefix": said("$states.input.results_prefix & '/runs'"),
            },
        },
        "End": True,
    }
