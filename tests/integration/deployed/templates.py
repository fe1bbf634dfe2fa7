"""The stage dev as it is deployed here: its templates, and the archives that they name."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aws_cdk as aws

from cdk.archives import ARM64
from cdk.assemble import assemble
from cdk.stage import Stage
from cdk.stage_parts import Architecture
from cdk.stages import STAGES
from stacks.constructs.code import Sources
from tests.home import ROOT
from tests.integration.deployed.reduction import Template
from tests.integration.package_case import HERE

STAGE, CONTRACT = "dev", "tiny"
_ARCHITECTURE: Architecture = "arm64" if HERE == ARM64 else "x86-64"


@dataclass(frozen=True)
class Assembly:
    """What CDK made.

    Attributes:
        templates: by the stack's short name, in the order in which they are deployed.
        assets: the files that the templates name: bucket and key (with `${AWS::AccountId}`), and where it lies.
    """

    templates: Mapping[str, Template]
    assets: Sequence[tuple[str, str, Path]]


def stage_here() -> Stage:
    """Return dev, for this machine's processor and for the contract that the tests have releases of."""
    stage = STAGES[STAGE]
    return replace(stage, contract=CONTRACT, serving=replace(stage.serving, architecture=_ARCHITECTURE))


def synthesize_here(folder: Path, root: Path = ROOT) -> Assembly:
    """Synthesize it.

    Args:
        folder: for what comes out.
        root: the checkout whose archives are named.
    """
    context = json.loads((root / "cdk.json").read_text())["context"]
    app = aws.App(outdir=str(folder), context=context)
    stage = stage_here()
    assemble(app, stage, Sources(stage.serving.architecture, root))
    stacks = app.synth().stacks
    templates = {
        stack.stack_name.removeprefix(f"ebb-{STAGE}-"): json.loads(Path(stack.template_full_path).read_text())
        for stack in stacks
    }
    return Assembly(templates, [asset for path in folder.glob("*.assets.json") for asset in _assets(path)])


def _assets(path: Path) -> list[tuple[str, str, Path]]:
    told: dict[str, Any] = json.loads(path.read_text())
    return [
        (place["bucketName"], place["objectKey"], (path.parent / file["source"]["path"]).resolve())
        for file in told["files"].values()
        for place in file["destinations"].values()
        if not file["source"]["path"].endswith(".template.json")
    ]
