"""The stacks of one stage, in data-flow order, each given what it needs of those before it."""

from dataclasses import dataclass

import aws_cdk as aws

from cdk.guardrails import guard
from cdk.stage import Stage
from stacks.network import NetworkStack


@dataclass(frozen=True)
class Stacks:
    """The stacks of a stage."""

    network: NetworkStack


def assemble(app: aws.App, stage: Stage) -> Stacks:
    """Add a stage's stacks to an app, with its guardrails."""
    network = NetworkStack(app, f"ebb-{stage.name}-network", stage=stage)
    stacks = Stacks(network)
    guard(app, stage, [network])
    return stacks
