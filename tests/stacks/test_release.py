"""Release: the alias is shifted by CodeDeploy between two hooks, alarms take it back, and both versions have room."""

import json
from dataclasses import replace
from typing import Any

import pytest

from cdk.stage import OTHER_CONCURRENCY, SHIFT_STEP, BadStage
from cdk.stage_parts import ShiftLimits
from cdk.stages import STAGES
from ebb.metric_units import UNITS
from ebb.shift.hook import TELL_SECONDS
from ebb.shift.settings import ShiftSettings
from lambdas.preflight.logic import wait_seconds
from stacks.constructs.release import PREFLIGHT_SECONDS
from tests.stacks.conftest import Synthesized, Template

STAGE_NAMES = tuple(STAGES)
HOOKS = {"Preflight": "BeforeAllowTrafficHook", "Postflight": "AfterAllowTrafficHook"}
LONGEST_SECONDS = 900
ALLOCATED_A_MINUTE = 6_000
"""Environments that Lambda makes warm each minute for a function ("Configuring provisioned concurrency")."""
LEAST_UNRESERVED = 100
"""Environments that Lambda never lets an account reserve ("Configuring reserved concurrency")."""


def only(synthesized: Synthesized, stage: str, kind: str) -> tuple[str, Template]:
    """Return the inference stack's one resource of a type."""
    ((name, resource),) = synthesized.resources(stage, "inference", kind).items()
    return name, resource


def function(synthesized: Synthesized, stage: str, name: str) -> tuple[str, Template]:
    """Return the logical id and the resource of a function."""
    found = synthesized.resources(stage, "inference", "AWS::Lambda::Function")
    ((logical, resource),) = [(key, value) for key, value in found.items() if key.startswith(name)]
    return logical, resource


def shift_alarms(synthesized: Synthesized, stage: str) -> dict[str, Template]:
    """Return the alarms of the shift by logical id; the scaling has others, which watch no version."""
    found = synthesized.resources(stage, "inference", "AWS::CloudWatch::Alarm")
    return {name: alarm for name, alarm in found.items() if name.startswith("Shift")}


def alarms(synthesized: Synthesized, stage: str) -> dict[str, Template]:
    """Return the alarms of the shift by what they look at."""
    found = shift_alarms(synthesized, stage)
    return {name.removeprefix("Shift")[:-8]: alarm["Properties"] for name, alarm in found.items()}


def metrics(alarm: Template) -> list[Template]:
    """Return the metrics that an alarm is made of."""
    if "Metrics" not in alarm:
        return [alarm]
    return [each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each]


def mentioned(value: Any, names: set[str]) -> set[str]:
    """Return which logical ids a part of a template refers to, also within policies and dependencies."""
    found: set[str] = set()
    if isinstance(value, dict):
        refers = [value.get("Ref"), *(value["Fn::GetAtt"][:1] if isinstance(value.get("Fn::GetAtt"), list) else [])]
        found |= names & {name for name in refers if isinstance(name, str)}
        depends = value.get("DependsOn", [])
        found |= names & set([depends] if isinstance(depends, str) else depends)
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            found |= mentioned(each, names)
    return found


def before(synthesized: Synthesized, stage: str, name: str) -> set[str]:
    """Return everything that must be there before a resource."""
    resources = synthesized.templates[stage]["inference"]["Resources"]
    names, seen, left = set(resources), set[str](), [name]
    while left:
        for needed in mentioned(resources[left.pop()], names) - seen:
            seen.add(needed)
            left.append(needed)
    return seen


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_the_alias_is_shifted_by_codedeploy_between_the_hooks(synthesized: Synthesized, stage: str) -> None:
    _, alias = only(synthesized, stage, "AWS::Lambda::Alias")
    application, _ = only(synthesized, stage, "AWS::CodeDeploy::Application")
    group, _ = only(synthesized, stage, "AWS::CodeDeploy::DeploymentGroup")
    hooks = {key: {"Ref": function(synthesized, stage, name)[0]} for name, key in HOOKS.items()}
    assert alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"] == {
        "ApplicationName": {"Ref": application},
        "DeploymentGroupName": {"Ref": group},
        **hooks,
    }


