"""The stacks of one stage, in data-flow order, each given what it needs of those before it."""

from dataclasses import dataclass

import aws_cdk as aws

from cdk.guardrails import guard
from cdk.stage import Stage
from stacks.constructs.code import Sources
from stacks.feature_store import FeatureStoreStack
from stacks.inference import InferenceStack
from stacks.monitoring import MonitoringStack
from stacks.network import NetworkStack
from stacks.registry import RegistryStack


@dataclass(frozen=True)
class Stacks:
    """The stacks of a stage."""

    network: NetworkStack
    feature_store: FeatureStoreStack
    registry: RegistryStack
    inference: InferenceStack
    monitoring: MonitoringStack


def assemble(app: aws.App, stage: Stage, sources: Sources | None = None) -> Stacks:
    """Add a stage's stacks to an app, with its guardrails.

    Args:
        app: what is synthesized.
        stage: its values.
        sources: where the functions' code lies; the checkout's where nothing is said.
    """
    network = NetworkStack(app, f"ebb-{stage.name}-network", stage=stage)
    feature_store = FeatureStoreStack(
        app, f"ebb-{stage.name}-feature-store", stage=stage, network=network, sources=sources
    )
    registry = RegistryStack(app, f"ebb-{stage.name}-registry", stage=stage)
    inference = InferenceStack(
        app,
        f"ebb-{stage.name}-inference",
        stage=stage,
        network=network,
        feature_store=feature_store,
        registry=registry,
        sources=sources,
    )
    monitoring = MonitoringStack(
        app,
        f"ebb-{stage.name}-monitoring",
        stage=stage,
        network=network,
        feature_store=feature_store,
        registry=registry,
        inference=inference,
    )
    stacks = Stacks(network, feature_store, registry, inference, monitoring)
    guard(app, stage, [network, feature_store, registry, inference, monitoring])
    return stacks
