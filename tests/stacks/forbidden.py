"""What nobody, or somebody, must never be able to do; and beside it what each must be able to do, and how."""

from collections.abc import Sequence

from tests.stacks.conditions import Context

BUCKET = "arn:aws:s3:::<registry.Releases>"
RELEASE, SERVES = f"{BUCKET}/releases/churn/0123456789ab.zip", f"{BUCKET}/releases/churn/roles.json"
TABLE = f"{BUCKET}/routing/churn/0000000007.json"
ACCESS_LOG = "arn:aws:s3:::<registry.AccessLogs>/releases/2026-01-01"
ELSEWHERE = (
    "arn:aws:s3:::somebody-elses/secret",
    "arn:aws:iam::<account>:role/administrator",
    "arn:aws:lambda:us-east-1:<account>:function:another",
    "arn:aws:secretsmanager:us-east-1:<account>:secret:another",
    "arn:aws:kms:us-east-1:<account>:key/another",
)
_SECRETS = "arn:aws:secretsmanager:us-east-1:<account>:secret:"
STAGE_SECRET, LOGIN = f"{_SECRETS}<feature-store.StageSecret>", f"{_SECRETS}<feature-store.CacheLogin>"
_KEYS = "arn:aws:kms:us-east-1:<account>:key/"
SEAL_KEY, TIER_KEY, RELEASE_KEY = (
    f"{_KEYS}<{name}>" for name in ("feature-store.SealKey", "feature-store.Key", "registry.Key")
)
_DATABASE = "arn:aws:rds-db:us-east-1:<account>:dbuser:<feature-store.DatabaseProxy>/"
OWNER, READER, ADMINISTRATOR = f"{_DATABASE}ebb", f"{_DATABASE}ebb_reader", f"{_DATABASE}ebb_administrator"
FUNCTIONS = "arn:aws:lambda:us-east-1:<account>:function:"

PREDICT, RECORDS, MAINTAIN = (f"<inference.{name}Role>" for name in ("Predict", "Records", "Maintain"))
MIGRATE, PUBLISHER, PROXY = "<feature-store.MigrateRole>", "<registry.Publisher>", "<feature-store.DatabaseProxyRole>"
PREFLIGHT, POSTFLIGHT, SHIFT = (f"<inference.{name}Role>" for name in ("Preflight", "Postflight", "Shift"))
EXPERIMENT, FAILOVER = "<monitoring.ExperimentRole>", "<monitoring.FailoverRole>"
REPLICATION = "<registry.Replication>"
SCHEDULE, FLOW = "<inference.ScheduleRole>", "<network.VpcFlowIAMRole>"

NOBODY = (
    "cloudformation:*", "cognito-idp:*", "elasticache:*", "iam:*", "organizations:*", "rds:*", "sts:*",
    "ec2:Authorize*", "ec2:Create*Gateway", "ec2:CreateRoute*", "ec2:CreateVpc*", "ec2:Modify*", "ec2:Run*",
    "kms:CreateGrant", "kms:DeleteImportedKeyMaterial", "kms:Disable*", "kms:PutKeyPolicy", "kms:ReplicateKey",
    "kms:ScheduleKeyDeletion", "kms:Update*",
    "lambda:Add*", "lambda:Create*", "lambda:Delete*", "lambda:PublishLayerVersion", "lambda:UpdateFunction*",
    "logs:Delete*", "logs:Get*", "logs:PutRetentionPolicy", "logs:StartQuery",
    "s3:BypassGovernanceRetention", "s3:Delete*", "s3:GetObjectVersion", "s3:PutBucket*", "s3:PutEncryption*",
    "s3:PutLifecycle*", "s3:PutObjectAcl", "s3:PutObjectVersion*", "s3:PutReplication*", "s3:Replicate*",
    "secretsmanager:Cancel*", "secretsmanager:Delete*", "secretsmanager:Put*", "secretsmanager:Rotate*",
    "secretsmanager:Update*",
)  # fmt: skip
"""What no role of a stage may do on anything: lose data, loosen a lock, change code, give rights, read logs."""
EXPERIMENTS: dict[str, set[str]] = {
    EXPERIMENT: {
        "elasticache:DescribeReplicationGroups",
        "elasticache:InterruptClusterAzPower",
        "iam:PassRole",
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstances",
        "rds:FailoverDBCluster",
        "s3:DeleteObject",
    },
    FAILOVER: {"elasticache:TestFailover"},
    REPLICATION: {"s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"},
}
"""What some do all the same: an experiment breaks tiers on purpose, where no data is kept; S3 copies to a region."""
ONLY_IN = {EXPERIMENT: {"staging"}, FAILOVER: {"staging"}, REPLICATION: {"prod"}}
"""Roles that not every stage has."""
ONLY_WHERE_WRITES_GO = {RECORDS, MIGRATE, PUBLISHER, REPLICATION}
"""Roles that a region has not that follows another one."""

