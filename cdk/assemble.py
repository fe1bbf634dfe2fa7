"""The stacks of one stage, in data-flow order, each given what it needs of those before it."""

from dataclasses import dataclass

import aws_cdk as aws

from cdk.guardrails import guard
from cdk.stage import Stage
from stacks.feature_store import FeatureStoreStack
from stacks.network import NetworkStack
from stacks.registry import RegistryStack


@dataclass(frozen=True)
class Stacks:
    """The stacks of a stage."""

    network: NetworkStack
    feature_store: FeatureStoreStack
    registry: RegistryStack


def assemble(app: aws.App, stage: Stage) -> Stacks:
    """Add a stage's stacks to an app, with its guardrails."""
    network = NetworkStack(app, f"ebb-{stage.name}-network", stage=stage)
    feature_store = FeatureStoreStack(app, f"ebb-{stage.name}-feature-store", stage=stage, network=network)
    registry = RegistryStack(app, f"ebb-{stage.name}-registry", stage=stage)
    stacks = Stacks(network, feature_store, registry)
    guard(app, stage, [network, feature_store, registry])
    return stacks
