"""Experiments: only where a stage says so, stopped by the rollback alarm, and with no more rights than they need."""

import json
from dataclasses import replace

import pytest

from cdk.stage import BadStage
from cdk.stages import STAGES
from tests.stacks.conftest import Synthesized, Template
from tests.stacks.watched import flat, statements

ACTIONS = {
    "ValkeyFailover": {"aws:ssm:start-automation-execution"},
    "AuroraFailover": {"aws:rds:failover-db-cluster"},
    "ZoneLoss": {"aws:network:disrupt-connectivity", "aws:elasticache:replicationgroup-interrupt-az-power"},
    "InjectErrors": {"aws:lambda:invocation-error"},
    "InjectDelays": {"aws:lambda:invocation-add-delay"},
}
WHERE = tuple(name for name, stage in STAGES.items() if stage.watch.experiments)


def templates(synthesized: Synthesized, stage: str) -> dict[str, Template]:
    """Return the experiments of a stage."""
    found = synthesized.resources(stage, "monitoring", "AWS::FIS::ExperimentTemplate")
    return {name: one["Properties"] for name, one in found.items()}


def test_they_stand_where_the_stage_says_so_and_nowhere_else(synthesized: Synthesized) -> None:
    assert WHERE == ("staging",)
    for stage in STAGES:
        assert set(templates(synthesized, stage)) == (set(ACTIONS) if stage in WHERE else set())
        functions = synthesized.resources(stage, "inference", "AWS::Lambda::Function").values()
        extended = ["AWS_LAMBDA_EXEC_WRAPPER" in json.dumps(function) for function in functions]
        assert sum(extended) == (1 if stage in WHERE else 0), "the extension stands before predictions only"


@pytest.mark.parametrize("stage", WHERE)
def test_the_rollback_stops_each_and_no_target_may_be_missing(synthesized: Synthesized, stage: str) -> None:
    (rollback,) = [
        name
        for name, one in synthesized.resources(stage, "monitoring", "AWS::CloudWatch::CompositeAlarm").items()
        if one["Properties"]["AlarmName"] == f"ebb-{stage}-rollback"
    ]
    for name, given in templates(synthesized, stage).items():
        assert {action["ActionId"] for action in given["Actions"].values()} == ACTIONS[name]
        assert given["StopConditions"] == [
            {"Source": "aws:cloudwatch:alarm", "Value": {"Fn::GetAtt": [rollback, "Arn"]}}
        ]
        assert given["ExperimentOptions"]["EmptyTargetResolutionMode"] == "fail"
        used = {target for action in given["Actions"].values() for target in action.get("Targets", {}).values()}
        assert used == set(given.get("Targets", {}))
        for target in given.get("Targets", {}).values():
            assert 1 <= len(target["ResourceArns"]) <= 5
            assert "ResourceTags" not in target, "named, not found"


@pytest.mark.parametrize("stage", WHERE)
def test_a_zone_is_lost_whole_and_alone(synthesized: Synthesized, stage: str) -> None:
    lost = templates(synthesized, stage)["ZoneLoss"]["Targets"]
    subnets = synthesized.resources(stage, "network", "AWS::EC2::Subnet")
    outputs = synthesized.templates[stage]["network"]["Outputs"]
    exported = {one["Export"]["Name"]: one["Value"]["Ref"] for one in outputs.values() if "Ref" in one["Value"]}
    named = [flat(arn).rpartition("${")[2].removesuffix("}") for arn in lost["subnets"]["ResourceArns"]]
    cut = {exported[name] for name in named}
    zone = lost["cache"]["Parameters"]["availabilityZoneIdentifier"]
    assert cut == {name for name, one in subnets.items() if one["Properties"]["AvailabilityZone"] == zone}
    assert len(cut) == 2