SERVING = (PREDICT, RECORDS, MAINTAIN, MIGRATE)
"""The functions that a request or a task reaches."""
ALSO_NOT_SERVING = ("codedeploy:*", "events:*", "lambda:*", "scheduler:*", "sns:*", "ssm:*")

_HOOK: Sequence[tuple[str, Sequence[str]]] = [
    ("s3:*", [RELEASE, SERVES, TABLE, ACCESS_LOG]),
    ("secretsmanager:*", [STAGE_SECRET, LOGIN]),
    ("kms:*", [RELEASE_KEY, TIER_KEY, SEAL_KEY]),
    ("rds-db:connect", [OWNER, READER, ADMINISTRATOR]),
]
FORBIDDEN: dict[str, Sequence[tuple[str, Sequence[str]]]] = {
    PREDICT: [
        ("s3:Put*", [RELEASE, SERVES, TABLE, ACCESS_LOG]),
        ("kms:GenerateDataKey*", [RELEASE_KEY, TIER_KEY, SEAL_KEY]),
        ("kms:Encrypt", [RELEASE_KEY, TIER_KEY, SEAL_KEY]),
        ("rds-db:connect", [OWNER, ADMINISTRATOR]),
    ],
    RECORDS: [
        ("s3:Put*", [RELEASE, SERVES, ACCESS_LOG]),
        ("secretsmanager:Get*", [STAGE_SECRET]),
        ("kms:*", [SEAL_KEY]),
        ("rds-db:connect", [ADMINISTRATOR]),
    ],
    MAINTAIN: [
        ("s3:*", [RELEASE, SERVES, ACCESS_LOG]),
        ("s3:Put*", [TABLE]),
        ("secretsmanager:*", [STAGE_SECRET]),
        ("kms:*", [SEAL_KEY]),
        ("kms:GenerateDataKey*", [RELEASE_KEY]),
        ("rds-db:connect", [ADMINISTRATOR]),
    ],
    MIGRATE: [
        ("s3:*", [RELEASE, SERVES, TABLE, BUCKET, ACCESS_LOG]),
        ("secretsmanager:*", [STAGE_SECRET, LOGIN]),
        ("kms:*", [RELEASE_KEY, TIER_KEY, SEAL_KEY]),
        ("rds-db:connect", [READER, ADMINISTRATOR]),
    ],
    PUBLISHER: [
        ("s3:*", [TABLE, ACCESS_LOG]),
        ("secretsmanager:*", [STAGE_SECRET, LOGIN]),
        ("kms:*", [TIER_KEY, SEAL_KEY]),
        ("rds-db:connect", [OWNER, READER, ADMINISTRATOR]),
        ("lambda:*", [f"{FUNCTIONS}<inference.Predict>", f"{FUNCTIONS}<inference.Predict>:live"]),
    ],
    REPLICATION: [
        ("s3:PutObject*", [RELEASE, SERVES, TABLE, ACCESS_LOG]),
        ("s3:GetObject", [RELEASE, SERVES, TABLE, ACCESS_LOG]),
        ("s3:Replicate*", [RELEASE, SERVES, TABLE, ACCESS_LOG, "arn:aws:s3:::somebody-elses/releases/x"]),
        ("secretsmanager:*", [STAGE_SECRET, LOGIN]),
        ("kms:*", [TIER_KEY, SEAL_KEY]),
        ("rds-db:connect", [OWNER, READER, ADMINISTRATOR]),
        ("lambda:*", [f"{FUNCTIONS}<inference.Predict>"]),
    ],
    PROXY: [("secretsmanager:*", [STAGE_SECRET, LOGIN]), ("kms:*", [TIER_KEY, SEAL_KEY]), ("s3:*", [RELEASE, TABLE])],
    SCHEDULE: [
        (
            "lambda:*",
            [f"{FUNCTIONS}<{name}>" for name in ("inference.Predict", "inference.Records", "feature-store.Migrate")],
        ),
        ("s3:*", [RELEASE, TABLE]),
    ],
    EXPERIMENT: [
        ("s3:*", [RELEASE, SERVES, TABLE, ACCESS_LOG]),
        ("secretsmanager:*", [STAGE_SECRET, LOGIN]),
        ("kms:*", [TIER_KEY, SEAL_KEY]),
        ("rds-db:connect", [OWNER, READER, ADMINISTRATOR]),
        ("rds:Delete*", ["arn:aws:rds:us-east-1:<account>:cluster:<feature-store.DatabaseCluster>"]),
        ("iam:PassRole", [f"arn:aws:iam::<account>:role/{PREDICT}", f"arn:aws:iam::<account>:role/{EXPERIMENT}"]),
        ("lambda:Invoke*", [f"{FUNCTIONS}<inference.Predict>", f"{FUNCTIONS}<inference.Maintain>"]),
    ],
    FAILOVER: [("rds:*", ["arn:aws:rds:us-east-1:<account>:cluster:<feature-store.DatabaseCluster>"])],
    PREFLIGHT: [
        *_HOOK,
        ("lambda:Invoke*", [f"{FUNCTIONS}<inference.Predict>", f"{FUNCTIONS}<inference.Records>"]),
        ("lambda:Update*", [f"{FUNCTIONS}<inference.Predict>", f"{FUNCTIONS}<inference.Predict>:live"]),
    ],
    POSTFLIGHT: [
        *_HOOK,
        ("lambda:Put*", [f"{FUNCTIONS}<inference.Predict>", f"{FUNCTIONS}<inference.Predict>:7"]),
        ("lambda:Invoke*", [f"{FUNCTIONS}<inference.Predict>:7", f"{FUNCTIONS}<inference.Records>"]),
    ],
    SHIFT: [
        *_HOOK,
        ("lambda:UpdateAlias", [f"{FUNCTIONS}<inference.Records>", f"{FUNCTIONS}<inference.Maintain>"]),
        ("lambda:Invoke*", [f"{FUNCTIONS}<inference.Predict>:live", f"{FUNCTIONS}<inference.Maintain>"]),
    ],
    FLOW: [("logs:PutLogEvents", ["arn:aws:logs:us-east-1:<account>:log-group:<inference.PredictLog>:*"])],
}
"""What each role in particular may not do."""

