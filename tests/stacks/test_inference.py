"""Inference: warm versions behind an alias of weights only, a door with tokens, layers that publish versions."""

import itertools
import json
import shutil
from pathlib import Path

import aws_cdk as aws
import pytest

from cdk.archives import LAYERS
from cdk.assemble import assemble
from cdk.stages import STAGES
from ebb.http.scopes import SCOPES as KNOWN_SCOPES
from stacks.constructs.code import ROOT, Sources
from stacks.constructs.door import LOGGED
from stacks.constructs.warm import steps_of
from stacks.routes import ROUTES
from tests.stacks.conftest import CONTEXT, PLACES, Synthesized, Template

STAGE_NAMES = tuple(STAGES)
FUNCTIONS = {"Predict", "Records", "Maintain"}


def only(found: dict[str, Template]) -> tuple[str, Template]:
    """Return the one entry."""
    ((name, resource),) = found.items()
    return name, resource


def function(synthesized: Synthesized, stage: str, name: str) -> Template:
    """Return a function's properties by the beginning of its logical id."""
    found = synthesized.resources(stage, "inference", "AWS::Lambda::Function")
    (resource,) = (resource for logical, resource in found.items() if logical.startswith(name))
    properties: Template = resource["Properties"]
    return properties


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_the_version_is_warm_and_the_alias_carries_weights_only(synthesized: Synthesized, stage: str) -> None:
    serving = PLACES[stage].serving
    version_id, version = only(synthesized.resources(stage, "inference", "AWS::Lambda::Version"))
    warm = version["Properties"]["ProvisionedConcurrencyConfig"]
    assert warm == {"ProvisionedConcurrentExecutions": serving.provisioned}
    assert version["DeletionPolicy"] == version["UpdateReplacePolicy"] == "Delete", "or its capacity is paid for ever"
    _, alias = only(synthesized.resources(stage, "inference", "AWS::Lambda::Alias"))
    assert alias["Properties"]["Name"] == "live"
    assert "ProvisionedConcurrencyConfig" not in alias["Properties"]
    assert alias["Properties"]["FunctionVersion"] == {"Fn::GetAtt": [version_id, "Version"]}


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_the_capacity_moves_to_the_new_version_after_the_shift(synthesized: Synthesized, stage: str) -> None:
    serving = PLACES[stage].serving
    alias_id, _ = only(synthesized.resources(stage, "inference", "AWS::Lambda::Alias"))
    version_id, _ = only(synthesized.resources(stage, "inference", "AWS::Lambda::Version"))
    _, target = only(synthesized.resources(stage, "inference", "AWS::ApplicationAutoScaling::ScalableTarget"))
    assert alias_id in target["DependsOn"]
    given = target["Properties"]
    assert json.dumps({"Fn::GetAtt": [version_id, "Version"]}) in json.dumps(given["ResourceId"])
    assert (given["MinCapacity"], given["MaxCapacity"]) == (serving.provisioned, serving.most_provisioned)
    hours = [action["Schedule"] for action in given.get("ScheduledActions", [])]
    assert hours == [f"cron(0 {schedule.hour} * * ? *)" for schedule in serving.schedules]


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_the_capacity_follows_the_requests_that_each_environment_may_take(synthesized: Synthesized, stage: str) -> None:
    serving = PLACES[stage].serving
    steps = steps_of(serving)
    assert steps[0] == (0.0, serving.provisioned)
    assert steps[-1][1] == serving.most_provisioned
    for (_, size), (begin, more) in itertools.pairwise(steps):
        assert size < more
        assert begin / 60 <= size * 10 * serving.utilisation + 1, "the next step is taken before this one is full"
    policies = synthesized.resources(stage, "inference", "AWS::ApplicationAutoScaling::ScalingPolicy").values()
    kinds = {policy["Properties"]["PolicyType"] for policy in policies}
    assert kinds == {"TargetTrackingScaling", "StepScaling"}
    told = [
        step["ScalingAdjustment"]
        for policy in policies
        if policy["Properties"]["PolicyType"] == "StepScaling"
        for step in policy["Properties"]["StepScalingPolicyConfiguration"]["StepAdjustments"]
    ]
    assert sorted(told) == [size for _, size in steps]


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_the_count_stands_in_the_description_so_that_another_count_is_another_version(
    synthesized: Synthesized, stage: str
) -> None:
    serving = PLACES[stage].serving
    assert f" {serving.provisioned} warm" in function(synthesized, stage, "Predict")["Description"]
    assert function(synthesized, stage, "Predict")["ReservedConcurrentExecutions"] == 2 * serving.most_provisioned


