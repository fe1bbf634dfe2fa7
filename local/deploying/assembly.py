"""What was synthesized, stack by stack, beside what is deployed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.deploying.aws import Aws
from local.deploying.stacks import StackState
from local.terminal import counted

_NOT_OURS = "AWS::CDK::Metadata"


@dataclass(frozen=True)
class Template:
    """One stack as it was synthesized.

    Attributes:
        name, region: of the stack.
        content: the template.
    """

    name: str
    region: str
    content: Mapping[str, Any]

    @property
    def resources(self) -> int:
        """How many it has."""
        return len(self.content.get("Resources", {}))


@dataclass(frozen=True)
class Change:
    """What a deployment would change in one stack.

    Attributes:
        name: the stack's.
        new: whether it does not stand yet.
        added, changed, removed: resources; all 0 where something else differs, such as outputs.
    """

    name: str
    new: bool
    added: int
    changed: int
    removed: int

    @property
    def sentence(self) -> str:
        """Say it."""
        if self.new:
            return f"{self.name}: new, {counted(self.added, 'resource')}"
        return f"{self.name}: {self.added} added, {self.changed} changed, {self.removed} removed"


def read_assembly(folder: Path) -> list[Template]:
    """Return the stacks that were synthesized, in the order of their names.

    Args:
        folder: that CDK wrote.
    """
    artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
    found = []
    for artifact in artifacts.values():
        if artifact["type"] != "aws:cloudformation:stack":
            continue
        about = artifact["properties"]
        region = artifact["environment"].rpartition("/")[2]
        name = about.get("stackName") or about["templateFile"].removesuffix(".template.json")
        found.append(Template(name, region, json.loads((folder / about["templateFile"]).read_text())))
    return sorted(found, key=lambda template: template.name)


def change_of(aws: Aws, template: Template, stack: StackState | None) -> Change | None:
    """Compare a template with the one that is deployed; None where they are the same.

    What CDK's command line adds for itself is left out. That somebody changed a resource by hand is not seen.

    Raises:
        AwsRefused: AWS cannot be asked.
    """
    ours = _meant(template.content)
    if stack is None or not stack.stands:
        return Change(template.name, stack is None, len(ours["Resources"]), 0, 0)
    told = aws.call("cloudformation", "get_template", region=template.region, StackName=template.name)["TemplateBody"]
    theirs = _meant(told if isinstance(told, dict) else json.loads(told))
    if ours == theirs:
        return None
    new, old = ours["Resources"], theirs["Resources"]
    both = new.keys() & old.keys()
    changed = sum(new[name] != old[name] for name in both)
    return Change(
        template.name, new=False, added=len(new.keys() - both), changed=changed, removed=len(old.keys() - both)
    )


def _meant(template: Mapping[str, Any]) -> dict[str, Any]:
    resources = {
        name: {key: value for key, value in resource.items() if key != "Metadata"}
        for name, resource in template.get("Resources", {}).items()
        if resource.get("Type") != _NOT_OURS
    }
    conditions = {name: each for name, each in template.get("Conditions", {}).items() if name != "CDKMetadataAvailable"}
    rest = {name: template.get(name, {}) for name in ("Parameters", "Outputs", "Mappings")}
    return {"Resources": resources, "Conditions": conditions, **rest}
