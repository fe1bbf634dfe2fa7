"""Every stage synthesized once, and its templates as plain dictionaries."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdk.node import node_variables

os.environ.update(node_variables(os.environ))
os.environ.setdefault("CDK_VALIDATION", "false")  # as `cdk.app` does
import aws_cdk as aws
import pytest

from cdk.assemble import assemble
from cdk.regions import regions_of
from cdk.stage import Stage
from cdk.stages import STAGES
from tests.home import ROOT

if TYPE_CHECKING:
    from tests.stacks.variants import Variants

Template = dict[str, Any]
PLACES: dict[str, Stage] = {there.place: there for stage in STAGES.values() for there in regions_of(stage)}
"""Each stage as it stands in each of its regions: "prod" is the first one's, "prod-us-west-2" the second one's."""
SECOND = tuple(place for place, stage in PLACES.items() if stage.beside)
CONTEXT: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]


@dataclass(frozen=True)
class Synthesized:
    """What came out: templates by place and by the stack's short name, and the folder they lie in."""

    templates: Mapping[str, Mapping[str, Template]]
    folder: Path

    def resources(self, stage: str, stack: str, kind: str) -> dict[str, Template]:
        """Return a stack's resources of one type, by logical id."""
        found = self.templates[stage][stack]["Resources"]
        return {name: resource for name, resource in found.items() if resource["Type"] == kind}

    def every(self, kind: str) -> dict[str, Template]:
        """Return all places' resources of one type, by `stack/logical id`."""
        return {
            f"ebb-{stage}-{stack}/{name}": resource
            for stage, stacks in self.templates.items()
            for stack in stacks
            for name, resource in self.resources(stage, stack, kind).items()
        }


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """Return all stages, synthesized in one app."""
    return synthesize(tmp_path_factory.mktemp("cdk.out"))


@pytest.fixture(scope="session")
def variants(tmp_path_factory: pytest.TempPathFactory) -> "Variants":
    """Return stages with other options, synthesized in one app."""
    from tests.stacks.variants import synthesize_variants  # noqa: PLC0415 - it is made of what stands here

    return synthesize_variants(tmp_path_factory.mktemp("variants"))


def synthesize(folder: Path) -> Synthesized:
    """Synthesize all stages in one app, into a folder."""
    app = aws.App(outdir=str(folder), context=CONTEXT)
    for stage in STAGES.values():
        assemble(app, stage)
    assembly = app.synth()
    templates: dict[str, dict[str, Template]] = {name: {} for name in PLACES}
    for stack in assembly.stacks:
        place = place_of(stack.stack_name)
        short = stack.stack_name.removeprefix(f"ebb-{place}-")
        templates[place][short] = json.loads(Path(stack.template_full_path).read_text())
    return Synthesized(templates, folder)


def place_of(stack_name: str) -> str:
    """Return the place that a stack's name tells."""
    return max((place for place in PLACES if stack_name.startswith(f"ebb-{place}-")), key=len)
