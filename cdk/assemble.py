"""The stacks of one stage, in data-flow order, each given what it needs of those before it, in each of its regions."""

from dataclasses import dataclass

import aws_cdk as aws

from cdk.guardrails import guard
from cdk.regions import regions_of
from cdk.stage import Stage
from stacks.constructs.code import ROOT, Sources
from stacks.edge import EdgeStack
from stacks.feature_store import FeatureStoreStack
from stacks.firewall import FirewallStack
from stacks.inference import InferenceStack
from stacks.monitoring import MonitoringStack
from stacks.network import NetworkStack
from stacks.registry import RegistryStack
from stacks.seal import SealStack
from stacks.training import TrainingStack


@dataclass(frozen=True)
class Stacks:
    """The stacks of a stage in one region.

    Attributes:
        network, feature_store, registry, inference, monitoring: what each region has.
        seal, edge: what it has beside where there are two.
        training: where releases are made; with the first region.
        firewall: before both, where the stage asks for it; with the first region.
        second: those of the second region; with the first one.
    """

    network: NetworkStack
    feature_store: FeatureStoreStack
    registry: RegistryStack
    inference: InferenceStack
    monitoring: MonitoringStack
    training: TrainingStack | None = None
    seal: SealStack | None = None
    edge: EdgeStack | None = None
    firewall: FirewallStack | None = None
    second: "Stacks | None" = None

    def all(self) -> list[aws.Stack]:
        """Return the stacks of this region, and those of the second one after them."""
        own = (
            self.seal,
            self.network,
            self.feature_store,
            self.training,
            self.registry,
            self.inference,
            self.monitoring,
            self.edge,
            self.firewall,
        )
        return [*(stack for stack in own if stack is not None), *(self.second.all() if self.second else ())]


def assemble(app: aws.App, stage: Stage, sources: Sources | None = None) -> Stacks:
    """Add a stage's stacks to an app, with its guardrails.

    Args:
        app: what is synthesized.
        stage: its values.
        sources: where the functions' code lies; the checkout's where nothing is said.
    """
    here, *there = regions_of(stage)
    second = _in_region(app, there[0], sources) if there else None
    stacks = _in_region(app, here, sources, second)
    if second is not None:
        _order(here, stacks, second)
    guard(app, stage, stacks.all())
    return stacks


def _in_region(app: aws.App, stage: Stage, sources: Sources | None, second: Stacks | None = None) -> Stacks:
    """Add the stacks of one region, named by its place."""
    named = f"ebb-{stage.place}".__add__
    first = f"ebb-{stage.name}-seal" if stage.beside else ""
    seal = SealStack(app, named("-seal"), stage=stage, first=first) if stage.edge else None
    network = NetworkStack(app, named("-network"), stage=stage)
    feature_store = FeatureStoreStack(
        app, named("-feature-store"), stage=stage, network=network, sources=sources, seal=seal
    )
    root = sources.root if sources else ROOT
    training = None if stage.beside else TrainingStack(app, named("-training"), stage=stage, root=root)
    registry = RegistryStack(app, named("-registry"), stage=stage)
    inference = InferenceStack(
        app,
        named("-inference"),
        stage=stage,
        network=network,
        feature_store=feature_store,
        registry=registry,
        sources=sources,
    )
    monitoring = MonitoringStack(
        app,
        named("-monitoring"),
        stage=stage,
        network=network,
        feature_store=feature_store,
        registry=registry,
        inference=inference,
    )
    edge = EdgeStack(app, named("-edge"), stage=stage, inference=inference) if stage.edge else None
    domain = stage.domain if stage.edge and stage.edge.firewall and not stage.beside else None
    firewall = FirewallStack(app, named("-firewall"), stage=stage, domain=domain) if domain else None
    return Stacks(network, feature_store, registry, inference, monitoring, training, seal, edge, firewall, second)


def _order(stage: Stage, first: Stacks, second: Stacks) -> None:
    """Say which stack of one region must stand before which of the other one.

    Between two stacks of the same part the first region comes first: what it exports by `Fn::GetStackOutput` must be
    there. Only two lead back: the secret's replica needs the key's, and replication its target.
    """
    follower, leader = (first, second) if stage.follows else (second, first)
    pairs: list[tuple[aws.Stack | None, aws.Stack | None, str]] = [
        (second.seal, first.seal, "its key is a replica"),
        (first.feature_store, second.seal, "the secret is replicated under it"),
        (second.feature_store, first.feature_store, "its cluster joins the global database"),
        (leader.registry, follower.registry, "releases are replicated to it"),
        (second.inference, first.inference, "it trusts the same issuer"),
        (first.firewall, second.edge, "it stands before both regions"),
    ]
    for later, earlier, why in pairs:
        if later is not None and earlier is not None:
            later.add_stack_dependency(earlier, why)