TLS = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
ONCE = {**TLS, "s3:if-none-match": "*"}
THROUGH_S3 = {"kms:ViaService": "s3.us-east-1.amazonaws.com"}
THROUGH_SECRETS = {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}
MAY: Sequence[tuple[str, str, str, Context]] = [
    (PREDICT, "s3:GetObject", RELEASE, TLS),
    (PREDICT, "s3:GetObject", TABLE, TLS),
    (PREDICT, "s3:ListBucket", BUCKET, {**TLS, "s3:prefix": "releases/churn/"}),
    (PREDICT, "kms:Decrypt", RELEASE_KEY, THROUGH_S3),
    (PREDICT, "secretsmanager:GetSecretValue", STAGE_SECRET, {}),
    (PREDICT, "kms:Decrypt", SEAL_KEY, THROUGH_SECRETS),
    (PREDICT, "rds-db:connect", READER, {}),
    (PREDICT, "ec2:CreateNetworkInterface", "*", {}),
    (RECORDS, "s3:PutObject", TABLE, ONCE),
    (RECORDS, "kms:GenerateDataKey", RELEASE_KEY, THROUGH_S3),
    (RECORDS, "rds-db:connect", OWNER, {}),
    (MAINTAIN, "s3:GetObject", TABLE, TLS),
    (MAINTAIN, "rds-db:connect", OWNER, {}),
    (MIGRATE, "rds-db:connect", OWNER, {}),
    (PUBLISHER, "s3:PutObject", RELEASE, ONCE),
    (PUBLISHER, "s3:PutObject", SERVES, TLS),
    (SCHEDULE, "lambda:InvokeFunction", f"{FUNCTIONS}<inference.Maintain>", {}),
]
"""What each must be able to do, and how it asks."""

MAY_NOT_SO: Sequence[tuple[str, str, str, Context]] = [
    (PREDICT, "s3:GetObject", RELEASE, {**TLS, "aws:SecureTransport": "false"}),
    (PREDICT, "s3:GetObject", RELEASE, {**TLS, "s3:TlsVersion": "1.1"}),
    (PREDICT, "s3:ListBucket", BUCKET, TLS),
    (PREDICT, "kms:Decrypt", RELEASE_KEY, {}),
    (PREDICT, "kms:Decrypt", SEAL_KEY, THROUGH_S3),
    (PREDICT, "ec2:CreateNetworkInterface", "*", {"lambda:SourceFunctionArn": f"{FUNCTIONS}<inference.Predict>"}),
    (RECORDS, "s3:PutObject", TABLE, TLS),
    (PUBLISHER, "s3:PutObject", RELEASE, TLS),
]
"""The same in a way that must be refused: in clear, past a service, by a function's code, over what stands there."""
