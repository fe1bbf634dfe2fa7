"""Every forbidden pair of `tests.stacks.forbidden` is tried, and everything that must be possible."""

import json
from itertools import chain
from typing import Any

import pytest

from cdk.stages import STAGES
from tests.stacks.conftest import Synthesized
from tests.stacks.evaluation import Permissions
from tests.stacks.forbidden import (
    ACCESS_LOG,
    ALSO_NOT_SERVING,
    ELSEWHERE,
    EXPERIMENTS,
    FORBIDDEN,
    FUNCTIONS,
    MAY,
    MAY_NOT_SO,
    NOBODY,
    ONLY_IN,
    PREDICT,
    RELEASE,
    SERVES,
    SERVING,
    TABLE,
)
from tests.stacks.golden_files import differences
from tests.stacks.references import References, Template
from tests.stacks.rights import expanded
from tests.stacks.snapshot import PERMISSIONS, permissions, stage_statements

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
    live, call = f"{FUNCTIONS}<inference.Predict>:live", "lambda:InvokeFunction"
    api = "arn:aws:execute-api:us-east-1:<account>:{}/$default/POST/v1/predictions"
    assert permissions.allowed(gateway, call, live, {"aws:SourceArn": api.format("<inference.Api>")})
    assert not permissions.allowed(gateway, call, live, {"aws:SourceArn": api.format("another")})
    assert not permissions.allowed(gateway, call, live, {})
    for other in ("<inference.Predict>", "<inference.Maintain>", "<feature-store.Migrate>"):
        assert not permissions.allowed(gateway, call, f"{FUNCTIONS}{other}"), "past the alias, or past every door"


@stages
def test_each_role_was_thought_of(synthesized: Synthesized, stage: str) -> None:
    missing = set(roles(evaluated(synthesized, stage))) - set(FORBIDDEN)
    assert missing == set(), "say in FORBIDDEN what they may not do"


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:*", "*"),
        ("s3:Del*", {"Fn::Join": ["", [{"Fn::ImportValue": "{bucket}"}, "/*"]]}),
        ("iam:PassRole", {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/administrator"}),
    ],
)
def test_a_grant_too_many_is_noticed(synthesized: Synthesized, action: str, resource: Any) -> None:
    templates: dict[str, Template] = json.loads(json.dumps(synthesized.templates["dev"]))
    exports = [one["Export"]["Name"] for one in templates["registry"]["Outputs"].values() if "Export" in one]
    (bucket,) = [name for name in exports if "FnGetAttReleases" in name]
    given = json.loads(json.dumps(resource).replace("{bucket}", bucket))
    (policy,) = [
        one for name, one in templates["inference"]["Resources"].items() if name.startswith("PredictRoleDefaultPolicy")
    ]
    policy["Properties"]["PolicyDocument"]["Statement"].append({"Effect": "Allow", "Action": action, "Resource": given})
    changed = Synthesized({**synthesized.templates, "dev": templates}, synthesized.folder)
    assert list(evaluated(changed, "dev").what(PREDICT, actions(*NOBODY), everything(changed, "dev")))
    assert differences(PERMISSIONS, permissions(changed))
