"""What is broken on purpose: experiments of AWS FIS, each stopped by the alarm that takes a change back.

Only stages that say so have them. Failing over Valkey needs an automation of Systems Manager: FIS itself only takes a
zone's power away, and nobody knows in which zone the primary stands.
"""

from collections.abc import Callable, Mapping, Sequence

import aws_cdk as aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_fis as fis
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.automation import Automation, make_failover
from stacks.constructs.experiment_role import make_role
from stacks.constructs.experiment_targets import Targets

_LASTS = "PT10M"
_ZONE_LASTS = "PT5M"
_SHARE_OF_ERRORS, _SHARE_OF_DELAYS, _DELAY_MS = "1", "4", "300"
"""Percent of invocations. Errors burn the budget twenty times too fast, so the alarm has to end that experiment; delays
stay below the 95th percentile, so that no alarm may."""

Action = fis.CfnExperimentTemplate.ExperimentTemplateActionProperty
Target = fis.CfnExperimentTemplate.ExperimentTemplateTargetProperty


def make_experiments(
    scope: Construct,
    stage: Stage,
    targets: Targets,
    stop: cloudwatch.IAlarm,
    grant_faults: Callable[[iam.IGrantable], None],
) -> None:
    """Add the experiments; nothing starts them but a person.

    Args:
        scope: the stack.
        stage: in their names.
        targets: what is broken.
        stop: the alarm that ends them.
        grant_faults: lets their role write what the function's extension reads.
    """
    zone = f"{stage.region}a"
    failover = make_failover(scope, stage, targets.group, targets.group_arn)
    role = make_role(scope, targets, zone, failover)
    grant_faults(role)
    for name, description, actions, aims in (
        _valkey(failover),
        _aurora(targets),
        _zone(targets, zone),
        _errors(targets),
        _delays(targets),
    ):
        template = fis.CfnExperimentTemplate(
            scope,
            name,
            description=f"Ebb {stage.name}: {description}",
            role_arn=role.role_arn,
            actions=dict(actions),
            targets=dict(aims),
            stop_conditions=[
                fis.CfnExperimentTemplate.ExperimentTemplateStopConditionProperty(
                    source="aws:cloudwatch:alarm", value=stop.alarm_arn
                )
            ],
            experiment_options=fis.CfnExperimentTemplate.ExperimentTemplateExperimentOptionsProperty(
                account_targeting="single-account", empty_target_resolution_mode="fail"
            ),
            tags={"Name": f"ebb-{stage.name}-{name.lower()}"},
        )
        template.node.add_dependency(role)


Experiment = tuple[str, str, Mapping[str, Action], Mapping[str, Target]]


def _valkey(failover: Automation) -> Experiment:
    fail = Action(
        action_id="aws:ssm:start-automation-execution",
        parameters={
            "documentArn": failover.document_arn,
            "documentParameters": aws.Fn.sub('{"AutomationAssumeRole":"${Role}"}', {"Role": failover.role.role_arn}),
            "maxDuration": _LASTS,
        },
    )
    return "ValkeyFailover", "a replica of Valkey takes over; reads go on from the other tiers", {"fail": fail}, {}


def _aurora(targets: Targets) -> Experiment:
    fail = Action(action_id="aws:rds:failover-db-cluster", targets={"Clusters": "cluster"})
    aim = Target(resource_type="aws:rds:cluster", selection_mode="ALL", resource_arns=[targets.cluster.cluster_arn])
    return (
        "AuroraFailover",
        "the reader takes over; predictions do not notice, writes wait",
        {"fail": fail},
        {"cluster": aim},
    )


def _zone(targets: Targets, zone: str) -> Experiment:
    cut = Action(
        action_id="aws:network:disrupt-connectivity",
        parameters={"duration": _ZONE_LASTS, "scope": "all"},
        targets={"Subnets": "subnets"},
    )
    power = Action(
        action_id="aws:elasticache:replicationgroup-interrupt-az-power",
        parameters={"duration": _ZONE_LASTS},
        targets={"ReplicationGroups": "cache"},
    )
    aims = {
        "subnets": Target(
            resource_type="aws:ec2:subnet", selection_mode="ALL", resource_arns=targets.subnet_arns(zone)
        ),
        "cache": Target(
            resource_type="aws:elasticache:replicationgroup",
            selection_mode="ALL",
            resource_arns=[targets.group_arn],
            parameters={"availabilityZoneIdentifier": zone},
        ),
    }
    return "ZoneLoss", f"the zone {zone} is cut off; the others go on", {"cut": cut, "power": power}, aims


def _errors(targets: Targets) -> Experiment:
    fail = Action(
        action_id="aws:lambda:invocation-error",
        parameters={"duration": _LASTS, "invocationPercentage": _SHARE_OF_ERRORS, "preventExecution": "true"},
        targets={"Functions": "predict"},
    )
    return (
        "InjectErrors",
        "one prediction in a hundred fails; the rollback alarm ends it",
        {"fail": fail},
        _function(targets),
    )


def _delays(targets: Targets) -> Experiment:
    wait = Action(
        action_id="aws:lambda:invocation-add-delay",
        parameters={
            "duration": _LASTS,
            "invocationPercentage": _SHARE_OF_DELAYS,
            "startupDelayMilliseconds": _DELAY_MS,
        },
        targets={"Functions": "predict"},
    )
    return (
        "InjectDelays",
        "one prediction in 25 comes late; clients hedge, no alarm rings",
        {"wait": wait},
        _function(targets),
    )


def _function(targets: Targets) -> Mapping[str, Target]:
    arns: Sequence[str] = [targets.predict.function_arn]
    return {"predict": Target(resource_type="aws:lambda:function", selection_mode="ALL", resource_arns=list(arns))}
