"""Statements are read with whom they concern; what cannot be read fails instead of being left out."""

from typing import Any

import pytest

from tests.stacks.references import References, Template
from tests.stacks.statements import EVERYBODY, THE_ACCOUNT, Condition, Statement, UnknownPolicy, statements_of

TRUST = {"Statement": [{"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": "x.amazonaws.com"}}]}
ROLE: Template = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}}
TOPIC = {"Action": "sns:Publish", "Effect": "Allow", "Resource": "*"}


def read(*resources: dict[str, Any], **more: dict[str, Any]) -> list[Statement]:
    """Return the statements of one stack, whose resources are called R0, R1 and so on."""
    named = {f"R{place}": resource for place, resource in enumerate(resources)} | more
    return statements_of(References({"s": {"Resources": named}}, "us-east-1"))


def role(**properties: Any) -> Template:
    """Return a role with more properties."""
    return {**ROLE, "Properties": {**ROLE["Properties"], **properties}}


def key(statement: dict[str, Any]) -> Template:
    """Return a key whose policy is one statement."""
    return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": statement}}}


def test_a_roles_policies_are_its_own_inline_and_aws() -> None:
    inline = [{"PolicyName": "In", "PolicyDocument": {"Statement": TOPIC}}]
    managed = ["arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited"]
    attached = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"Roles": [{"Ref": "R0"}], "PolicyDocument": {"Statement": [TOPIC]}},
    }
    found = [one for one in read(role(Policies=inline, ManagedPolicyArns=managed), attached) if one.kind == "identity"]
    assert {one.where for one in found} == {"<s.R0>", "<s.R1>", "AWS's AWSCodeDeployRoleForLambdaLimited"}
    assert {one.principals for one in found} == {("<s.R0>",)}
    assert "lambda:UpdateAlias" in {action for one in found for action in one.actions}


def test_a_keys_star_is_the_key() -> None:
    allow = {"Action": "kms:*", "Effect": "Allow", "Resource": "*", "Principal": {"AWS": ACCOUNT_ROOT}}
    (found,) = read(key(allow))
    assert found.resources == ("arn:aws:kms:us-east-1:<account>:key/<s.R0>",)
    assert found.principals == (THE_ACCOUNT,)


ACCOUNT_ROOT = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::", {"Ref": "AWS::AccountId"}, ":root"]]}


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", (EVERYBODY,)),
        ({"AWS": "*"}, (EVERYBODY,)),
        ({"AWS": [{"Fn::GetAtt": ["Role", "Arn"]}, ACCOUNT_ROOT]}, ("<s.Role>", THE_ACCOUNT)),
        ({"Service": ["a.amazonaws.com"]}, ("service a.amazonaws.com",)),
    ],
)
def test_principals(principal: Any, expected: tuple[str, ...]) -> None:
    found = read(key({**TOPIC, "Principal": principal}), Role=ROLE)
    assert found[0].principals == expected


def test_a_permission_is_a_statement_about_its_function() -> None:
    given = {"Action": "lambda:InvokeFunction", "FunctionName": "f", "Principal": "a.amazonaws.com", "SourceArn": "s"}
    (found,) = read({"Type": "AWS::Lambda::Permission", "Properties": given})
    assert found.principals == ("service a.amazonaws.com",)
    assert found.conditions == (Condition("ArnLike", "aws:SourceArn", ("s",)),)


@pytest.mark.parametrize(
    "resource",
    [
        key({**TOPIC, "NotAction": "x"}),
        key({**TOPIC, "Principal": {"Federated": "x"}}),
        key({**TOPIC, "Principal": {"AWS": "arn:aws:iam::999999999999:root"}}),
        role(ManagedPolicyArns=["arn:aws:iam::999999999999:policy/other"]),
        role(PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess"),
        {"Type": "AWS::IAM::Policy", "Properties": {"Users": ["u"], "PolicyDocument": {"Statement": TOPIC}}},
        {
            "Type": "AWS::Lambda::Permission",
            "Properties": {"Action": "a", "FunctionName": "f", "Principal": "p", "PrincipalOrgID": "o"},
        },
    ],
)
def test_what_cannot_be_read_fails(resource: dict[str, Any]) -> None:
    with pytest.raises(UnknownPolicy):
        read(resource)
