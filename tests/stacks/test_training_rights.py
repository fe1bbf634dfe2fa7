"""What training's roles may do: their work, in the one way that was meant, and nothing of what serves."""

from itertools import chain

import pytest

from cdk.stages import STAGES
from tests.stacks.conftest import Synthesized
from tests.stacks.evaluation import Permissions
from tests.stacks.forbidden_training import (
    ALL_THE_SAME,
    FORBIDDEN_IN_TRAINING,
    MAY_IN_TRAINING,
    MAY_NOT_SO_IN_TRAINING,
    ROLES,
    STARTER,
)
from tests.stacks.rights import expanded
from tests.stacks.snapshot import stage_statements
from tests.stacks.statements import Statement
from tests.stacks.unbounded import NAMED, bounded

stages = pytest.mark.parametrize("stage", STAGES)
LARGEST = 10_240
"""Characters that the policies of one role may have together, without blanks ("IAM and AWS STS quotas")."""


def statements(synthesized: Synthesized, stage: str) -> list[Statement]:
    """Return the statements of the stage's own stacks."""
    return stage_statements(synthesized, stage)


@stages
def test_the_stack_has_these_roles(synthesized: Synthesized, stage: str) -> None:
    found = {one.where for one in statements(synthesized, stage) if one.kind == "trust"}
    assert {role for role in found if role.startswith("<training.")} == set(ROLES) == set(FORBIDDEN_IN_TRAINING)


@stages
@pytest.mark.parametrize("role", FORBIDDEN_IN_TRAINING)
def test_each_forbidden_pair_is_refused(synthesized: Synthesized, stage: str, role: str) -> None:
    permissions = Permissions(statements(synthesized, stage))
    for pattern, resources in FORBIDDEN_IN_TRAINING[role]:
        assert list(permissions.what(role, expanded(pattern), resources)) == []


@stages
def test_each_may_do_its_work(synthesized: Synthesized, stage: str) -> None:
    permissions = Permissions(statements(synthesized, stage))
    for role, action, resource, context in MAY_IN_TRAINING:
        assert permissions.allowed(role, action, resource, context), f"{role} may not {action} on {resource}"


@stages
def test_and_in_no_other_way(synthesized: Synthesized, stage: str) -> None:
    permissions = Permissions(statements(synthesized, stage))
    for role, action, resource, context in MAY_NOT_SO_IN_TRAINING:
        assert permissions.allowed(role, action, resource), "otherwise this shows nothing"
        assert not permissions.allowed(role, action, resource, context), f"{role}: {action} with {context}"


@stages
def test_only_whoever_starts_jobs_hands_on_a_role_and_only_to_sagemaker(synthesized: Synthesized, stage: str) -> None:
    ours = [one for one in statements(synthesized, stage) if set(one.principals) & set(ROLES)]
    passing = [one for one in ours if "iam:PassRole" in one.actions]
    assert {who for one in passing for who in one.principals} == set(ALL_THE_SAME)
    for one in passing:
        assert [str(condition) for condition in one.conditions] == [
            "StringEquals iam:PassedToService = sagemaker.amazonaws.com"
        ]
        assert not any("*" in resource for resource in one.resources)


@stages
def test_each_service_takes_its_roles_for_this_account_only(synthesized: Synthesized, stage: str) -> None:
    trusts = [one for one in statements(synthesized, stage) if one.kind == "trust" and one.where in ROLES]
    for trust in trusts:
        conditions = [str(condition) for condition in trust.conditions]
        if trust.where == STARTER:
            assert trust.principals == ("account",)
        else:
            assert conditions == ["StringEquals aws:SourceAccount = <account>"], trust.where


@stages
def test_no_role_s_policies_are_too_long(synthesized: Synthesized, stage: str) -> None:
    for name, policy in synthesized.resources(stage, "training", "AWS::IAM::Policy").items():
        document = str(policy["Properties"]["PolicyDocument"]).replace(" ", "")
        assert len(document) < LARGEST, name  # references are longer than most of what they stand for


def test_what_is_explained_by_its_pattern_is_needed_and_no_wider(synthesized: Synthesized) -> None:
    named = set(chain.from_iterable(one.resources for one in statements(synthesized, "prod") if one.allows))
    explained = {one for one in named if bounded(one)}
    for pattern, reason in list(NAMED.items()):
        assert len(reason) > 40
        with pytest.MonkeyPatch.context() as patched:
            patched.delitem(NAMED, pattern)
            assert not all(bounded(one) for one in explained), f"{pattern} explains nothing"
    assert not bounded("arn:aws:s3:::cdk-hnb659fds-assets-<account>-us-east-1/*")
    assert not bounded("arn:aws:sagemaker:us-east-1:<account>:training-job/*")
    assert not bounded("arn:aws:logs:us-east-1:<account>:log-group:*")
