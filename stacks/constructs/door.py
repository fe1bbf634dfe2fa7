"""The door: an HTTP API with its routes, tokens, throttles, access log and, where the stage has one, its own name."""

import json
from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as aws
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.regions import regional_name
from cdk.stage import Stage
from stacks.constructs.access import make_authorizer
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.names import Names
from stacks.constructs.retention import retention_of
from stacks.routes import ApiRoute

LOGGED = {
    "requestId": "$context.requestId",
    "time": "$context.requestTimeEpoch",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latency": "$context.responseLatency",
    "integrationLatency": "$context.integrationLatency",
    "bytes": "$context.responseLength",
    "client": "$context.authorizer.claims.client_id",
    "error": "$context.error.message",
    "integrationError": "$context.integrationErrorMessage",
}
"""What the access log holds of each request: the route and not the path, which names an entity; no address."""

OPEN = (
    "Health is asked by what holds no token, and the description of the API says how to get one; neither tells of an "
    "entity. A token for both was considered; it would keep newcomers and health checks out."
)
"""Why some routes need no token."""


def make_door(
    scope: Construct,
    stage: Stage,
    routes: Sequence[ApiRoute],
    functions: Mapping[str, aws_lambda.IFunction],
    names: Names | None = None,
) -> tuple[gateway.HttpApi, gateway.HttpStage]:
    """Make the API and its one stage.

    Args:
        scope: the stack.
        stage: says how much may pass, and who may call.
        routes: which function answers what.
        functions: by the routes' names. What stands in the region that this one follows is asked there.
        names: that the API answers to; None for the gateway's own.
    """
    authorizer = make_authorizer(scope, stage)
    api = gateway.HttpApi(
        scope,
        "Api",
        api_name=f"ebb-{stage.name}",
        create_default_stage=False,
        disable_execute_api_endpoint=names is not None,
    )
    doors = {name: integrations.HttpLambdaIntegration(name, function) for name, function in functions.items()}
    for route in routes:
        made = api.add_routes(
            path=route.path,
            methods=[gateway.HttpMethod[route.method]],
            integration=doors[route.function] if route.function in doors else _elsewhere(stage, route),
            authorizer=authorizer if route.authorized else gateway.HttpNoneAuthorizer(),
        )
        if not route.authorized:
            acknowledge(made[0], "APIG4", OPEN)
    return api, _open(scope, stage, api, names)


def _elsewhere(stage: Stage, route: ApiRoute) -> integrations.HttpUrlIntegration:
    """Hand a request on, token and body, to the region that writes; it answers as if it had been asked itself."""
    if stage.domain is None or not stage.follows:
        raise ValueError(
            f"{route.method} {route.path}: no function {route.function} stands here, and no region is followed"
        )
    name = regional_name(stage.domain, stage.follows)
    return integrations.HttpUrlIntegration(
        f"{route.method}{route.path}", f"https://{name}{route.path}", method=gateway.HttpMethod[route.method]
    )


def _open(scope: Construct, stage: Stage, api: gateway.HttpApi, names: Names | None) -> gateway.HttpStage:
    log = logs.LogGroup(
        scope, "AccessLog", retention=retention_of(stage.log_days), removal_policy=aws.RemovalPolicy.DESTROY
    )
    door = gateway.HttpStage(
        scope,
        "Door",
        http_api=api,
        stage_name="$default",
        auto_deploy=True,
        throttle=gateway.ThrottleSettings(rate_limit=stage.serving.requests, burst_limit=stage.serving.burst),
        detailed_metrics_enabled=True,
        domain_mapping=None if names is None else gateway.DomainMappingOptions(domain_name=names.routed),
    )
    if names is not None and names.regional is not None:
        gateway.ApiMapping(scope, "RegionalMapping", api=api, domain_name=names.regional, stage=door)
    inner = cast("gateway.CfnStage", door.node.default_child)
    inner.access_log_settings = gateway.CfnStage.AccessLogSettingsProperty(
        destination_arn=log.log_group_arn, format=json.dumps(LOGGED)
    )
    return door
