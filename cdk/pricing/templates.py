"""What stands in the synthesized templates of a stage."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdk.pricing.errors import PricingError


@dataclass(frozen=True)
class Resource:
    """One resource.

    Attributes:
        part: the stack's short name, as its tag `ebb:part` says.
        name: logical id.
        kind: its type.
        properties: as in the template.
    """

    part: str
    name: str
    kind: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Templates:
    """All resources of a stage."""

    resources: tuple[Resource, ...]

    def of(self, kind: str) -> list[Resource]:
        """Return the resources of one type."""
        return [resource for resource in self.resources if resource.kind == kind]

    def referred(self, resource: Resource, value: object) -> Resource | None:
        """Return the resource of the same stack that a `Ref` or `Fn::GetAtt` names; None for anything else."""
        if not isinstance(value, dict):
            return None
        named = value.get("Ref") or (value.get("Fn::GetAtt") or [None])[0]
        return next((other for other in self.resources if (other.part, other.name) == (resource.part, named)), None)


def read_templates(folder: Path, stage: str) -> Templates:
    """Read the templates of a stage from what `cdk synth` left.

    Raises:
        PricingError: none lies there.
    """
    prefix, suffix = f"ebb-{stage}-", ".template.json"
    found = {
        path.name.removeprefix(prefix).removesuffix(suffix): json.loads(path.read_text())
        for path in sorted(folder.glob(f"{prefix}*{suffix}"))
    }
    if not found:
        raise PricingError(f"no template of the stage {stage!r} lies in {folder}: run `cdk synth -c stage={stage}`")
    return templates_of(found)


def templates_of(templates: Mapping[str, Mapping[str, Any]]) -> Templates:
    """Return the resources of templates by their stacks' short names."""
    return Templates(tuple(_resources(templates)))


def _resources(templates: Mapping[str, Mapping[str, Any]]) -> Iterator[Resource]:
    for part, template in templates.items():
        for name, resource in template.get("Resources", {}).items():
            yield Resource(part, name, resource["Type"], resource.get("Properties", {}))
