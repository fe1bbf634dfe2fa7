"""Everything that nobody, or somebody, must never be able to do, tried; and beside it what each must be able to do."""

from collections.abc import Sequence
from itertools import chain

import pytest

from cdk.stages import STAGES
from tests.stacks.conditions import Context
from tests.stacks.conftest import Synthesized
from tests.stacks.evaluation import Permissions
from tests.stacks.references import References
from tests.stacks.rights import expanded
from tests.stacks.snapshot import stage_statements

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
_FUNCTIONS = "arn:aws:lambda:us-east-1:<account>:function:"

PREDICT, RECORDS, MAINTAIN = (f"<inference.{name}Role>" for name in ("Predict", "Records", "Maintain"))
MIGRATE, PUBLISHER, PROXY = "<feature-store.MigrateRole>", "<registry.Publisher>", "<feature-store.DatabaseProxyRole>"
PREFLIGHT, POSTFLIGHT, SHIFT = (f"<inference.{name}Role>" for name in ("Preflight", "Postflight", "Shift"))
EXPERIMENT, FAILOVER = "<monitoring.ExperimentRole>", "<monitoring.FailoverRole>"
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
}
"""What an experiment does all the same: it breaks tiers on purpose, where no data is kept."""
ONLY_IN = {EXPERIMENT: {"staging"}, FAILOVER: {"staging"}}
"""Roles that not every stage has."""

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
        ("lambda:*", [f"{_FUNCTIONS}<inference.Predict>", f"{_FUNCTIONS}<inference.Predict>:live"]),
    ],
    PROXY: [("secretsmanager:*", [STAGE_SECRET, LOGIN]), ("kms:*", [TIER_KEY, SEAL_KEY]), ("s3:*", [RELEASE, TABLE])],
    SCHEDULE: [
        (
            "lambda:*",
            [f"{_FUNCTIONS}<{name}>" for name in ("inference.Predict", "inference.Records", "feature-store.Migrate")],
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
        ("lambda:Invoke*", [f"{_FUNCTIONS}<inference.Predict>", f"{_FUNCTIONS}<inference.Maintain>"]),
    ],
    FAILOVER: [("rds:*", ["arn:aws:rds:us-east-1:<account>:cluster:<feature-store.DatabaseCluster>"])],
    PREFLIGHT: [
        *_HOOK,
        ("lambda:Invoke*", [f"{_FUNCTIONS}<inference.Predict>", f"{_FUNCTIONS}<inference.Records>"]),
        ("lambda:Update*", [f"{_FUNCTIONS}<inference.Predict>", f"{_FUNCTIONS}<inference.Predict>:live"]),
    ],
    POSTFLIGHT: [
        *_HOOK,
        ("lambda:Put*", [f"{_FUNCTIONS}<inference.Predict>", f"{_FUNCTIONS}<inference.Predict>:7"]),
        ("lambda:Invoke*", [f"{_FUNCTIONS}<inference.Predict>:7", f"{_FUNCTIONS}<inference.Records>"]),
    ],
    SHIFT: [
        *_HOOK,
        ("lambda:UpdateAlias", [f"{_FUNCTIONS}<inference.Records>", f"{_FUNCTIONS}<inference.Maintain>"]),
        ("lambda:Invoke*", [f"{_FUNCTIONS}<inference.Predict>:live", f"{_FUNCTIONS}<inference.Maintain>"]),
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
    (MIGRATE, "rds-db:connect", OWNER, {}),
    (PUBLISHER, "s3:PutObject", RELEASE, ONCE),
    (PUBLISHER, "s3:PutObject", SERVES, TLS),
    (SCHEDULE, "lambda:InvokeFunction", f"{_FUNCTIONS}<inference.Maintain>", {}),
]
"""What each must be able to do, and how it asks."""

MAY_NOT_SO: Sequence[tuple[str, str, str, Context]] = [
    (PREDICT, "s3:GetObject", RELEASE, {**TLS, "aws:SecureTransport": "false"}),
    (PREDICT, "s3:GetObject", RELEASE, {**TLS, "s3:TlsVersion": "1.1"}),
    (PREDICT, "s3:ListBucket", BUCKET, TLS),
    (PREDICT, "kms:Decrypt", RELEASE_KEY, {}),
    (PREDICT, "kms:Decrypt", SEAL_KEY, THROUGH_S3),
    (PREDICT, "ec2:CreateNetworkInterface", "*", {"lambda:SourceFunctionArn": f"{_FUNCTIONS}<inference.Predict>"}),
    (RECORDS, "s3:PutObject", TABLE, TLS),
    (PUBLISHER, "s3:PutObject", RELEASE, TLS),
]
"""The same in a way that must be refused: in clear, past a service, by a function's code, over what stands there."""

stages = pytest.mark.parametrize("stage", STAGES)


def evaluated(synthesized: Synthesized, stage: str) -> Permissions:
    """Return who may do what in a stage."""
    return Permissions(stage_statements(synthesized, stage))


def everything(synthesized: Synthesized, stage: str) -> list[str]:
    """Return every resource of a stage, whatever a policy names, and some that are not its own."""
    references = References(synthesized.templates[stage], STAGES[stage].region)
    named = {
        references.address(stack, logical)
        for stack, template in synthesized.templates[stage].items()
        for logical in template["Resources"]
    }
    named |= {
        resource.replace("*", "x")
        for statement in stage_statements(synthesized, stage)
        for resource in statement.resources
    }
    return [*sorted(named), RELEASE, SERVES, TABLE, ACCESS_LOG, *ELSEWHERE]


def roles(permissions: Permissions) -> list[str]:
    """Return all roles of a stage."""
    return sorted({one.where for one in permissions.statements if one.kind == "trust"})


def actions(*patterns: str) -> list[str]:
    """Return the actions that patterns stand for."""
    return list(chain.from_iterable(map(expanded, patterns)))


@stages
def test_nobody_may(synthesized: Synthesized, stage: str) -> None:
    permissions, resources = evaluated(synthesized, stage), everything(synthesized, stage)
    for role in roles(permissions):
        found = permissions.what(role, actions(*NOBODY), resources)
        assert {action for action, _ in found} == EXPERIMENTS.get(role, set()), role


@stages
def test_what_requests_reach_starts_and_changes_no_function(synthesized: Synthesized, stage: str) -> None:
    permissions, resources = evaluated(synthesized, stage), everything(synthesized, stage)
    for role in SERVING:
        assert list(permissions.what(role, actions(*ALSO_NOT_SERVING), resources)) == [], role


@stages
@pytest.mark.parametrize("role", FORBIDDEN)
def test_each_forbidden_pair_is_refused(synthesized: Synthesized, stage: str, role: str) -> None:
    permissions = evaluated(synthesized, stage)
    assert (role in roles(permissions)) is (stage in ONLY_IN.get(role, set(STAGES)))
    for pattern, resources in FORBIDDEN[role]:
        assert list(permissions.what(role, actions(pattern), resources)) == []


@stages
def test_each_may_do_its_work(synthesized: Synthesized, stage: str) -> None:
    permissions = evaluated(synthesized, stage)
    for role, action, resource, context in MAY:
        assert permissions.allowed(role, action, resource, context), f"{role} may not {action} on {resource}"


@stages
def test_and_in_no_other_way(synthesized: Synthesized, stage: str) -> None:
    permissions = evaluated(synthesized, stage)
    for role, action, resource, context in MAY_NOT_SO:
        assert permissions.allowed(role, action, resource), "otherwise this shows nothing"
        assert not permissions.allowed(role, action, resource, context), f"{role}: {action} with {context}"


@stages
def test_the_gateway_calls_functions_for_this_api_only(synthesized: Synthesized, stage: str) -> None:
    permissions, gateway = evaluated(synthesized, stage), "service apigateway.amazonaws.com"
    live, call = f"{_FUNCTIONS}<inference.Predict>:live", "lambda:InvokeFunction"
    api = "arn:aws:execute-api:us-east-1:<account>:{}/$default/POST/v1/predictions"
    assert permissions.allowed(gateway, call, live, {"aws:SourceArn": api.format("<inference.Api>")})
    assert not permissions.allowed(gateway, call, live, {"aws:SourceArn": api.format("another")})
    assert not permissions.allowed(gateway, call, live, {})
    for other in ("<inference.Predict>", "<inference.Maintain>", "<feature-store.Migrate>"):
        assert not permissions.allowed(gateway, call, f"{_FUNCTIONS}{other}"), "past the alias, or past every door"


@stages
def test_each_role_was_thought_of(synthesized: Synthesized, stage: str) -> None:
    missing = set(roles(evaluated(synthesized, stage))) - set(FORBIDDEN)
    assert missing == set(), "say in FORBIDDEN what they may not do"
