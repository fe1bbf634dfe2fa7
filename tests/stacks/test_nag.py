"""cdk-nag's AwsSolutions hold every stage: synth fails with a finding that nobody explained beside its construct."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as aws
import pytest
from aws_cdk import aws_s3 as s3

from cdk.guardrails import guard
from cdk.stages import STAGES
from stacks.constructs.acknowledged import acknowledge
from tests.stacks.conftest import CONTEXT, Synthesized

PACK = "AwsSolutions"
CONSIDERED = ("considered", "alternative")


def findings(folder: Path) -> list[tuple[str, list[str]]]:
    """Return what cdk-nag found and nobody acknowledged: rule and constructs."""
    report = json.loads((folder / "validation-report.json").read_text())
    return [
        (violation["ruleName"], [place["constructPath"] for place in violation["violatingConstructs"]])
        for plugin in report["pluginReports"]
        for violation in plugin.get("violations", [])
        if violation["ruleName"].startswith(PACK)
    ]


def acknowledged(tree: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return construct, id and reason of everything acknowledged in a folder of templates."""
    found = []
    for path, entries in tree.items():
        for entry in entries:
            data = entry.get("data")
            if isinstance(data, dict):
                found += [(path, name, str(reason)) for name, reason in data.items() if name.startswith(PACK)]
    return found


def metadata(folder: Path) -> dict[str, Any]:
    """Return what the constructs of all stacks say of themselves."""
    found: dict[str, Any] = {}
    for file in folder.glob("*.metadata.json"):
        found.update(json.loads(file.read_text()))
    return found


def one_stack(folder: Path) -> tuple[aws.App, aws.Stack]:
    """Return an app with one empty stack, guarded as those of a stage are."""
    app = aws.App(outdir=str(folder), context=CONTEXT)
    stack = aws.Stack(app, "ebb-dev-other", env={"region": "us-east-1"})
    guard(app, STAGES["dev"], [stack])
    return app, stack


def test_all_stages_are_checked_and_nothing_unexplained_is_found(synthesized: Synthesized) -> None:
    report = json.loads((synthesized.folder / "validation-report.json").read_text())
    plugins = [plugin["pluginName"] for plugin in report["pluginReports"]]
    assert plugins.count(PACK) == 1
    assert findings(synthesized.folder) == []


def test_each_acknowledgement_names_what_else_was_considered(synthesized: Synthesized) -> None:
    found = acknowledged(metadata(synthesized.folder))
    assert found
    for path, name, reason in found:
        assert any(word in reason for word in CONSIDERED), f"{path} {name}: {reason}"
        assert len(reason) >= 80, f"{path} {name}: {reason}"
        assert name.startswith(f"{PACK}::{PACK}-"), name


def test_an_unexplained_public_bucket_stops_the_synth(tmp_path: Path) -> None:
    app, stack = one_stack(tmp_path)
    s3.Bucket(
        stack,
        "Extra",
        public_read_access=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ACLS_ONLY,
    )
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    rules = {rule for rule, _ in findings(tmp_path)}
    assert {"AwsSolutions-S1", "AwsSolutions-S2", "AwsSolutions-S10"} <= rules
    assert all(path.startswith("ebb-dev-other/Extra") for _, paths in findings(tmp_path) for path in paths)


def test_an_acknowledgement_covers_its_construct_and_its_finding_only(tmp_path: Path) -> None:
    app, stack = one_stack(tmp_path)
    explained, other = (s3.Bucket(stack, name, enforce_ssl=name == "Explained") for name in ("Explained", "Other"))
    acknowledge(explained, "S1", "It is the example of a test, and another one was considered.")
    acknowledge(other, "S10", "It is the example of a test, and another one was considered.")
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert findings(tmp_path) == [("AwsSolutions-S1", ["ebb-dev-other/Other/Resource"])]


def test_a_clean_stack_passes(tmp_path: Path) -> None:
    app, stack = one_stack(tmp_path)
    aws.CfnOutput(stack, "Word", value="fine")
    app.synth()
    assert findings(tmp_path) == []
