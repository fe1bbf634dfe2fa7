"""What everybody may do equals the reviewed list, every policy was read, and what is not ours has a reason."""

from itertools import chain

import pytest

from tests.stacks.conftest import PLACES, Synthesized
from tests.stacks.evaluation import Permissions
from tests.stacks.golden_files import differences
from tests.stacks.references import References
from tests.stacks.rights import expanded
from tests.stacks.snapshot import PERMISSIONS, permissions, stage_statements
from tests.stacks.statements import RESOURCE_POLICIES, documents
from tests.stacks.unbounded import UNBOUNDED, bounded

stages = pytest.mark.parametrize("stage", PLACES)


def test_everybody_may_do_what_was_reviewed_and_no_more(synthesized: Synthesized) -> None:
    difference = differences(PERMISSIONS, permissions(synthesized))
    assert not difference, difference


@stages
def test_every_policy_was_read(synthesized: Synthesized, stage: str) -> None:
    of_stage = synthesized.templates[stage]
    references = References(of_stage, PLACES[stage].region)
    resources = [
        (references.symbol(stack, logical), resource)
        for stack, template in of_stage.items()
        for logical, resource in template["Resources"].items()
    ]
    read = {statement.where for statement in stage_statements(synthesized, stage)}
    holding = {symbol for symbol, resource in resources if any(documents(resource.get("Properties", {})))}
    assert holding
    assert holding <= read
    known = {
        *RESOURCE_POLICIES,
        "AWS::IAM::Role",
        "AWS::IAM::Policy",
        "AWS::IAM::ManagedPolicy",
        "AWS::Lambda::Permission",
    }
    for symbol, resource in resources:
        # A type whose name says that it is a policy grants something, whatever its properties are called.
        says_so = resource["Type"].endswith(("Policy", "Permission")) and "ScalingPolicy" not in resource["Type"]
        assert resource["Type"] in known or not says_so, (
            f"{symbol} is of a type that nobody taught tests.stacks.statements"
        )


@stages
def test_every_action_exists(synthesized: Synthesized, stage: str) -> None:
    for statement in stage_statements(synthesized, stage):
        assert all(expanded(action) for action in statement.actions)


@stages
def test_what_names_no_resource_of_ours_has_a_reason(synthesized: Synthesized, stage: str) -> None:
    for statement in stage_statements(synthesized, stage):
        if statement.allows and statement.kind != "endpoint":
            for resource in statement.resources:
                for action in chain.from_iterable(map(expanded, statement.actions)):
                    assert bounded(resource) or action in UNBOUNDED, f"{statement.where}: {action} on {resource}"


def test_every_reason_is_needed(synthesized: Synthesized) -> None:
    used = {
        action
        for stage in PLACES
        for statement in stage_statements(synthesized, stage)
        if statement.allows and not all(map(bounded, statement.resources))
        for action in chain.from_iterable(map(expanded, statement.actions))
    }
    assert set(UNBOUNDED) <= used
    assert all(len(reason) > 40 for reason in UNBOUNDED.values())


@pytest.mark.parametrize(
    ("resource", "ours"),
    [
        ("*", False),
        ("arn:aws:s3:::*/CodeDeploy/*", False),
        ("arn:aws:lambda:us-east-1:<account>:function:*", False),
        ("arn:aws:lambda:us-east-1:<account>:function:ebb-dev", False),
        ("arn:aws:s3:::<registry.Releases>/releases/*", True),
    ],
)
def test_ours_is_what_a_template_makes(resource: str, ours: bool) -> None:
    assert bounded(resource) is ours


@stages
def test_nobody_outside_is_let_in(synthesized: Synthesized, stage: str) -> None:
    for statement in stage_statements(synthesized, stage):
        if statement.allows and statement.kind != "endpoint":
            assert "everybody" not in statement.principals, statement.where


@stages
def test_each_service_takes_only_the_roles_that_trust_it(synthesized: Synthesized, stage: str) -> None:
    evaluated = Permissions(stage_statements(synthesized, stage))
    roles = {statement.where: statement for statement in evaluated.statements if statement.kind == "trust"}
    services = {who for trust in roles.values() for who in trust.principals if who.startswith("service ")}
    for who in services:
        for trust in roles.values():
            may = evaluated.allowed(who, "sts:AssumeRole", trust.resources[0])
            assert may is (who in trust.principals), f"{who} and {trust.where}"
