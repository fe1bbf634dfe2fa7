"""Where training keeps what: its buckets, and the prefixes in them that roles are granted."""

from dataclasses import dataclass

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.bucket import make_bucket, make_log_bucket
from stacks.constructs.encryption import make_key
from stacks.constructs.prefix import LIST, READ, WRITE, allow_prefix

CONTRACTS, EVENTS, TABLES, DVC = "contracts", "events", "tables", "dvc"
"""Prefixes of the data: contracts with their SQL, tables of events, tables to learn from and to score, DVC's remote."""
JOBS, CHECKPOINTS, SCORED, TRACKING = "jobs", "checkpoints", "scored", "mlflow"
"""Prefixes of the artefacts: results of jobs, of trainings that go on, of batch runs, and of the tracking server."""
QUERIES = "queries"
"""Prefix of what Athena answers."""

_NONCURRENT_DAYS, _CHECKPOINT_DAYS, _RESULT_DAYS = 30, 30, 30
_REASON = (
    "Tables, jobs and runs are named when they are made: a policy can only name their prefix. A bucket for each was "
    "considered; it would need the same wildcard inside."
)


@dataclass(frozen=True)
class TrainingPlaces:
    """The buckets.

    Attributes:
        key: encrypts them, and the images of jobs.
        data: what is learned from and scored; kept until somebody deletes it.
        artefacts: what jobs make.
        results: what queries answer; leaves by itself.
    """

    key: kms.Key
    data: s3.Bucket
    artefacts: s3.Bucket
    results: s3.Bucket

    def grant_read(self, role: iam.Role, bucket: s3.Bucket, *prefixes: str) -> None:
        """Let a role list and read prefixes of one of the buckets."""
        self._allow(role, bucket, prefixes, READ)

    def grant_write(self, role: iam.Role, bucket: s3.Bucket, *prefixes: str) -> None:
        """Let a role list, read and add to prefixes of one of the buckets; what is replaced stays a version."""
        self._allow(role, bucket, prefixes, (*READ, *WRITE))

    def grant_list(self, role: iam.Role, bucket: s3.Bucket, *prefixes: str) -> None:
        """Let a role list prefixes of one of the buckets, and read nothing."""
        self._allow(role, bucket, prefixes, LIST)

    def _allow(self, role: iam.Role, bucket: s3.Bucket, prefixes: tuple[str, ...], actions: tuple[str, ...]) -> None:
        for prefix in prefixes:
            allow_prefix(role, bucket, self.key, prefix, actions, _REASON)


def make_places(scope: Construct, stage: Stage) -> TrainingPlaces:
    """Add the buckets, their key, and the bucket of their access logs."""
    key = make_key(scope, "Key", stage, "training's tables, artefacts and images")
    logs = make_log_bucket(scope, stage)
    data, artefacts, results = (
        make_bucket(scope, name, stage, key=key, logs=logs, noncurrent_days=_NONCURRENT_DAYS)
        for name in ("Data", "Artefacts", "Results")
    )
    artefacts.add_lifecycle_rule(prefix=f"{CHECKPOINTS}/", expiration=aws.Duration.days(_CHECKPOINT_DAYS))
    results.add_lifecycle_rule(expiration=aws.Duration.days(_RESULT_DAYS))
    return TrainingPlaces(key, data, artefacts, results)
