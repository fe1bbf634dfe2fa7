"""What MiniStack cannot take of the templates is listed, and every reason is asked for again: it may learn."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.deployed.deployment import REFUSED, emulator
from tests.integration.deployed.emulator import Emulator, NotDeployed
from tests.integration.deployed.page import COMMAND, now, written
from tests.integration.deployed.servers import stand_ins

pytestmark = pytest.mark.timeout(300)
CLUSTER = {"Engine": "aurora-postgresql", "MasterUsername": "a", "ManageMasterUserPassword": True}
METRIC = {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}
ALARM = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 1}
PROBES = {("AWS::CloudWatch::Alarm", "Metrics"): {**ALARM, "Metrics": [{"Id": "m", "MetricStat": METRIC}]}}


@pytest.fixture(scope="module")
def somewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("listed") / "ministack") as started:
        yield started


def alone(kind: str, properties: dict[str, Any], attribute: str = "") -> dict[str, Any]:
    """Return a template of one resource, and of one of its attributes."""
    outputs = {"Told": {"Value": {"Fn::GetAtt": ["Alone", attribute]}}}
    made = {"Resources": {"Alone": {"Type": kind, "Properties": properties}}}
    return {**made, "Outputs": outputs} if attribute else made


def test_the_list_is_what_ministack_says_now(tmp_path: Path) -> None:
    said = now(tmp_path)
    changes = "\n".join(difflib.unified_diff(written().splitlines(), said.splitlines(), "reviewed", "now", "", "", 0))
    assert not changes, f"{changes}\nIf that is what you meant, accept it with `{COMMAND}` and review the commit."


def test_unknown_types_are_refused_in_its_own_words(somewhere: Emulator) -> None:
    known, unknown = "AWS::S3::Bucket", "AWS::Nobody::Knows"
    assert somewhere.unknown([{"Resources": {"A": {"Type": known}, "B": {"Type": unknown}}}]) == {unknown}
    assert somewhere.unknown([{"Resources": {"A": {"Type": known}}}]) == set()
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        somewhere.deploy("unknown", alone(unknown, {}))


@pytest.mark.parametrize(("kind", "name"), sorted(REFUSED))
def test_what_is_called_refused_is_refused(kind: str, name: str, somewhere: Emulator) -> None:
    with pytest.raises(NotDeployed, match=rf"Alone \({kind}\): .*{name}.* not supported"):
        somewhere.deploy(f"refused-{name}", alone(kind, PROBES[kind, name]))
    somewhere.delete(f"refused-{name}")


def test_what_has_a_stand_in_needs_one(somewhere: Emulator) -> None:
    kinds = {kind for kind, _ in stand_ins("127.0.0.1", 1)}
    assert kinds == {"AWS::RDS::DBProxy", "AWS::RDS::DBCluster", "AWS::ElastiCache::ReplicationGroup"}
    assert somewhere.unknown([{"Resources": {"A": {"Type": "AWS::RDS::DBProxy"}}}])
    with pytest.raises(NotDeployed, match=r"MasterUserSecret\.SecretArn does not exist"):
        somewhere.deploy("secret", alone("AWS::RDS::DBCluster", CLUSTER, "MasterUserSecret.SecretArn"))
    group = {"ReplicationGroupDescription": "d", "Engine": "valkey", "CacheNodeType": "cache.t4g.small"}
    told = somewhere.deploy("group", alone("AWS::ElastiCache::ReplicationGroup", group, "PrimaryEndPoint.Address"))
    assert told == {"Told": "redis"}, "a name that nobody has: it runs a server in Docker only"


def test_a_secret_is_referred_to_by_its_arn(somewhere: Emulator) -> None:
    secret = alone("AWS::SecretsManager::Secret", {"Name": "ebb/one", "SecretString": "first"})
    secret["Outputs"] = {"Told": {"Value": {"Ref": "Alone"}}}
    arn, secrets = somewhere.deploy("secret-names", secret)["Told"], somewhere.client("secretsmanager")
    assert arn.startswith("arn:aws:secretsmanager:us-east-1:000000000000:secret:ebb/one-")
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "first"
    assert somewhere.update("secret-names", _with(secret, SecretString="second"))["Told"] == arn
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "second"
    somewhere.delete("secret-names")
    assert secrets.list_secrets()["SecretList"] == []


def _with(template: dict[str, Any], **changes: str) -> dict[str, Any]:
    alone = template["Resources"]["Alone"]
    return {**template, "Resources": {"Alone": {**alone, "Properties": {**alone["Properties"], **changes}}}}
