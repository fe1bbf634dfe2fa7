"""The network: who may reach whom, and that nobody from outside may reach anybody."""

import json
from dataclasses import replace
from typing import Any

import aws_cdk as aws
import pytest

from cdk.egress import cheaper_egress
from cdk.stage import BadStage
from cdk.stages import STAGES
from stacks import network
from stacks.network import S3_ADDRESSES, NetworkStack
from tests.stacks.conftest import CONTEXT, Synthesized, Template

FUNCTIONS, DATABASE, CACHE, ENDPOINTS, S3 = "Functions", "Database", "Cache", "Endpoints", "S3"

ARROWS = {
    (FUNCTIONS, CACHE, 6379),
    (FUNCTIONS, DATABASE, 5432),
    (DATABASE, DATABASE, 5432),
    (FUNCTIONS, ENDPOINTS, 443),
}
"""Who reaches whom, at which port."""

stages = pytest.mark.parametrize("stage", STAGES)


def name_of(reference: Any) -> str:
    """Return which security group a reference means."""
    logical = reference["Fn::GetAtt"][0]
    return next(name for name in (FUNCTIONS, DATABASE, CACHE, ENDPOINTS) if logical.startswith(name))


def arrows(resources: dict[str, Template], mine: str, other: str) -> set[tuple[str, str, int]]:
    """Return (whose rule, the other end, port) of rules that stand for themselves."""
    found = set()
    for rule in (resource["Properties"] for resource in resources.values()):
        if other not in rule:
            continue
        assert rule["IpProtocol"] == "tcp"
        assert rule["FromPort"] == rule["ToPort"]
        found.add((name_of(rule[mine]), name_of(rule[other]), rule["FromPort"]))
    return found


@stages
def test_what_comes_in_comes_from_whom_it_may(synthesized: Synthesized, stage: str) -> None:
    rules = synthesized.resources(stage, "network", "AWS::EC2::SecurityGroupIngress")
    assert {(b, a, port) for a, b, port in arrows(rules, "GroupId", "SourceSecurityGroupId")} == ARROWS


@stages
def test_what_goes_out_goes_where_somebody_lets_it_in(synthesized: Synthesized, stage: str) -> None:
    rules = synthesized.resources(stage, "network", "AWS::EC2::SecurityGroupEgress")
    assert arrows(rules, "GroupId", "DestinationSecurityGroupId") == ARROWS


@stages
def test_functions_reach_s3_and_nothing_else_outside(synthesized: Synthesized, stage: str) -> None:
    rules = synthesized.resources(stage, "network", "AWS::EC2::SecurityGroupEgress").values()
    outside = [rule["Properties"] for rule in rules if "DestinationSecurityGroupId" not in rule["Properties"]]
    assert [name_of(rule["GroupId"]) for rule in outside] == [FUNCTIONS]
    assert [rule["DestinationPrefixListId"] for rule in outside] == [S3_ADDRESSES[STAGES[stage].region]]
    assert [(rule["FromPort"], rule["ToPort"]) for rule in outside] == [(443, 443)]
    for name, group in synthesized.resources(stage, "network", "AWS::EC2::SecurityGroup").items():
        assert "SecurityGroupIngress" not in group["Properties"], name
        for rule in group["Properties"].get("SecurityGroupEgress", []):
            assert rule["CidrIp"] == "255.255.255.255/32", name  # how CDK writes that nothing may leave


def test_no_rule_of_any_stack_is_open_to_everybody(synthesized: Synthesized) -> None:
    for kind in ("SecurityGroup", "SecurityGroupIngress", "SecurityGroupEgress"):
        for name, resource in synthesized.every(f"AWS::EC2::{kind}").items():
            written = json.dumps(resource)
            assert "0.0.0.0/0" not in written, name
            assert "::/0" not in written, name


@stages
def test_data_has_no_way_out_and_functions_none_but_endpoints(synthesized: Synthesized, stage: str) -> None:
    for kind in ("InternetGateway", "NatGateway", "EIP", "EgressOnlyInternetGateway"):
        assert not synthesized.resources(stage, "network", f"AWS::EC2::{kind}")
    assert not synthesized.resources(stage, "network", "AWS::EC2::Route")
    for name, subnet in synthesized.resources(stage, "network", "AWS::EC2::Subnet").items():
        assert subnet["Properties"]["MapPublicIpOnLaunch"] is False, name


@stages
def test_each_zone_holds_a_subnet_of_functions_and_one_of_data(synthesized: Synthesized, stage: str) -> None:
    subnets = synthesized.resources(stage, "network", "AWS::EC2::Subnet").values()
    zones = [subnet["Properties"]["AvailabilityZone"] for subnet in subnets]
    assert len(set(zones)) == STAGES[stage].network.zones
    assert all(zones.count(zone) == 2 for zone in zones)
    assert all(zone.startswith(STAGES[stage].region) for zone in zones)


@stages
def test_endpoints_reach_this_accounts_buckets_only(synthesized: Synthesized, stage: str) -> None:
    endpoints = synthesized.resources(stage, "network", "AWS::EC2::VPCEndpoint").values()
    kinds = {endpoint["Properties"]["VpcEndpointType"]: endpoint["Properties"] for endpoint in endpoints}
    assert set(kinds) == {"Gateway", "Interface"}
    (statement,) = kinds["Gateway"]["PolicyDocument"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}}
    assert kinds["Interface"]["PrivateDnsEnabled"] is True
    assert len(kinds["Interface"]["SubnetIds"]) == STAGES[stage].network.zones


@stages
def test_who_was_turned_away_is_logged(synthesized: Synthesized, stage: str) -> None:
    (flow,) = synthesized.resources(stage, "network", "AWS::EC2::FlowLog").values()
    assert flow["Properties"]["TrafficType"] == "REJECT"
    (log,) = synthesized.resources(stage, "network", "AWS::Logs::LogGroup").values()
    assert log["Properties"]["RetentionInDays"] == STAGES[stage].log_days


def test_a_region_whose_s3_is_not_known_is_refused() -> None:
    stage = replace(STAGES["dev"], region="ap-south-1")
    with pytest.raises(BadStage, match="S3's addresses in ap-south-1 are not known yet"):
        NetworkStack(aws.App(context=CONTEXT), "ebb-dev-network", stage=stage)


def test_nat_gateways_stand_where_they_cost_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "cheaper_egress", lambda *_: cheaper_egress(5, 2, 1.0))  # as if five were reached
    stack = NetworkStack(aws.App(context=CONTEXT), "ebb-dev-network", stage=STAGES["dev"])
    template = aws.assertions.Template.from_stack(stack).to_json()["Resources"].values()
    kinds = [resource["Type"] for resource in template]
    assert kinds.count("AWS::EC2::NatGateway") == STAGES["dev"].network.zones
    anywhere = [r["Properties"] for r in template if r["Type"] == "AWS::EC2::SecurityGroup"]
    rules = [rule for group in anywhere for rule in group.get("SecurityGroupEgress", []) if rule["IpProtocol"] == "tcp"]
    assert [(rule["CidrIp"], rule["FromPort"]) for rule in rules] == [("0.0.0.0/0", 443)]
    interface = [r for r in template if r["Type"] == "AWS::EC2::VPCEndpoint"]
    assert [r["Properties"]["VpcEndpointType"] for r in interface] == ["Gateway"]
