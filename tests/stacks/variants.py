"""Stages that nobody deploys by default: dev with the options that a stage's values may ask for.

rest   behind a REST API with usage plans, under the gateway's own name
x86    on x86-64, behind a REST API without plans, under a name of one's own
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import aws_cdk as aws

from cdk.assemble import assemble
from cdk.stage_parts import Domain, Door, UsagePlan
from cdk.stages import STAGES
from tests.stacks.conftest import CONTEXT, Template

DEV = STAGES["dev"]
PLANS = (UsagePlan("scoring", 20, 40, 1_000_000), UsagePlan("loading", 5, 10, 100_000))
DOMAIN = Domain("scores.example.com", "Z0EXAMPLE0ZONE0ID", "example.com")
VARIANTS = {
    "rest": replace(DEV, name="rest", door=Door("rest", PLANS)),
    "x86": replace(
        DEV, name="x86", serving=replace(DEV.serving, architecture="x86-64"), door=Door("rest"), domain=DOMAIN
    ),
}
"""By name, as their stacks are called."""


@dataclass(frozen=True)
class Variants:
    """Templates by variant and by the stack's short name, and the folder they lie in."""

    templates: dict[str, dict[str, Template]]
    folder: Path

    def resources(self, variant: str, kind: str, stack: str = "inference") -> dict[str, Template]:
        """Return a stack's resources of one type, by logical id."""
        found = self.templates[variant][stack]["Resources"]
        return {name: resource for name, resource in found.items() if resource["Type"] == kind}


def synthesize_variants(folder: Path) -> Variants:
    """Synthesize all variants in one app, into a folder; a finding of cdk-nag that nobody explained stops it."""
    app = aws.App(outdir=str(folder), context=CONTEXT)
    for stage in VARIANTS.values():
        assemble(app, stage)
    templates: dict[str, dict[str, Template]] = {name: {} for name in VARIANTS}
    for stack in app.synth().stacks:
        _, name, short = stack.stack_name.split("-", 2)
        templates[name][short] = json.loads(Path(stack.template_full_path).read_text())
    return Variants(templates, folder)
