"""Monitoring: what is seen of a stage, who is told, and what is broken on purpose.

The composite alarm "rollback" is the one signal that a change has to be taken back: faults that are injected end with
it. A shift of the code is taken back by plain alarms of its own, which are members of this one: an alarm in this stack
would come after the alias that it guards.
"""

import aws_cdk as aws
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.alarm_table import alarm_table
from stacks.constructs.alarms import any_of, make_alarm, make_composite, tell
from stacks.constructs.burn import BURNS, make_burn_alarms
from stacks.constructs.dashboards import make_dashboards
from stacks.constructs.experiment_targets import Targets
from stacks.constructs.experiments import make_experiments
from stacks.constructs.measures import Watched, budget_burn, measures, nodes_of
from stacks.constructs.topics import make_topics
from stacks.feature_store import FeatureStoreStack
from stacks.inference import InferenceStack
from stacks.network import NetworkStack
from stacks.registry import RegistryStack

SIGNALS_OF_ROLLBACK = ("gateway-errors", "predict-errors", "predict-duration", "predict-degraded")
"""Alarms of the table that say by themselves that a change was bad; the quickest burn is one more."""


class MonitoringStack(aws.Stack):
    """Dashboards, alarms, topics, and experiments where the stage says so.

    Args:
        scope: the app.
        name: of the stack.
        stage: its values.
        network, feature_store, registry, inference: what is watched, and broken on purpose.

    Attributes:
        alarms: of the table, by name.
        rollback: the composite alarm that a change has to be taken back.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        network: NetworkStack,
        feature_store: FeatureStoreStack,
        registry: RegistryStack,
        inference: InferenceStack,
    ) -> None:
        super().__init__(scope, name, env={"region": stage.region}, description=f"Ebb {stage.name}: monitoring")
        watched = _watched(stage, feature_store, inference)
        topics = make_topics(self, stage)
        table, looked_at = alarm_table(stage), measures(watched)
        self.alarms = {name: make_alarm(self, stage, row, looked_at[name]) for name, row in table.items()}
        burns = make_burn_alarms(self, stage, budget_burn(watched))
        for row in table.values():
            tell(self.alarms[row.name], row.told, topics)
        for burn in BURNS:
            tell(burns[burn.name], burn.told, topics)
        signals: list[cloudwatch.IAlarm] = [*(self.alarms[name] for name in SIGNALS_OF_ROLLBACK), burns[BURNS[0].name]]
        signals += inference.release.alarms
        said = ("rollback", "a change has to be taken back", "rollback")
        self.rollback = make_composite(self, stage, said, any_of(signals))
        make_dashboards(self, watched, [self.rollback, *burns.values(), *self.alarms.values()])
        if stage.watch.experiments:
            targets = Targets(network.vpc, feature_store.database.cluster, feature_store.cache.group, inference.predict)
            make_experiments(self, stage, targets, self.rollback, registry.grant_inject_faults)


def _watched(stage: Stage, feature_store: FeatureStoreStack, inference: InferenceStack) -> Watched:
    functions = {
        "predict": inference.predict,
        "records": inference.records,
        "maintain": inference.maintain,
        "migrate": feature_store.migrate,
    }
    return Watched(
        stage,
        inference.door.dimensions,
        {name: function for name, function in functions.items() if function is not None},
        feature_store.database.cluster.cluster_identifier,
        nodes_of(stage, feature_store.cache.group),
    )