@pytest.mark.parametrize(
    ("stage", "configuration"),
    [
        ("dev", "LambdaAllAtOnce"),
        ("staging", "LambdaLinear10PercentEvery1Minute"),
        ("prod", "LambdaLinear10PercentEvery1Minute"),
    ],
)
def test_a_stage_has_its_pace_and_every_failure_takes_it_back(
    synthesized: Synthesized, stage: str, configuration: str
) -> None:
    _, group = only(synthesized, stage, "AWS::CodeDeploy::DeploymentGroup")
    given = group["Properties"]
    assert given["DeploymentConfigName"] == f"CodeDeployDefault.{configuration}"
    assert given["DeploymentStyle"]["DeploymentOption"] == "WITH_TRAFFIC_CONTROL"
    assert given["AutoRollbackConfiguration"]["Enabled"] is True
    assert set(given["AutoRollbackConfiguration"]["Events"]) == {
        "DEPLOYMENT_FAILURE",
        "DEPLOYMENT_STOP_ON_REQUEST",
        "DEPLOYMENT_STOP_ON_ALARM",
    }
    found = shift_alarms(synthesized, stage)
    assert given["AlarmConfiguration"] == {"Alarms": [{"Name": {"Ref": name}} for name in found], "Enabled": True}


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_alarms_hold_errors_latency_and_rules_to_the_stage_s_limits(synthesized: Synthesized, stage: str) -> None:
    limits, found = STAGES[stage].limits, alarms(synthesized, stage)
    wanted = {"Crashed": limits.errors, "Failed": limits.errors, "Degraded": limits.degraded, "Slow": limits.p95_ms}
    assert {name: alarm["Threshold"] for name, alarm in found.items()} == wanted
    for alarm in found.values():
        assert alarm["TreatMissingData"] == "notBreaching", "where nobody asks, nothing is wrong"
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
        assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (2, 3)
        assert "docs/deployment.md" in alarm["AlarmDescription"]
    slow = found["Slow"]
    assert (slow["ExtendedStatistic"], slow["EvaluateLowSampleCountPercentile"]) == ("p95", "ignore")
    for name in ("Crashed", "Failed", "Degraded"):
        (expression,) = [each["Expression"] for each in found[name]["Metrics"] if "Expression" in each]
        assert f"whole >= {limits.least}" in expression


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_alarms_look_at_the_new_version_where_it_can_be_told_apart(synthesized: Synthesized, stage: str) -> None:
    version, _ = only(synthesized, stage, "AWS::Lambda::Version")
    predict, _ = function(synthesized, stage, "Predict")
    found = alarms(synthesized, stage)
    for metric in metrics(found["Crashed"]) + metrics(found["Slow"]):
        dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
        assert metric["Namespace"] == "AWS/Lambda"
        assert dimensions.pop("Resource") == {"Fn::Join": ["", [{"Ref": predict}, ":live"]]}
        assert dimensions.pop("FunctionName") == {"Ref": predict}
        linear = STAGES[stage].shift == "linear"
        assert dimensions == ({"ExecutedVersion": {"Fn::GetAtt": [version, "Version"]}} if linear else {})
    for metric in metrics(found["Failed"]) + metrics(found["Degraded"]):
        assert metric["Namespace"] == "Ebb"
        assert metric["MetricName"] in UNITS
        dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
        assert dimensions == {"function": "predict", "contract": STAGES[stage].contract or "none"}


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_nothing_that_a_shift_needs_waits_for_the_alias(synthesized: Synthesized, stage: str) -> None:
    alias, _ = only(synthesized, stage, "AWS::Lambda::Alias")
    group, _ = only(synthesized, stage, "AWS::CodeDeploy::DeploymentGroup")
    needed = before(synthesized, stage, alias)
    hooks = {function(synthesized, stage, name)[0] for name in HOOKS}
    found = shift_alarms(synthesized, stage)
    assert {group, *hooks, *found} <= needed
    assert alias not in needed
    policies = {name for name in needed if "Policy" in name}
    assert any(name.startswith("ShiftPolicy") for name in policies), "CodeDeploy may shift before it has to"
    for hook in HOOKS:
        assert any(name.startswith(f"{hook}Role") for name in policies)


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_the_scalable_target_moves_when_the_shift_is_over(synthesized: Synthesized, stage: str) -> None:
    alias, _ = only(synthesized, stage, "AWS::Lambda::Alias")
    target, _ = only(synthesized, stage, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert alias in before(synthesized, stage, target)


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_the_hooks_know_function_alias_and_target_from_their_environment(synthesized: Synthesized, stage: str) -> None:
    version, _ = only(synthesized, stage, "AWS::Lambda::Version")
    predict, _ = function(synthesized, stage, "Predict")
    for hook in HOOKS:
        _, made = function(synthesized, stage, hook)
        told = made["Properties"]["Environment"]["Variables"]
        assert told == {
            "EBB_SHIFT_FUNCTION": {"Ref": predict},
            "EBB_SHIFT_ALIAS": "live",
            "EBB_SHIFT_TARGET": {"Fn::GetAtt": [version, "Version"]},
        }
        assert ShiftSettings.from_environment({**told, "EBB_SHIFT_TARGET": "1"}).alias == "live"
        assert "VpcConfig" not in made["Properties"], "it asks Lambda, which answers outside"


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_hook_ends_in_time_and_the_capacity_can_come_in_its_wait(synthesized: Synthesized, stage: str) -> None:
    for hook in HOOKS:
        _, made = function(synthesized, stage, hook)
        assert TELL_SECONDS * 2 < made["Properties"]["Timeout"] <= LONGEST_SECONDS
    _, preflight = function(synthesized, stage, "Preflight")
    assert preflight["Properties"]["Timeout"] == PREFLIGHT_SECONDS
    comes = STAGES[stage].version_concurrency / ALLOCATED_A_MINUTE * 60
    assert wait_seconds(preflight["Properties"]["Timeout"]) >= 10 * comes, "ten times what Lambda says it takes"


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_both_versions_and_every_other_function_have_room_during_a_shift(synthesized: Synthesized, stage: str) -> None:
    values = STAGES[stage]
    reserved = {
        f"{stack}/{name}": resource["Properties"].get("ReservedConcurrentExecutions", 0)
        for stack in synthesized.templates[stage]
        for name, resource in synthesized.resources(stage, stack, "AWS::Lambda::Function").items()
    }
    predict, _ = function(synthesized, stage, "Predict")
    both = reserved.pop(f"inference/{predict}")
    assert both >= 2 * values.serving.most_provisioned
    others = sum(reserved.values())
    assert sum(count for name, count in reserved.items() if "flight" in name) == 2 * len(HOOKS)
    assert others + LEAST_UNRESERVED <= OTHER_CONCURRENCY
    assert both + others + LEAST_UNRESERVED <= values.serving.account_concurrency


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_version_says_its_count_and_goes_when_it_was_replaced(synthesized: Synthesized, stage: str) -> None:
    _, version = only(synthesized, stage, "AWS::Lambda::Version")
    _, predict = function(synthesized, stage, "Predict")
    assert version["DeletionPolicy"] == version["UpdateReplacePolicy"] == "Delete"
    count = version["Properties"]["ProvisionedConcurrencyConfig"]["ProvisionedConcurrentExecutions"]
    assert f" {count} warm" in predict["Properties"]["Description"]


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_codedeploy_may_shift_this_alias_and_no_other(synthesized: Synthesized, stage: str) -> None:
    _, group = only(synthesized, stage, "AWS::CodeDeploy::DeploymentGroup")
    role = group["Properties"]["ServiceRoleArn"]["Fn::GetAtt"][0]
    resources = synthesized.templates[stage]["inference"]["Resources"]
    assert "ManagedPolicyArns" not in resources[role]["Properties"]
    policies = [each for each in resources.values() if {"Ref": role} in each.get("Properties", {}).get("Roles", [])]
    statements = [one for each in policies for one in each["Properties"]["PolicyDocument"]["Statement"]]
    unbounded = [statement["Action"] for statement in statements if statement["Resource"] == "*"]
    assert unbounded == ["cloudwatch:DescribeAlarms"]
    assert "Predict" in json.dumps(next(one for one in statements if "lambda:UpdateAlias" in one["Action"]))


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (ShiftLimits(errors=0.0), "shares between 0 and 1"),
        (ShiftLimits(degraded=1.0), "shares between 0 and 1"),
        (ShiftLimits(degraded=SHIFT_STEP), "a version that always fails must be seen at its first tenth"),
        (ShiftLimits(p95_ms=0), "milliseconds and requests above 0"),
        (ShiftLimits(least=0), "milliseconds and requests above 0"),
    ],
)
def test_limits_that_could_take_nothing_back_are_refused(limits: ShiftLimits, sentence: str) -> None:
    with pytest.raises(BadStage, match=sentence):
        replace(STAGES["prod"], limits=limits)


def test_all_at_once_has_no_first_tenth() -> None:
    assert replace(STAGES["dev"], limits=ShiftLimits(degraded=0.5)).limits.degraded == 0.5
