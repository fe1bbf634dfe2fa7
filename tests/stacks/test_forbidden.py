"""Every forbidden pair of `tests.stacks.forbidden` is tried, and everything that must be possible."""

import json
from itertools import chain
from typing import Any

import pytest

from tests.stacks.conditions import Context
from tests.stacks.conftest import PLACES, Synthesized
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
    ONLY_WHERE_WRITES_GO,
    OWNER,
    PREDICT,
    RELEASE,
    SERVES,
    SERVING,
    STAGE_SECRET,
    TABLE,
)
from tests.stacks.forbidden_training import ALL_THE_SAME, FORBIDDEN_IN_TRAINING
from tests.stacks.golden_files import differences
from tests.stacks.references import References, Template
from tests.stacks.rights import expanded
from tests.stacks.snapshot import PERMISSIONS, permissions, stage_statements

stages = pytest.mark.parametrize("stage", PLACES)


def evaluated(synthesized: Synthesized, stage: str) -> Permissions:
    """Return who may do what in a stage."""
    return Permissions(stage_statements(synthesized, stage))


def everything(synthesized: Synthesized, stage: str) -> list[str]:
    """Return every resource of a stage, whatever a policy names, and some that are not its own."""
    references = References(synthesized.templates[stage], PLACES[stage].region)
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
    return [*sorted(named), RELEASE, SERVES, TABLE, ACCESS_LOG, *(at(stage, one) for one in ELSEWHERE)]


def stands(role: str, place: str) -> bool:
    """Say whether a place has a role."""
    there = PLACES[place]
    return there.name in ONLY_IN.get(role, {there.name}) and not (there.follows and role in ONLY_WHERE_WRITES_GO)


def at(place: str, text: str) -> str:
    """Return a resource, or a condition's value, as it is called at a place: in its region, sealed by its key."""
    there = PLACES[place]
    if there.beside and text == STAGE_SECRET:
        return f"arn:aws:secretsmanager:{there.region}:<account>:secret:ebb/{there.name}/seal-AbCdEf"
    return text.replace("us-east-1", there.region).replace(
        "feature-store.SealKey", "seal.Key" if there.edge else "feature-store.SealKey"
    )


def asked(place: str, context: Context) -> Context:
    """Return what is known of a request, at a place."""
    return {key: at(place, value) if isinstance(value, str) else value for key, value in context.items()}


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
        assert {action for action, _ in found} == (EXPERIMENTS | ALL_THE_SAME).get(role, set()), role


@stages
def test_what_requests_reach_starts_and_changes_no_function(synthesized: Synthesized, stage: str) -> None:
    permissions, resources = evaluated(synthesized, stage), everything(synthesized, stage)
    for role in SERVING:
        assert list(permissions.what(role, actions(*ALSO_NOT_SERVING), resources)) == [], role


@stages
@pytest.mark.parametrize("role", FORBIDDEN)
def test_each_forbidden_pair_is_refused(synthesized: Synthesized, stage: str, role: str) -> None:
    permissions = evaluated(synthesized, stage)
    assert (role in roles(permissions)) is stands(role, stage)
    for pattern, resources in FORBIDDEN[role]:
        assert list(permissions.what(role, actions(pattern), [at(stage, one) for one in resources])) == []


@stages
def test_each_may_do_its_work(synthesized: Synthesized, stage: str) -> None:
    permissions = evaluated(synthesized, stage)
    for role, action, resource, context in MAY:
        may = stands(role, stage) and not (PLACES[stage].follows and resource == OWNER)
        found = permissions.allowed(role, action, at(stage, resource), asked(stage, context))
        assert found is may, f"{role}: {action} on {resource}"


@stages
def test_and_in_no_other_way(synthesized: Synthesized, stage: str) -> None:
    permissions = evaluated(synthesized, stage)
    for role, action, resource, context in MAY_NOT_SO:
        there = at(stage, resource)
        assert permissions.allowed(role, action, there) is stands(role, stage), "otherwise this shows nothing"
        assert not permissions.allowed(role, action, there, asked(stage, context)), f"{role}: {action} with {context}"


@stages
def test_the_gateway_calls_functions_for_this_api_only(synthesized: Synthesized, stage: str) -> None:
    permissions, gateway = evaluated(synthesized, stage), "service apigateway.amazonaws.com"
    live, call = at(stage, f"{FUNCTIONS}<inference.Predict>:live"), "lambda:InvokeFunction"
    api = at(stage, "arn:aws:execute-api:us-east-1:<account>:{}/$default/POST/v1/predictions")
    assert permissions.allowed(gateway, call, live, {"aws:SourceArn": api.format("<inference.Api>")})
    assert not permissions.allowed(gateway, call, live, {"aws:SourceArn": api.format("another")})
    assert not permissions.allowed(gateway, call, live, {})
    for other in ("<inference.Predict>", "<inference.Maintain>", "<feature-store.Migrate>"):
        assert not permissions.allowed(gateway, call, at(stage, f"{FUNCTIONS}{other}")), (
            "past the alias, or past every door"
        )


@stages
def test_each_role_was_thought_of(synthesized: Synthesized, stage: str) -> None:
    missing = set(roles(evaluated(synthesized, stage))) - set(FORBIDDEN) - set(FORBIDDEN_IN_TRAINING)
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
