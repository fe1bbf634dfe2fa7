"""The stage's templates, deployed by MiniStack's CloudFormation, answer requests; deleted, they leave nothing."""

import base64
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ebb.errors import Unavailable
from ebb.postgres.address import PostgresAddress
from ebb.postgres.connection import PostgresConnection
from ebb.tls import trusting
from tests.fakes.contracts import ROW
from tests.fakes.rds_proxy import PORT
from tests.fakes.releases import tiny_release, version_in
from tests.fakes.routing import first_table
from tests.integration.deployed.deployment import (
    Answer,
    Deployment,
    deploy,
    deployment,
    emulator,
    functions_of,
    reduced_for,
)
from tests.integration.deployed.emulator import Emulator
from tests.integration.deployed.templates import STAGE, synthesize_here
from tests.valkey_case import eventually

pytestmark = pytest.mark.timeout(600)
Told = TypeVar("Told")
WHO = {"entity_id": "e-deployed"}


@pytest.fixture(scope="module")
def stage(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The stage with its own archives; its schema is not made, and there is no release yet."""
    with deployment(packed, tmp_path_factory.mktemp("stage")) as deployed:
        yield deployed


def test_every_resource_is_deployed_or_listed(stage: Deployment) -> None:
    for stack, template in stage.whole.items():
        deployed = stage.emulator.deployed(f"ebb-{STAGE}-{stack}")
        left = {one.logical_id for one in stage.reduced.left if one.stack == stack}
        assert deployed.keys().isdisjoint(left)
        assert deployed.keys() | left == template["Resources"].keys()
        for logical_id, (kind, name, status) in deployed.items():
            assert kind == template["Resources"][logical_id]["Type"]
            assert (bool(name), status) == (True, "CREATE_COMPLETE"), logical_id


def test_from_no_release_to_a_prediction(stage: Deployment) -> None:
    migrated = stage.invoke(stage.outputs["feature-store"]["MigrateName"], {"to": "head"})
    assert (migrated["from"], migrated["to"] > "0001") == ("base", True)
    scoring = stage.token("Scoring", "predict")
    early = stage.call("POST /v1/predictions", WHO, scoring)
    assert (early.status, early.body["type"]) == (503, "urn:ebb:problem:no-release")

    files = tiny_release()
    version = version_in(files)
    stage.publish(version, files, first_table(version))
    loading = stage.token("Loading", "features:write")
    put = f"PUT /v1/features/{WHO['entity_id']}"
    loaded = until(lambda: stage.call(put, {"features": ROW}, loading), lambda answer: answer.status == 200)
    assert loaded.body["written"] == len(ROW)
    answer = until(lambda: stage.call("POST /v1/predictions", WHO, scoring), from_valkey)
    assert (answer.body["release"], answer.body["degraded"]) == (f"tiny/{version}", False)
    routing = stage.call("GET /v1/routing", token=stage.token("Operating", "admin"))
    assert [role["release"] for role in routing.body["roles"]] == [version]
    assert "ebb" in stage.servers.entered, "Postgres, entered by tokens"

    for hook in ("Preflight", "Postflight"):
        held = until(partial(stage.invoke, named(stage, hook), {}), lambda told: told["passed"])
        assert held["told"] is False, "there is no CodeDeploy that could be told"
    assert until(lambda: stage.invoke(named(stage, "Maintain"), {"task": "all"}), lambda told: told["failed"] == {})


def test_the_gateway_refuses_who_has_no_token_or_a_changed_one(stage: Deployment) -> None:
    token = stage.token("Scoring", "predict")
    head, claims, signature = token.split(".")
    told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    more = base64.urlsafe_b64encode(json.dumps({**told, "scope": "ebb/admin"}).encode()).decode().rstrip("=")
    for bad in ("", "no.token.atall", f"{head}.{more}.{signature}", f"{head}.{claims}.{'A' * len(signature)}"):
        assert stage.call("POST /v1/predictions", WHO, bad).status == 401, bad
    assert stage.call("GET /v1/routing", token=token).status == 403, "a scope that the function asks for"
    assert stage.call("GET /v1/nowhere", token=token).status == 404


def test_pages_without_a_token_are_of_the_shipped_code(stage: Deployment) -> None:
    page = stage.call("GET /openapi.json")
    assert (page.status, page.body["openapi"][:3]) == (200, "3.1")
    assert stage.call("GET /v1/health").status == 200


def test_the_proxy_lets_no_password_in(stage: Deployment) -> None:
    tls = trusting(str(stage.servers.authority))
    address = PostgresAddress(stage.servers.proxy, PORT, "ebb", "ebb", "ebb", tls)
    connection = PostgresConnection(address, timeout=60.0, connect_timeout=60.0)
    with pytest.raises(Unavailable):
        connection.query("select 1")
    connection.close()


def test_deleted_stacks_leave_nothing(tmp_path: Path) -> None:
    assembly = synthesize_here(tmp_path / "cdk.out")
    with emulator(tmp_path / "ministack") as somewhere:
        somewhere.upload(assembly.assets)
        before = inventory(somewhere)
        reduced = reduced_for(somewhere, assembly)
        deploy(somewhere, assembly, reduced)
        during = inventory(somewhere)
        assert all(len(during[kind]) > len(before[kind]) for kind in before), during
        for stack in reversed(list(reduced.templates)):
            somewhere.delete(f"ebb-{STAGE}-{stack}")
        assert inventory(somewhere) == before


def named(stage: Deployment, function: str) -> str:
    """Return the name under which a function is deployed."""
    (name,) = (name for logical_id, name in functions_of(stage).items() if logical_id.startswith(function))
    return name


def from_valkey(answer: Answer) -> bool:
    """Tell whether features came by the login that the stage made; a busy machine is slower than Valkey may be."""
    return answer.status == 200 and answer.body["features"]["tier"] == "fast"


def until(ask: Callable[[], Told], good: Callable[[Told], bool]) -> Told:
    """Ask until the answer is good: functions look for a first release now and then, and wait for nobody for long."""
    told = list[Told]()

    def asked() -> bool:
        told.append(ask())
        return good(told[-1])

    try:
        eventually(asked, 90)
    except AssertionError:
        raise AssertionError(told[-1]) from None
    return told[-1]


def inventory(somewhere: Emulator) -> dict[str, set[str]]:
    """Return what there is, by kind; keys are not among it, which AWS deletes after days only."""

    def names(service: str, operation: str, part: str, name: str, **asked: Any) -> set[str]:
        told = getattr(somewhere.client(service), operation)(**asked)
        return {one[name] for one in told[part]}

    return {
        "alarms": names("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "apis": names("apigatewayv2", "get_apis", "Items", "ApiId"),
        "buckets": names("s3", "list_buckets", "Buckets", "Name"),
        "callers": names("cognito-idp", "list_user_pools", "UserPools", "Id", MaxResults=60),
        "clusters": names("rds", "describe_db_clusters", "DBClusters", "DBClusterIdentifier"),
        "functions": names("lambda", "list_functions", "Functions", "FunctionName"),
        "groups": names("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
        "layers": names("lambda", "list_layers", "Layers", "LayerName"),
        "logs": names("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "networks": names("ec2", "describe_vpcs", "Vpcs", "VpcId"),
        "roles": names("iam", "list_roles", "Roles", "RoleName"),
        "secrets": names("secretsmanager", "list_secrets", "SecretList", "ARN"),
        "stores": names("elasticache", "describe_replication_groups", "ReplicationGroups", "ReplicationGroupId"),
        "topics": names("sns", "list_topics", "Topics", "TopicArn"),
    }
