"""The feature store's stack: both tiers, who may enter them, and what a function is told of them."""

import json
from collections.abc import Mapping
from typing import Any

import aws_cdk as aws
import pytest
from aws_cdk import aws_iam as iam

from cdk.assemble import assemble
from cdk.stages import STAGES
from ebb.settings import Settings
from stacks.constructs.database import OWNER, READER
from stacks.feature_store import FeatureStoreStack
from tests.stacks.conftest import CONTEXT, Synthesized

STACK = "feature-store"
stages = pytest.mark.parametrize("stage", STAGES)


def only(synthesized: Synthesized, stage: str, kind: str) -> dict[str, Any]:
    """Return the properties of the stack's only resource of a type."""
    (resource,) = synthesized.resources(stage, STACK, kind).values()
    return dict(resource["Properties"])


def statements(resources: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return all statements of policies."""
    return [one for policy in resources.values() for one in policy["Properties"]["PolicyDocument"]["Statement"]]


@stages
def test_the_database_follows_its_stage(synthesized: Synthesized, stage: str) -> None:
    cluster, values = only(synthesized, stage, "AWS::RDS::DBCluster"), STAGES[stage].database
    scaling = {"MinCapacity": values.least_acu, "MaxCapacity": values.most_acu}
    assert cluster["ServerlessV2ScalingConfiguration"] == scaling
    assert cluster["BackupRetentionPeriod"] == values.backup_days
    assert cluster["DeletionProtection"] is STAGES[stage].keep
    assert cluster["Engine"] == "aurora-postgresql"
    instances = synthesized.resources(stage, STACK, "AWS::RDS::DBInstance").values()
    assert len(instances) == (2 if values.reader else 1)
    assert {instance["Properties"]["DBInstanceClass"] for instance in instances} == {"db.serverless"}
    # The reader grows with the writer, so that it can take over under load.
    assert {instance["Properties"]["PromotionTier"] for instance in instances} <= {0, 1}


@stages
def test_the_database_is_entered_by_iam_over_tls(synthesized: Synthesized, stage: str) -> None:
    cluster, proxy = only(synthesized, stage, "AWS::RDS::DBCluster"), only(synthesized, stage, "AWS::RDS::DBProxy")
    assert cluster["EnableIAMDatabaseAuthentication"] is True
    if STAGES[stage].edge is None:
        assert cluster["ManageMasterUserPassword"] is True
        assert "MasterUserPassword" not in cluster
    else:  # RDS does not manage that of a global database
        assert "ManageMasterUserPassword" not in cluster
        assert cluster["MasterUserPassword"]["Fn::Join"][1][0] == "{{resolve:secretsmanager:"
    assert proxy["RequireTLS"] is True
    assert proxy["DefaultAuthScheme"] == "IAM_AUTH"
    assert not proxy.get("Auth")
    assert proxy["DebugLogging"] is False
    assert only(synthesized, stage, "AWS::RDS::DBClusterParameterGroup")["Parameters"]["rds.force_ssl"] == "1"


@stages
def test_the_databases_log_names_no_person_and_leaves_some_day(synthesized: Synthesized, stage: str) -> None:
    parameters = only(synthesized, stage, "AWS::RDS::DBClusterParameterGroup")["Parameters"]
    assert parameters["log_statement"] == "none"
    assert parameters["log_error_verbosity"] == "terse"
    assert parameters["log_min_error_statement"] == "panic"
    cluster = only(synthesized, stage, "AWS::RDS::DBCluster")
    logs = synthesized.resources(stage, STACK, "AWS::Logs::LogGroup")
    paths = {log["Properties"].get("LogGroupName"): log["Properties"]["RetentionInDays"] for log in logs.values()}
    for export in cluster["EnableCloudwatchLogsExports"]:
        assert paths[f"/aws/rds/cluster/{cluster['DBClusterIdentifier']}/{export}"] == STAGES[stage].log_days
    assert paths[f"/aws/rds/proxy/{only(synthesized, stage, 'AWS::RDS::DBProxy')['DBProxyName']}"]


@stages
def test_valkey_follows_its_stage(synthesized: Synthesized, stage: str) -> None:
    group, values = only(synthesized, stage, "AWS::ElastiCache::ReplicationGroup"), STAGES[stage].cache
    assert group["Engine"] == "valkey"
    assert group["CacheNodeType"] == values.node
    assert group["NumCacheClusters"] == 1 + values.replicas
    assert group["AutomaticFailoverEnabled"] is (values.replicas > 0)
    assert group["MultiAZEnabled"] is (values.replicas > 0)
    assert group["TransitEncryptionMode"] == "required"
    # One shard: cluster mode asks for another protocol of pipelines and scripts.
    assert "NumNodeGroups" not in group
    assert (group["SnapshotRetentionLimit"] > 0) is STAGES[stage].keep
    assert {log["LogType"] for log in group["LogDeliveryConfigurations"]} == {"engine-log"}
    parameters = only(synthesized, stage, "AWS::ElastiCache::ParameterGroup")
    assert parameters["Properties"] == {"maxmemory-policy": "allkeys-lru"}


@stages
def test_valkey_knows_one_user_and_shuts_the_default_one(synthesized: Synthesized, stage: str) -> None:
    found = synthesized.resources(stage, STACK, "AWS::ElastiCache::User").values()
    users = {user["Properties"]["UserName"]: user["Properties"] for user in found}
    assert set(users) == {"ebb", "default"}
    assert users["default"]["AccessString"] == "off ~* -@all"
    words = users["ebb"]["AccessString"].split()
    assert words[0] == "on"
    assert words.index("-@dangerous") > words.index("+@all")
    assert words.index("-@admin") > words.index("+@all")
    for user in users.values():
        assert user["AuthenticationMode"]["Type"] == "password"
        (password,) = user["AuthenticationMode"]["Passwords"]
        assert password["Fn::Join"][1][0] == "{{resolve:secretsmanager:"
    (group,) = synthesized.resources(stage, STACK, "AWS::ElastiCache::UserGroup").values()
    assert len(group["Properties"]["UserIds"]) == 2


@stages
def test_tiers_stand_where_data_lies(synthesized: Synthesized, stage: str) -> None:
    (databases,) = synthesized.resources(stage, STACK, "AWS::RDS::DBSubnetGroup").values()
    (caches,) = synthesized.resources(stage, STACK, "AWS::ElastiCache::SubnetGroup").values()
    proxy = only(synthesized, stage, "AWS::RDS::DBProxy")
    chosen = (databases["Properties"]["SubnetIds"], caches["Properties"]["SubnetIds"], proxy["VpcSubnetIds"])
    for subnets in chosen:
        assert len(subnets) == STAGES[stage].network.zones
        assert all("VpcdataSubnet" in subnet["Fn::ImportValue"] for subnet in subnets)


@stages
def test_migrate_enters_the_database_as_its_owner_and_nothing_else(synthesized: Synthesized, stage: str) -> None:
    policies = synthesized.resources(stage, STACK, "AWS::IAM::Policy")
    (policy,) = [policy for name, policy in policies.items() if name.startswith("MigrateRole")]
    allowed = {}
    for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        allowed.update(dict.fromkeys(actions, json.dumps(statement["Resource"])))
    interfaces = {f"ec2:{verb}NetworkInterface" for verb in ("Create", "Delete")} | {"ec2:DescribeNetworkInterfaces"}
    writing = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    assert set(allowed) == {"rds-db:connect"} | interfaces | writing
    assert allowed["rds-db:connect"].endswith(f'"/{OWNER}"]]}}')


@stages
def test_the_proxy_may_become_the_functions_users_and_read_no_secret(synthesized: Synthesized, stage: str) -> None:
    policies = synthesized.resources(stage, STACK, "AWS::IAM::Policy")
    (statement,) = statements({name: one for name, one in policies.items() if "ProxyRole" in name})
    assert statement["Action"] == "rds-db:connect"
    users = {json.dumps(resource).rsplit("/", 1)[1].split('"')[0] for resource in statement["Resource"]}
    assert users == {OWNER, READER}


@stages
def test_what_migrate_is_told_is_what_the_functions_parse(synthesized: Synthesized, stage: str) -> None:
    (function,) = synthesized.resources(stage, STACK, "AWS::Lambda::Function").values()
    told = function["Properties"]["Environment"]["Variables"]
    arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:ebb-AbCdEf"
    made = {"SECRET": arn, "PORT": "6379", "HOST": "tier.example.com"}
    environment = {
        name: value if isinstance(value, str) else made[name.rsplit("_", 1)[1]] for name, value in told.items()
    }
    settings = Settings.from_environment(environment)
    postgres, valkey = settings.postgres_entry, settings.valkey_entry
    assert (postgres.iam, postgres.tls, postgres.username) == (True, True, OWNER)
    assert (valkey.tls, valkey.secret) == (True, arn)
    assert settings.replica_port == (6379 if STAGES[stage].cache.replicas else None)
    replica = {"EBB_VALKEY_REPLICA_HOST", "EBB_VALKEY_REPLICA_PORT"}
    assert (replica <= set(told)) is (STAGES[stage].cache.replicas > 0)


@stages
def test_a_deployment_is_told_what_it_needs(synthesized: Synthesized, stage: str) -> None:
    outputs = synthesized.templates[stage][STACK]["Outputs"]
    assert {"ClusterArn", "AdministratorArn", "MigrateName"} <= set(outputs)


def granted(user: str) -> tuple[list[dict[str, Any]], FeatureStoreStack]:
    """Return what the grants let a role of a later stack do, and the stack that granted it; the owner also seals."""
    app = aws.App(context=CONTEXT)
    store = assemble(app, STAGES["dev"]).feature_store
    later = aws.Stack(app, "later", env={"region": "us-east-1"})
    role = iam.Role(later, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    store.grant_tiers(role, user)
    if user == OWNER:
        store.grant_seal(role)
    policies = aws.assertions.Template.from_stack(later).find_resources("AWS::IAM::Policy")
    return statements(policies), store


@pytest.mark.parametrize("user", [OWNER, READER])
def test_a_grant_names_one_user_and_a_secret_and_no_more(user: str) -> None:
    found, store = granted(user)
    by_action = {statement["Action"]: statement for statement in found}
    assert set(by_action) == {"rds-db:connect", "secretsmanager:GetSecretValue", "kms:Decrypt"}
    assert json.dumps(by_action["rds-db:connect"]["Resource"]).endswith(f'"/{user}"]]}}')
    read = by_action["secretsmanager:GetSecretValue"]["Resource"]
    assert len(read if isinstance(read, list) else [read]) == (2 if user == OWNER else 1)
    through = {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}
    assert by_action["kms:Decrypt"]["Condition"] == {"StringEquals": through}
    assert store.variables(user)["EBB_POSTGRES_USER"] == user