@pytest.mark.parametrize("stage", WHERE)
def test_what_an_experiment_writes_the_extension_reads(synthesized: Synthesized, stage: str) -> None:
    functions = synthesized.resources(stage, "inference", "AWS::Lambda::Function")
    (predict,) = [one["Properties"] for name, one in functions.items() if name.startswith("Predict")]
    told = predict["Environment"]["Variables"]
    place = flat(told["AWS_FIS_CONFIGURATION_LOCATION"])
    assert place.endswith("/faults/")
    assert told["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/aws-fis/bootstrap"
    (layer,) = [one for one in predict["Layers"] if "fis" in json.dumps(one)]
    parameter = synthesized.templates[stage]["inference"]["Parameters"][layer["Ref"]]
    assert parameter["Type"] == "AWS::SSM::Parameter::Value<String>"
    assert parameter["Default"] == "/aws/service/fis/lambda-extension/AWS-FIS-extension-arm64/1.x.x"
    written = [one for one in statements(synthesized, stage, "AWS::IAM::Policy") if "s3:PutObject" in one["Action"]]
    assert [flat(one["Resource"]) for one in written] == [f"{place}*"]
    assert set(written[0]["Action"]) == {"s3:PutObject", "s3:DeleteObject"}


@pytest.mark.parametrize("stage", WHERE)
def test_the_role_breaks_this_stage_s_parts_alone(synthesized: Synthesized, stage: str) -> None:
    free = [
        one
        for one in statements(synthesized, stage, "AWS::IAM::Policy")
        if one["Resource"] == "*" and one["Effect"] == "Allow"
    ]
    verbs = {action.split(":")[1] for one in free for action in one["Action"]}
    assert all(verb.startswith(("Describe", "Get", "Stop")) for verb in verbs), verbs
    rules = [one for one in statements(synthesized, stage, "AWS::IAM::Policy") if "network-acl/*" in json.dumps(one)]
    assert all("Condition" in one for one in rules if one["Sid"] != "CutOff")
    roles = synthesized.resources(stage, "monitoring", "AWS::IAM::Role").values()
    for role in roles:
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"]["Service"] in {"fis.amazonaws.com", "ssm.amazonaws.com"}
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        assert "ManagedPolicyArns" not in role["Properties"]


@pytest.mark.parametrize("stage", WHERE)
def test_valkey_fails_over_by_an_automation_that_may_do_nothing_else(synthesized: Synthesized, stage: str) -> None:
    (document,) = synthesized.resources(stage, "monitoring", "AWS::SSM::Document").values()
    (step,) = document["Properties"]["Content"]["mainSteps"]
    assert (step["inputs"]["Service"], step["inputs"]["Api"]) == ("elasticache", "TestFailover")
    (allowed,) = [
        one for one in statements(synthesized, stage, "AWS::IAM::Policy") if one["Action"] == "elasticache:TestFailover"
    ]
    assert len(allowed["Resource"]) == 1 + 1 + STAGES[stage].cache.replicas
    assert "*" not in json.dumps(allowed["Resource"])
    fail = templates(synthesized, stage)["ValkeyFailover"]["Actions"]["fail"]["Parameters"]
    assert flat(fail["documentArn"]).endswith(f":document/{document['Properties']['Name']}")
    given = json.dumps(fail["documentParameters"])
    assert set(document["Properties"]["Content"]["parameters"]) == {"AutomationAssumeRole"}
    assert "AutomationAssumeRole" in given


@pytest.mark.parametrize(
    ("part", "changes", "why"),
    [
        ("watch", {"duration_ms": 0}, "the door cannot be quicker"),
        ("watch", {"duration_ms": 300, "latency_ms": 200}, "the door cannot be quicker"),
        ("watch", {"degraded": 1}, "a degraded share of 1"),
        ("watch", {"requests": 0}, "at least one request"),
        ("watch", {"page": ("http://example.com",)}, "e-mail or https addresses"),
        ("watch", {"ticket": ("nobody",)}, "e-mail or https addresses"),
        ("database", {"reader": False}, "experiments need a reader and a replica"),
        ("cache", {"replicas": 0}, "experiments need a reader and a replica"),
    ],
)
def test_a_watch_that_cannot_work_is_refused(part: str, changes: Template, why: str) -> None:
    staging = STAGES["staging"]
    with pytest.raises(BadStage, match=why):
        replace(staging, **{part: replace(getattr(staging, part), **changes)})


def test_no_fault_is_injected_where_data_is_kept() -> None:
    prod = STAGES["prod"]
    with pytest.raises(BadStage, match="data is kept, so no fault may be injected"):
        replace(prod, watch=replace(prod.watch, experiments=True))
