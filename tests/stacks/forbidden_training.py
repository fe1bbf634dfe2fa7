"""What training's roles must never be able to do, and what each must be able to do; beside `tests.stacks.forbidden`."""

from collections.abc import Sequence

from tests.stacks.conditions import Context
from tests.stacks.forbidden import (
    ACCESS_LOG,
    LOGIN,
    OWNER,
    READER,
    RELEASE,
    RELEASE_KEY,
    SEAL_KEY,
    SERVES,
    STAGE_SECRET,
    TABLE,
    TIER_KEY,
    TLS,
)

TRAINING, PROCESSING, STARTER = "<training.TrainingRole>", "<training.ProcessingRole>", "<training.Starter>"
TRACKING, BATCH = "<training.TrackingRole>", "<training.BatchScoringRole>"
BUILD, BUILD_START = "<training.BuildRole>", "<training.BuildStartRole>"
ROLES = (TRAINING, PROCESSING, STARTER, TRACKING, BATCH, BUILD, BUILD_START)

DATA, ARTEFACTS, RESULTS = (f"arn:aws:s3:::<training.{name}>" for name in ("Data", "Artefacts", "Results"))
TRAINING_KEY = "arn:aws:kms:us-east-1:<account>:key/<training.Key>"
IMAGES = "arn:aws:ecr:us-east-1:<account>:repository/<training.JobImages>"
SERVER = "arn:aws:sagemaker:us-east-1:<account>:mlflow-tracking-server/<training.TrackingServer>"
MACHINE = "arn:aws:states:us-east-1:<account>:stateMachine:<training.BatchScoring>"
_JOBS = "arn:aws:sagemaker:us-east-1:<account>:"
_LOGS = "arn:aws:logs:us-east-1:<account>:log-group:/aws/sagemaker/"


def role_arn(symbol: str) -> str:
    """Return a role's address."""
    return f"arn:aws:iam::<account>:role/{symbol}"


ALL_THE_SAME: dict[str, set[str]] = {
    STARTER: {"iam:PassRole", "logs:GetLogEvents"},
    BATCH: {"iam:PassRole", "logs:DeleteLogDelivery", "logs:GetLogDelivery"},
}
"""What nobody may, and these do: hand a job its role, read a job's log, set up the log of batch runs."""

_SERVING: Sequence[tuple[str, Sequence[str]]] = [
    ("s3:*", [RELEASE, SERVES, TABLE, ACCESS_LOG]),
    ("secretsmanager:*", [STAGE_SECRET, LOGIN]),
    ("kms:*", [RELEASE_KEY, TIER_KEY, SEAL_KEY]),
    ("rds-db:connect", [OWNER, READER]),
    ("lambda:*", ["arn:aws:lambda:us-east-1:<account>:function:<inference.Predict>"]),
]
"""Nothing of training reaches what serves."""
FORBIDDEN_IN_TRAINING: dict[str, Sequence[tuple[str, Sequence[str]]]] = {
    TRAINING: [
        *_SERVING,
        ("s3:Put*", [f"{DATA}/contracts/a.toml", f"{DATA}/tables/a.parquet", f"{DATA}/events/a.parquet"]),
        ("s3:Get*", [f"{DATA}/events/a.parquet", f"{DATA}/dvc/ab/cd", f"{ARTEFACTS}/scored/a", f"{RESULTS}/queries/a"]),
        ("ecr:Put*", [IMAGES]),
        ("sagemaker-mlflow:Delete*Run", [SERVER]),
        ("sagemaker:Create*", [f"{_JOBS}training-job/ebb-train-1"]),
    ],
    PROCESSING: [
        *_SERVING,
        ("s3:Put*", [f"{DATA}/contracts/a.toml", f"{DATA}/tables/a.parquet", f"{ARTEFACTS}/mlflow/a"]),
        ("s3:Get*", [f"{DATA}/dvc/ab/cd", f"{ARTEFACTS}/checkpoints/a", f"{RESULTS}/queries/a"]),
        ("sagemaker-mlflow:*", [SERVER]),
        ("ecr:Put*", [IMAGES]),
    ],
    STARTER: [
        *_SERVING,
        ("iam:PassRole", [role_arn(TRACKING), role_arn(BATCH), role_arn(BUILD), role_arn(STARTER)]),
        ("s3:Put*", [f"{ARTEFACTS}/jobs/a/output/model.tar.gz", f"{ARTEFACTS}/scored/a"]),
        ("sagemaker:*", [f"{_JOBS}training-job/somebody-elses", f"{_JOBS}endpoint/a", f"{_JOBS}notebook-instance/a"]),
        ("sagemaker-mlflow:Delete*Run", [SERVER]),
        ("states:*", ["arn:aws:states:us-east-1:<account>:stateMachine:another"]),
        ("athena:*", ["arn:aws:athena:us-east-1:<account>:workgroup/primary"]),
        ("logs:GetLogEvents", [f"{_LOGS}TrainingJobs:log-stream:somebody-elses"]),
        ("ecr:*", [IMAGES]),
        ("codebuild:*", ["arn:aws:codebuild:us-east-1:<account>:project/<training.JobImageBuild>"]),
    ],
    TRACKING: [*_SERVING, ("s3:*", [f"{DATA}/tables/a", f"{ARTEFACTS}/jobs/a", f"{RESULTS}/queries/a"])],
    BATCH: [
        *_SERVING,
        ("iam:PassRole", [role_arn(TRAINING), role_arn(BATCH)]),
        ("s3:Get*", [f"{DATA}/tables/a.parquet", f"{ARTEFACTS}/jobs/a/output/model.tar.gz"]),
        ("s3:Put*", [f"{DATA}/tables/a.parquet", f"{ARTEFACTS}/jobs/a"]),
        ("sagemaker:*", [f"{_JOBS}processing-job/ebb-evaluate-1", f"{_JOBS}training-job/ebb-train-1"]),
        ("states:*", ["arn:aws:states:us-east-1:<account>:stateMachine:another"]),
    ],
    BUILD: [
        *_SERVING,
        ("s3:*", [f"{DATA}/tables/a", f"{ARTEFACTS}/jobs/a", DATA, ARTEFACTS]),
        ("ecr:Delete*", [IMAGES]),
        ("ecr:PutImage", ["arn:aws:ecr:us-east-1:<account>:repository/another"]),
        ("ec2:*", ["*"]),
    ],
    BUILD_START: [*_SERVING, ("codebuild:*", ["arn:aws:codebuild:us-east-1:<account>:project/another"])],
}
"""What each role in particular may not do."""

