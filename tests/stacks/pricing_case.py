"""A small stage whose bill can be reckoned by hand."""

from copy import deepcopy
from typing import Any

from cdk.pricing.case import Case
from cdk.pricing.line import Line
from cdk.pricing.load import Load
from cdk.pricing.table import lines_of
from cdk.pricing.templates import Resource, Templates, templates_of

HOURS, SECONDS, GIB = 730, 730 * 3_600, 2**30
_INFERENCE: dict[str, Any] = {
    "Predict": {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Handler": "lambdas.predict.handler.handle",
            "MemorySize": 1_024,
            "Architectures": ["arm64"],
            "LoggingConfig": {"LogGroup": {"Ref": "Log"}, "SystemLogLevel": "WARN"},
            "TracingConfig": {"Mode": "PassThrough"},
        },
    },
    "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30}},
    "Version": {
        "Type": "AWS::Lambda::Version",
        "Properties": {
            "FunctionName": {"Ref": "Predict"},
            "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 5},
        },
    },
    "Warm": {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "Properties": {
            "MinCapacity": 5,
            "MaxCapacity": 40,
            "ScheduledActions": [
                {"Schedule": "cron(0 6 * * ? *)", "ScalableTargetAction": {"MinCapacity": 20, "MaxCapacity": 40}},
                {"Schedule": "cron(0 18 * * ? *)", "ScalableTargetAction": {"MinCapacity": 5, "MaxCapacity": 40}},
            ],
        },
    },
    "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "HTTP"}},
    "Route": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {}},
    "Door": {
        "Type": "AWS::ApiGatewayV2::Stage",
        "Properties": {
            "AccessLogSettings": {"DestinationArn": {"Fn::GetAtt": ["Log", "Arn"]}},
            "DefaultRouteSettings": {"DetailedMetricsEnabled": True},
        },
    },
}


def small(**more: dict[str, Any]) -> dict[str, Any]:
    """Return the templates of a stage that predicts, with more resources beside."""
    return {"inference": {"Resources": {**deepcopy(_INFERENCE), **more}}}


def case_of(load: Load | None = None, **more: dict[str, Any]) -> Case:
    """Return that stage under a load: 100 requests a second, of half the capacity, where none is given."""
    return Case(templates_of(small(**more)), load or Load(100, 0.5))


def lines(kind: str, properties: dict[str, Any], load: Load | None = None, **more: dict[str, Any]) -> list[Line]:
    """Return what one more resource of that stage costs."""
    case = case_of(load, It={"Type": kind, "Properties": properties}, **more)
    found = next(resource for resource in case.templates.resources if resource.name == "It")
    return list(lines_of(found, case))


def named(templates: Templates, name: str) -> Resource:
    """Return a resource by its logical id."""
    return next(resource for resource in templates.resources if resource.name == name)
