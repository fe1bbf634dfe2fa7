"""cfn-lint holds every template against CloudFormation's own schemas, for the region it is meant for."""

import json
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from tests.stacks.conftest import PLACES, Synthesized

IGNORED = {
    "W3005": "CDK names a dependency that a reference implies too: twice said is no harm, and it is not ours to say",
    "W3010": "zones are named: looking them up would need an account, and synth would not be pure",
}
"""Rules whose findings are let pass, and why."""


Found = list[tuple[str, str]]


def found_in(template: dict[str, Any], region: str) -> Found:
    """Return what cfn-lint finds in a template: rule, and where with what."""
    matches = lint(json.dumps(template), config=ManualArgs(regions=[region]))
    return [(match.rule.id, f"{'/'.join(map(str, match.path or []))}: {match.message}") for match in matches]


@pytest.fixture(scope="module")
def found(synthesized: Synthesized) -> dict[str, Found]:
    """Return what is found in each template."""
    return {
        f"{stage} {stack}": found_in(template, PLACES[stage].region)
        for stage, stacks in synthesized.templates.items()
        for stack, template in stacks.items()
    }


def test_templates_have_no_findings(found: dict[str, Found]) -> None:
    assert len(found) >= len(PLACES) * 3
    for stack, findings in found.items():
        assert [one for one in findings if one[0] not in IGNORED] == [], stack


def test_a_wrong_template_is_found_out(synthesized: Synthesized) -> None:
    template = json.loads(json.dumps(synthesized.templates["dev"]["feature-store"]))
    (cluster,) = [one for one in template["Resources"].values() if one["Type"] == "AWS::RDS::DBCluster"]
    cluster["Properties"]["BackupRetentionPeriod"] = "a month"
    cluster["Properties"]["Ports"] = 5432
    rules = {rule for rule, _ in found_in(template, "us-east-1")}
    assert {"E3002", "E3012"} <= rules


def test_a_cycle_is_found_out() -> None:
    topics = {
        name: {"Type": "AWS::SNS::Topic", "DependsOn": other, "Properties": {}}
        for name, other in (("One", "Other"), ("Other", "One"))
    }
    assert "E3004" in {rule for rule, _ in found_in({"Resources": topics}, "us-east-1")}


def test_each_ignored_rule_is_needed(found: dict[str, Found]) -> None:
    assert {rule for findings in found.values() for rule, _ in findings} == set(IGNORED)