_THROUGH_S3 = {"kms:ViaService": "s3.us-east-1.amazonaws.com"}
_TO_SAGEMAKER = {"iam:PassedToService": "sagemaker.amazonaws.com"}
MAY_IN_TRAINING: Sequence[tuple[str, str, str, Context]] = [
    (TRAINING, "s3:GetObject", f"{DATA}/tables/train.parquet", TLS),
    (TRAINING, "s3:PutObject", f"{ARTEFACTS}/jobs/ebb-train-1/output/model.tar.gz", TLS),
    (TRAINING, "s3:PutObject", f"{ARTEFACTS}/checkpoints/a", TLS),
    (TRAINING, "s3:ListBucket", ARTEFACTS, {**TLS, "s3:prefix": "checkpoints"}),
    (TRAINING, "kms:GenerateDataKey", TRAINING_KEY, _THROUGH_S3),
    (TRAINING, "ecr:BatchGetImage", IMAGES, {}),
    (TRAINING, "sagemaker-mlflow:LogBatch", SERVER, {}),
    (TRAINING, "logs:PutLogEvents", f"{_LOGS}TrainingJobs:log-stream:ebb-train-1/algo-1", {}),
    (PROCESSING, "s3:GetObject", f"{DATA}/events/2026/a.parquet", TLS),
    (PROCESSING, "s3:PutObject", f"{ARTEFACTS}/scored/june/scored/a.parquet", TLS),
    (PROCESSING, "s3:GetObject", f"{ARTEFACTS}/scored/june/manifests/a.json", TLS),
    (PROCESSING, "s3:GetObject", f"{ARTEFACTS}/jobs/ebb-train-1/output/model.tar.gz", TLS),
    (TRACKING, "s3:PutObject", f"{ARTEFACTS}/mlflow/1/a", TLS),
    (BATCH, "s3:ListBucket", DATA, {**TLS, "s3:prefix": "tables/june/"}),
    (BATCH, "s3:PutObject", f"{ARTEFACTS}/scored/june/done/a.json", TLS),
    (BATCH, "sagemaker:CreateProcessingJob", f"{_JOBS}processing-job/ebb-batch-a-0", {}),
    (BATCH, "iam:PassRole", role_arn(PROCESSING), _TO_SAGEMAKER),
    (BATCH, "states:StartExecution", MACHINE, {}),
    (STARTER, "iam:PassRole", role_arn(TRAINING), _TO_SAGEMAKER),
    (STARTER, "sagemaker:CreateTrainingJob", f"{_JOBS}training-job/ebb-train-1", {}),
    (STARTER, "s3:PutObject", f"{DATA}/dvc/ab/cd", TLS),
    (STARTER, "states:StartExecution", MACHINE, {}),
    (STARTER, "athena:StartQueryExecution", "arn:aws:athena:us-east-1:<account>:workgroup/<training.Queries>", {}),
    (STARTER, "glue:CreateTable", "arn:aws:glue:us-east-1:<account>:table/<training.EventsDatabase>/events", {}),
    (STARTER, "sagemaker:CreatePresignedMlflowTrackingServerUrl", SERVER, {}),
    (BUILD, "ecr:PutImage", IMAGES, {}),
    (BUILD_START, "codebuild:StartBuild", "arn:aws:codebuild:us-east-1:<account>:project/<training.JobImageBuild>", {}),
]
"""What each must be able to do, and how it asks."""
MAY_NOT_SO_IN_TRAINING: Sequence[tuple[str, str, str, Context]] = [
    (TRAINING, "s3:GetObject", f"{DATA}/tables/train.parquet", {**TLS, "aws:SecureTransport": "false"}),
    (TRAINING, "s3:ListBucket", DATA, {**TLS, "s3:prefix": "events/"}),
    (TRAINING, "kms:Decrypt", TRAINING_KEY, {}),
    (STARTER, "iam:PassRole", role_arn(TRAINING), {"iam:PassedToService": "ec2.amazonaws.com"}),
    (BATCH, "iam:PassRole", role_arn(PROCESSING), {"iam:PassedToService": "lambda.amazonaws.com"}),
]
"""The same in a way that must be refused: in clear, past a service, to another one."""
