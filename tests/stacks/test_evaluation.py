"""The evaluator against brute force: wildcards, conditions, and that a denial wins."""

import json
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.iam.access_control import IAMPolicy, PermissionResult

from tests.stacks.conditions import Context, UnknownOperator, holds, matches
from tests.stacks.evaluation import Permissions
from tests.stacks.rights import UnknownAction, by_file, expanded, lines
from tests.stacks.statements import EVERYBODY, THE_ACCOUNT, Condition, Kind, Statement

NAMES = st.text("ab", max_size=5)
PATTERNS = st.text("ab*?", max_size=5)
ROLE, OTHER = "<s.Role>", "<s.Other>"
KEY = "arn:aws:kms:r:<account>:key/<s.Key>"


def by_hand(pattern: str, name: str) -> bool:
    """Match by trying everything."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(by_hand(pattern[1:], name[cut:]) for cut in range(len(name) + 1))
    return bool(name) and pattern[0] in {"?", name[0]} and by_hand(pattern[1:], name[1:])


@given(PATTERNS, NAMES)
@settings(deadline=None)
def test_wildcards_match_as_by_hand(pattern: str, name: str) -> None:
    assert matches(pattern, name) == by_hand(pattern, name)


@pytest.mark.parametrize("text", ["a.b", "a+b", "[ab]", "a\\b", "<s.Role>", "${x}", "a\nb"])
def test_only_two_characters_are_wild(text: str) -> None:
    assert matches(text, text)
    assert not matches(text, "ab")


def said(
    allows: bool,
    *,
    actions: tuple[str, ...] = ("s3:GetObject",),
    resources: tuple[str, ...] = ("*",),
    who: tuple[str, ...] = (ROLE,),
    conditions: tuple[Condition, ...] = (),
    kind: Kind = "identity",
) -> Statement:
    """Return a statement."""
    return Statement("here", kind, allows, who, actions, resources, conditions)


def statements_with(patterns: st.SearchStrategy[str]) -> st.SearchStrategy[list[Statement]]:
    """Return a strategy of a few statements, some of which concern another role."""
    texts = st.lists(patterns, min_size=1, max_size=2).map(tuple)
    who = st.sampled_from([(ROLE,), (OTHER,), (ROLE, OTHER)])
    return st.lists(st.builds(said, st.booleans(), actions=texts, resources=texts, who=who), max_size=5)


@given(statements_with(PATTERNS))
@settings(deadline=None, max_examples=60)
def test_what_is_allowed_is_what_is_allowed_less_what_is_denied(statements: list[Statement]) -> None:
    names = ["".join(letters) for size in range(3) for letters in product("ab", repeat=size)]
    sets: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}
    for statement in statements:
        if ROLE in statement.principals:
            sets[statement.allows] |= {
                pair
                for pair in product(names, names)
                if any(by_hand(one, pair[0]) for one in statement.actions)
                and any(by_hand(one, pair[1]) for one in statement.resources)
            }
    permissions = Permissions(statements)
    assert set(permissions.what(ROLE, names, names)) == sets[True] - sets[False]


@given(statements_with(st.text("ab*", min_size=1, max_size=4)), st.text("ab", min_size=1, max_size=3), NAMES)
@settings(deadline=None)
def test_motos_own_evaluator_says_the_same(statements: list[Statement], action: str, resource: str) -> None:
    mine = [one for one in statements if ROLE in one.principals]
    document = [
        {"Effect": "Allow" if one.allows else "Deny", "Action": list(one.actions), "Resource": list(one.resources)}
        for one in mine
    ]
    policy = IAMPolicy({"policy_document": json.dumps({"Statement": document})})
    theirs = policy.is_action_permitted(action, resource) == PermissionResult.PERMITTED
    assert Permissions(mine).allowed(ROLE, action, resource) == theirs


@pytest.mark.parametrize(
    ("operator", "values", "given_value", "expected"),
    [
        ("StringEquals", ("a", "b"), "b", True),
        ("StringEquals", ("a",), "A", False),
        ("StringEquals", ("a",), None, False),
        ("StringNotEquals", ("a",), None, True),
        ("StringNotEquals", ("a", "b"), "b", False),
        ("StringLike", ("rel/*",), "rel/x/y", True),
        ("StringEqualsIfExists", ("a",), None, True),
        ("StringEqualsIfExists", ("a",), "b", False),
        ("ArnLike", ("arn:aws:s3:::a*",), "arn:aws:s3:::ab", True),
        ("ArnLike", ("arn:*:s3:::a",), "arn:aws:x:s3:::a", False),
        ("ArnLike", ("arn:aws:execute-api:r:1:i/*/*/v1",), "arn:aws:execute-api:r:1:i/s/GET/v1", True),
        ("Bool", ("false",), "FALSE", True),
        ("Null", ("true",), None, True),
        ("Null", ("true",), "x", False),
        ("Null", ("false",), "x", True),
        ("NumericLessThan", ("1.2",), "1.1", True),
        ("NumericLessThan", ("1.2",), "1.3", False),
    ],
)
def test_conditions(operator: str, values: tuple[str, ...], given_value: str | None, expected: bool) -> None:
    context: Context = {} if given_value is None else {"KEY": given_value}
    assert holds(Condition(operator, "key", values), context) is expected


def test_an_unknown_operator_fails() -> None:
    with pytest.raises(UnknownOperator, match="IpAddress"):
        holds(Condition("IpAddress", "aws:SourceIp", ("10.0.0.0/8",)), {"aws:SourceIp": "10.0.0.1"})


def test_conditions_count_and_any_circumstances_are_the_worst_ones() -> None:
    tls = Condition("Bool", "aws:SecureTransport", ("false",))
    listed = Condition("StringLike", "s3:prefix", ("releases/*",))
    permissions = Permissions([said(True, conditions=(listed,)), said(False, conditions=(tls,))])
    assert permissions.allowed(ROLE, "s3:GetObject", "x")
    asked = {"s3:prefix": "releases/a", "aws:SecureTransport": "true"}
    assert permissions.allowed(ROLE, "s3:getobject", "x", asked)
    assert not permissions.allowed(ROLE, "s3:GetObject", "x", {**asked, "aws:SecureTransport": "false"})
    assert not permissions.allowed(ROLE, "s3:GetObject", "x", {**asked, "s3:prefix": "routing/a"})
    assert not permissions.allowed(ROLE, "s3:GetObject", "x", {})


def test_a_key_must_allow_it_too() -> None:
    own = said(True, actions=("kms:Decrypt",), resources=(KEY,))
    handed_on = said(True, actions=("kms:*",), resources=(KEY,), who=(THE_ACCOUNT,), kind="resource")
    named = said(True, actions=("kms:*",), resources=(KEY,), kind="resource")
    assert not Permissions([own]).allowed(ROLE, "kms:Decrypt", KEY)
    assert not Permissions([handed_on]).allowed(ROLE, "kms:Decrypt", KEY)
    assert Permissions([own, handed_on]).allowed(ROLE, "kms:Decrypt", KEY)
    assert Permissions([named]).allowed(ROLE, "kms:Decrypt", KEY)


@pytest.mark.parametrize("who", [ROLE, EVERYBODY, THE_ACCOUNT])
def test_a_resources_denial_wins_over_a_roles_own_policy(who: str) -> None:
    assert Permissions([said(True)]).allowed(ROLE, "s3:GetObject", "x")
    denial = said(False, who=(who,), kind="resource")
    assert not Permissions([said(True), denial]).allowed(ROLE, "s3:GetObject", "x")


def test_an_endpoint_lets_through_and_grants_nothing() -> None:
    assert not Permissions([said(True, who=(EVERYBODY,), kind="endpoint")]).allowed(ROLE, "s3:GetObject", "x")


def test_a_service_is_not_the_account() -> None:
    handed_on = said(True, who=(THE_ACCOUNT,), kind="resource")
    assert not Permissions([handed_on]).allowed("service a.amazonaws.com", "s3:GetObject", "x")


def test_patterns_of_actions_are_expanded_and_unknown_ones_refused() -> None:
    assert {"kms:Decrypt", "kms:DescribeKey"} <= set(expanded("kms:De*"))
    for wrong in ("s3:GetObjects", "s3:Nothing*", "nobody:*"):
        with pytest.raises(UnknownAction):
            expanded(wrong)


def test_lines_leave_out_what_is_denied_and_say_conditions() -> None:
    listed = Condition("StringLike", "s3:prefix", ("releases/*",))
    found = lines(
        [
            said(True, actions=("kms:GenerateMac", "kms:VerifyM*"), resources=(KEY,)),
            said(False, actions=("kms:G*",), resources=("*",)),
            said(True, actions=("s3:ListBucket",), resources=("arn:aws:s3:::ebb-dev",), conditions=(listed,)),
        ],
        "dev",
    )
    assert found == {
        f"{ROLE}: kms:VerifyMac on {KEY}",
        f"{ROLE}: NEVER kms:G* on *",
        f"{ROLE}: s3:ListBucket on arn:aws:s3:::ebb-<stage> if StringLike s3:prefix = releases/*",
    }


def test_what_all_stages_have_stands_once() -> None:
    assert by_file({"a": {"1", "2"}, "b": {"1"}}) == {"common": ["1"], "a": ["2"]}
