"""What is deployed is compared with what is meant; what went wrong is found, and what is stuck is refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.deploying.assembly import Template, change_of, read_assembly
from local.deploying.provision import NotProvisioned, Provision
from local.deploying.stacks import NotThere, StackState, first_failure, outputs_of
from local.deploying.words import AwsRefused
from tests.fakes.deploying import ACCOUNT, FakeAws, assembly, deployment, refused, stacks

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE = {"Resources": {"A": {"Type": "T", "Properties": {"x": 1}}}}
STACK = StackState("ebb-dev-one", "us-east-1", "UPDATE_COMPLETE", "", {})


def change(meant: dict[str, Any], deployed: Any) -> Any:
    fake: Any = FakeAws({"get_template": {"TemplateBody": deployed}})
    return change_of(fake, Template("ebb-dev-one", "us-east-1", meant), STACK)


def event(name: str, status: str, reason: str = "", kind: str = "T", minutes: int = 0) -> dict[str, Any]:
    return {
        "LogicalResourceId": name,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
        "ResourceType": kind,
        "Timestamp": NOW - timedelta(minutes=minutes),
    }


BEGIN = event("ebb-dev-one", "UPDATE_IN_PROGRESS", "User Initiated", "AWS::CloudFormation::Stack", 5)


def test_what_cdk_adds_for_itself_is_no_change() -> None:
    deployed = {
        "Resources": {
            "A": {"Type": "T", "Properties": {"x": 1}, "Metadata": {"aws:cdk:path": "a/b"}},
            "CDKMetadata": {"Type": "AWS::CDK::Metadata"},
        },
        "Conditions": {"CDKMetadataAvailable": {}},
        "Description": "words",
    }
    assert change(ONE, deployed) is None


def test_changes_are_counted_by_kind() -> None:
    meant = {"Resources": {"A": {"Type": "T"}, "B": {"Type": "T"}, "D": {"Type": "T"}}}
    told = change(meant, '{"Resources": {"A": {"Type": "U"}, "C": {"Type": "T"}, "D": {"Type": "T"}}}')
    assert told.sentence == "ebb-dev-one: 1 added, 1 changed, 1 removed"
    assert change({**ONE, "Outputs": {"Address": {"Value": "x"}}}, ONE).sentence.endswith("0 removed")


@given(
    st.dictionaries(st.sampled_from("ABCDEF"), st.sampled_from("TUV")),
    st.dictionaries(st.sampled_from("ABCDEF"), st.sampled_from("TUV")),
)
def test_counts_are_those_of_sets(meant: dict[str, str], deployed: dict[str, str]) -> None:
    def template(kinds: dict[str, str]) -> dict[str, Any]:
        return {"Resources": {name: {"Type": kind} for name, kind in kinds.items()}}

    told = change(template(meant), template(deployed))
    if meant == deployed:
        assert told is None
        return
    both = meant.keys() & deployed.keys()
    expected = (len(meant) - len(both), sum(meant[n] != deployed[n] for n in both), len(deployed) - len(both))
    assert (told.added, told.changed, told.removed) == expected


def test_a_stack_that_is_absent_is_new_and_one_that_failed_is_made_again() -> None:
    fake: Any = FakeAws()
    template = Template("ebb-dev-one", "us-east-1", ONE)
    absent = change_of(fake, template, None)
    assert absent is not None
    assert absent.sentence == "ebb-dev-one: new, 1 resource"
    failed = change_of(fake, template, StackState("ebb-dev-one", "us-east-1", "ROLLBACK_COMPLETE", "", {}))
    assert failed is not None
    assert fake.asked == []


def test_the_first_failure_of_the_last_attempt_is_named() -> None:
    newest_first = [
        event("C", "CREATE_FAILED", "Resource creation cancelled"),
        event("B", "CREATE_FAILED", "The quota is used up."),
        event("A", "CREATE_COMPLETE"),
        BEGIN,
        event("Z", "UPDATE_FAILED", "of the time before", minutes=60),
    ]
    pages: Any = FakeAws(
        {
            "describe_stack_events": [
                {"StackEvents": newest_first[:1], "NextToken": "t"},
                {"StackEvents": newest_first[1:]},
            ]
        }
    )
    assert first_failure(pages, STACK) == "B (T): The quota is used up"
    assert pages.asked[1][1]["NextToken"] == "t"
    later: Any = FakeAws({"describe_stack_events": {"StackEvents": newest_first}})
    assert first_failure(later, STACK, NOW + timedelta(minutes=1)) == ""


def test_outputs_are_of_what_stands() -> None:
    with pytest.raises(NotThere, match="the stack ebb-dev-registry does not stand yet: run `ebb deploy`"):
        outputs_of(None, "ebb-dev-registry", "BucketName")
    with pytest.raises(NotThere, match=r"ebb-dev-one \(UPDATE_COMPLETE\) has no output BucketName"):
        outputs_of(STACK, "ebb-dev-one", "BucketName")


def test_that_a_stack_is_absent_is_no_error_and_anything_else_is() -> None:
    fake: Any = FakeAws({"describe_stacks": stacks()})
    assert StackState.read(fake, "ebb-dev-one") is None
    fake.answers["describe_stacks"] = refused("AccessDenied")
    with pytest.raises(AwsRefused):
        StackState.read(fake, "ebb-dev-one")


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"])
def test_what_cloudformation_does_already_is_waited_for(status: str, tmp_path: Path) -> None:
    assembly(tmp_path / "assembly", one=ONE)
    busy = stacks(one={"status": status})
    fake = FakeAws({"describe_stacks": [busy, busy, stacks(one={})], "get_template": {"TemplateBody": ONE}})
    told = Provision().take(deployment(tmp_path, aws=fake))
    assert (told.state, told.sentence) == ("already", "1 stack as the templates say, 1 resource")


def test_what_never_ends_is_said(tmp_path: Path) -> None:
    assembly(tmp_path / "assembly", one=ONE)
    at = deployment(tmp_path, aws=FakeAws({"describe_stacks": stacks(one={"status": "UPDATE_IN_PROGRESS"})}))
    with pytest.raises(NotProvisioned, match=r"still at work on ebb-dev-one \(UPDATE_IN_PROGRESS\)"):
        Provision().take(at)


@pytest.mark.parametrize(
    ("status", "way"),
    [
        ("UPDATE_ROLLBACK_FAILED", "`npx aws-cdk@2.1148.1 rollback ebb-dev-one -c stage=dev`"),
        ("ROLLBACK_FAILED", "then delete the stack: nothing of it was ever in use"),
        ("DELETE_FAILED", "delete the stack again"),
        ("UPDATE_FAILED", "roll the stack back in the console"),
    ],
)
def test_a_stack_that_is_stuck_needs_a_hand(status: str, way: str, tmp_path: Path) -> None:
    assembly(tmp_path / "assembly", one=ONE)
    events = {"StackEvents": [event("Bucket", "DELETE_FAILED", "not empty."), BEGIN]}
    fake = FakeAws({"describe_stacks": stacks(one={"status": status}), "describe_stack_events": events})
    with pytest.raises(NotProvisioned) as told:
        Provision().take(deployment(tmp_path, aws=fake))
    assert f"the stack ebb-dev-one is stuck in {status}: Bucket (T): not empty. " in str(told.value)
    assert way.lower() in str(told.value).lower()


def test_a_plan_counts_offline_and_compares_online(tmp_path: Path) -> None:
    folder = assembly(tmp_path / "assembly", one=ONE, two={"Resources": {"B": {"Type": "T"}, "C": {"Type": "T"}}})
    assert [(each.name, each.resources) for each in read_assembly(folder)] == [("ebb-dev-one", 1), ("ebb-dev-two", 2)]
    offline = FakeAws({"get_caller_identity": refused("NoCredentialsError")})
    told = Provision().look(deployment(tmp_path, aws=offline))
    assert told.sentence == "would make or change 2 stacks, 3 resources in all"
    online = FakeAws(
        {
            "get_caller_identity": {"Account": ACCOUNT},
            "describe_stacks": stacks(one={}),
            "get_template": {"TemplateBody": ONE},
        }
    )
    told = Provision().look(deployment(tmp_path, aws=online))
    assert told.sentence == "would deploy ebb-dev-two: new, 2 resources"
