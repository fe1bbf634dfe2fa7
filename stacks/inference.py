"""Inference: the door, and behind it the functions that predict and keep records.

The prediction function's versions are warm: provisioned concurrency stands on the *version*, since an alias that has it
can neither be weighted by a configuration change nor scaled while a shift runs. The alias `live` carries weights only.
"""

import json
from collections.abc import Mapping
from dataclasses import replace

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.code import Sources, layers_of
from stacks.constructs.doors import open_door
from stacks.constructs.faults import let_faults_in
from stacks.constructs.function import FunctionShape, Inside, make_function
from stacks.constructs.names import make_names
from stacks.constructs.release import make_release
from stacks.constructs.warm import keep_warm
from stacks.feature_store import OWNER, READER, FeatureStoreStack
from stacks.network import NetworkStack
from stacks.registry import FAULTS, RegistryStack
from stacks.routes import ROUTES

_PREDICT_SECONDS, _RECORDS_SECONDS, _MAINTAIN_SECONDS = 10, 29, 300
_RECORDS_MB, _MAINTAIN_MB = 1_024, 512


class InferenceStack(aws.Stack):
    """The API, its functions, and the schedule of the maintenance.

    Args:
        scope: the app.
        name: of the stack.
        stage: its values.
        network, feature_store, registry: the stacks before this one.
        sources: where the code lies; the checkout's where nothing is said.

    Attributes:
        predict, maintain: functions.
        records: the function that writes; None in a region that follows another one, which is asked instead.
        live: the alias whose version answers.
        release: how the next version takes over.
        door: the API before them.
        names: that it answers to; None for the gateway's own.
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
        sources: Sources | None = None,
    ) -> None:
        description = f"Ebb {stage.name}: predictions and records"
        super().__init__(scope, name, env={"region": stage.region}, description=description)
        self._stage, self._sources = stage, sources or Sources(stage.serving.architecture)
        self._layers = layers_of(self, stage, self._sources)
        self._inside = Inside(network.vpc, network.shared(self, network.functions))
        self._tiers, self._registry = feature_store, registry
        self.predict = self._function(_predict(stage), READER, feature_store.seal_variables())
        feature_store.grant_seal(self.predict)
        self.records = None if stage.follows else self._records()
        self.maintain = self._function(
            FunctionShape(
                "maintain",
                _MAINTAIN_SECONDS,
                _MAINTAIN_MB,
                description="Ebb: keeps the tiers in agreement",
                reserved=1,  # a run that takes longer than its minute is not joined by the next
            )
        )
        registry.grant_read_releases(self.predict)
        if stage.watch.experiments:
            registry.grant_read_faults(self.predict)
            let_faults_in(self, stage, self.predict, registry.bucket.arn_for_objects(f"{FAULTS}/"))
        self.live = keep_warm(self, stage, self.predict)
        self.release = make_release(
            self, stage, self._sources, layers=self._layers, function=self.predict, live=self.live
        )
        self.names = make_names(self, stage)
        functions: dict[str, aws_lambda.IFunction] = {"predict": self.live}
        if self.records:
            functions["records"] = self.records
        self.door = open_door(self, stage, ROUTES, functions, self.names)
        self._schedule()
        aws.CfnOutput(self, "Address", value=self.door.address, description="Where to send requests")

    def _records(self) -> aws_lambda.Function:
        """Add the function that writes features and routing tables; what a second region is told stands in both."""
        records = self._function(
            FunctionShape("records", _RECORDS_SECONDS, _RECORDS_MB, description="Ebb: writes features, shows subjects")
        )
        self._registry.grant_read_releases(records)
        self._registry.grant_write_routing(records)
        return records

    def _function(
        self, shape: FunctionShape, user: str = OWNER, more: Mapping[str, str] | None = None
    ) -> aws_lambda.Function:
        """Add a function that works on both tiers and follows the routing; what else it may do, its caller says."""
        told = {**self._tiers.variables(user), **self._registry.variables(), "EBB_CONTRACT": self._stage.contract}
        told.update(more or {})
        given = replace(shape, environment=told)
        function = make_function(self, self._stage, self._sources, given, layers=self._layers, inside=self._inside)
        self._tiers.grant_tiers(function, user)
        self._registry.grant_read_routing(function)
        return function

    def _schedule(self) -> None:
        """Let the maintenance run each minute, without a second try: the next run finds what one left."""
        role = iam.Role(
            self,
            "ScheduleRole",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"),
            description="Starts the maintenance",
        )
        role.add_to_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[self.maintain.function_arn])
        )
        scheduler.CfnSchedule(
            self,
            "Maintenance",
            description="Ebb: repairs, expiry, agreement of the tiers",
            schedule_expression="rate(1 minute)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self.maintain.function_arn,
                role_arn=role.role_arn,
                input=json.dumps({"task": "all"}),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=0, maximum_event_age_in_seconds=60
                ),
            ),
        )


def _predict(stage: Stage) -> FunctionShape:
    """Say what the prediction function is; another count of warm environments is another version."""
    serving = stage.serving
    return FunctionShape(
        "predict",
        _PREDICT_SECONDS,
        serving.memory_mb,
        description=f"Ebb: predictions; a version begins with {serving.provisioned} warm environments",
        reserved=stage.reserved_concurrency,
        provisioned=serving.provisioned,
        reported=serving.calls_reported,
    )
