"""The code of functions and layers: archives of `make package`, named by what they are made of.

The name is a hash of the sources, so a template is known before the archives are built again, and one byte changed in a
layer publishes a new version of every function that uses it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as aws
from aws_cdk import aws_lambda
from constructs import Construct

from cdk.archives import archive, source_hash
from cdk.stage import Stage
from cdk.stage_parts import Architecture

ROOT = Path(__file__).parents[2]
_ARCHITECTURES = {"arm64": aws_lambda.Architecture.ARM_64, "x86-64": aws_lambda.Architecture.X86_64}
RUNTIME = aws_lambda.Runtime.PYTHON_3_13


@dataclass(frozen=True)
class Sources:
    """Where code is taken from.

    Attributes:
        architecture: of the native libraries in it.
        root: of the checkout.
    """

    architecture: Architecture
    root: Path = ROOT

    def code(self, name: str) -> aws_lambda.Code:
        """Return the code of a function or layer.

        What is not packed has a name of its own: sources alone run nowhere, and under the archive's name they would
        lie in the account's bucket of assets for good, since what is there is not uploaded again.
        """
        place, known = archive(self.root, name, self.architecture), source_hash(self.root, name, self.architecture)
        return aws_lambda.Code.from_asset(
            str(place),
            asset_hash=known if place.is_file() else hashlib.sha256(f"not packed {known}".encode()).hexdigest(),
            asset_hash_type=aws.AssetHashType.CUSTOM,
        )


def architecture_of(stage: Stage) -> aws_lambda.Architecture:
    """Return the stage's processor."""
    return _ARCHITECTURES[stage.serving.architecture]


def layers_of(scope: Construct, stage: Stage, sources: Sources) -> Sequence[aws_lambda.ILayerVersion]:
    """Return the layers `runtime` and `ebb`, each stack's own: one of another stack could not be replaced in use."""
    return [
        aws_lambda.LayerVersion(
            scope,
            f"{name.capitalize()}Layer",
            code=sources.code(name),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[architecture_of(stage)],
            description=what,
        )
        for name, what in (("runtime", "Ebb: what the functions import of others"), ("ebb", "Ebb: the shared package"))
    ]