def test_every_function_runs_what_was_packed_for_it(synthesized: Synthesized) -> None:
    for name, resource in synthesized.every("AWS::Lambda::Function").items():
        given = resource["Properties"]
        assert given["Runtime"] == "python3.13", name
        assert given["Architectures"] == ["arm64"], name
        faults = "AWS_LAMBDA_EXEC_WRAPPER" in given["Environment"]["Variables"]
        assert len(given["Layers"]) == 2 + faults, name
        assert "SnapStart" not in given, f"{name}: AWS refuses it beside provisioned concurrency"
        quiet = name.startswith("ebb-prod-") and given["Handler"].startswith("lambdas.predict.")
        assert given["TracingConfig"] == {"Mode": "PassThrough" if quiet else "Active"}, name
        assert (given["LoggingConfig"].get("SystemLogLevel") == "WARN") is quiet, name
        assert ("VpcConfig" in given) is not ("flight" in name), f"{name}: the hooks of a shift ask Lambda alone"


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_functions_are_told_of_tiers_and_registry_and_of_no_release(synthesized: Synthesized, stage: str) -> None:
    for name in FUNCTIONS:
        told = function(synthesized, stage, name)["Environment"]["Variables"]
        assert {"EBB_RELEASES", "EBB_ROUTING", "EBB_VALKEY_HOST", "EBB_POSTGRES_HOST"} <= set(told)
        assert ("EBB_STAGE_SECRET" in told) is (name == "Predict"), "who seals events, and nobody else"
        assert told["EBB_VALKEY_TLS"] == told["EBB_POSTGRES_TLS"] == "true"
        assert told["EBB_POSTGRES_AUTH"] == "iam"
        assert "EBB_POSTGRES_PASSWORD" not in told


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_each_route_leads_to_its_function_and_asks_for_a_token(synthesized: Synthesized, stage: str) -> None:
    routes = synthesized.resources(stage, "inference", "AWS::ApiGatewayV2::Route").values()
    found = {route["Properties"]["RouteKey"]: route["Properties"]["AuthorizationType"] for route in routes}
    assert found == {f"{r.method} {r.path}": "JWT" if r.authorized else "NONE" for r in ROUTES}
    open_to_all = {route for route, kind in found.items() if kind == "NONE"}
    assert open_to_all == {"GET /v1/health", "GET /openapi.json", "GET /docs", "GET /docs/{asset}"}
    integrations = synthesized.resources(stage, "inference", "AWS::ApiGatewayV2::Integration").values()
    assert {made["Properties"]["PayloadFormatVersion"] for made in integrations} == {"2.0"}
    alias_id, _ = only(synthesized.resources(stage, "inference", "AWS::Lambda::Alias"))
    addresses = [json.dumps(made["Properties"]["IntegrationUri"]) for made in integrations]
    assert sum(alias_id in address for address in addresses) == 1, "predictions pass through the alias"


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_tokens_are_those_of_the_stage_s_clients_with_their_scopes(synthesized: Synthesized, stage: str) -> None:
    clients = synthesized.resources(stage, "inference", "AWS::Cognito::UserPoolClient")
    _, authorizer = only(synthesized.resources(stage, "inference", "AWS::ApiGatewayV2::Authorizer"))
    audience = authorizer["Properties"]["JwtConfiguration"]["Audience"]
    assert sorted(each["Ref"] for each in audience) == sorted(clients)
    granted = [json.dumps(client["Properties"]["AllowedOAuthScopes"]) for client in clients.values()]
    assert all(client["Properties"]["AllowedOAuthFlows"] == ["client_credentials"] for client in clients.values())
    for client in STAGES[stage].access.clients:
        wanted = [f"/{scope}" for scope in client.scopes]
        assert sum(all(scope in text for scope in wanted) and text.count("/") == len(wanted) for text in granted) == 1


def test_the_stages_know_the_scopes_that_the_functions_know() -> None:
    from cdk.stage import SCOPES  # noqa: PLC0415 - beside the other of the same name

    assert set(SCOPES) == set(KNOWN_SCOPES)


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_the_access_log_names_no_entity_and_no_address(synthesized: Synthesized, stage: str) -> None:
    _, door = only(synthesized.resources(stage, "inference", "AWS::ApiGatewayV2::Stage"))
    settings = door["Properties"]["AccessLogSettings"]
    assert json.loads(settings["Format"]) == LOGGED
    assert not any(word in settings["Format"] for word in ("sourceIp", "$context.path", "userAgent", "claims.sub"))
    throttle = door["Properties"]["DefaultRouteSettings"]
    assert throttle["ThrottlingRateLimit"] == STAGES[stage].serving.requests


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_the_maintenance_runs_each_minute_one_run_at_a_time(synthesized: Synthesized, stage: str) -> None:
    _, schedule = only(synthesized.resources(stage, "inference", "AWS::Scheduler::Schedule"))
    assert schedule["Properties"]["ScheduleExpression"] == "rate(1 minute)"
    assert json.loads(schedule["Properties"]["Target"]["Input"]) == {"task": "all"}
    assert function(synthesized, stage, "Maintain")["ReservedConcurrentExecutions"] == 1


def checkout(folder: Path) -> Path:
    """Copy what archives are made of."""
    for part in ("layers", "lambdas", "local/package", "training", "requirements"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def version_of(root: Path, out: Path) -> str:
    """Return the logical id of the prediction function's version that a checkout synthesizes."""
    app = aws.App(outdir=str(out), context=CONTEXT)
    stacks = assemble(app, STAGES["dev"], Sources("arm64", root))
    template = app.synth(validate_on_synthesis=False).get_stack_by_name(stacks.inference.stack_name).template
    return only({k: v for k, v in template["Resources"].items() if v["Type"] == "AWS::Lambda::Version"})[0]


def test_one_byte_of_each_layer_publishes_a_version(tmp_path: Path) -> None:
    root = checkout(tmp_path / "checkout")
    seen = [version_of(root, tmp_path / "out0")]
    assert version_of(root, tmp_path / "again") == seen[0], "nothing changed"
    files = {"ebb": root / "layers/ebb/ebb/__init__.py", "runtime": root / "layers/runtime/requirements.txt"}
    assert set(files) == set(LAYERS)
    for name, file in files.items():
        file.write_bytes(file.read_bytes() + b"\n")
        seen.append(version_of(root, tmp_path / f"out-{name}"))
    assert len(set(seen)) == 3, seen
