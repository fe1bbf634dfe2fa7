"""The door: an HTTP API with its routes, tokens, throttles, access log and, where the stage has one, its own name."""

import json
from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as aws
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_certificatemanager as certificates
from aws_cdk import aws_lambda
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from cdk.stage import Stage
from cdk.stage_parts import Domain
from stacks.constructs.access import make_authorizer
from stacks.constructs.acknowledged import acknowledge
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
    "error": "$context.error.messageString",
    "integrationError": "$context.integrationErrorMessage",
}
"""What the access log holds of each request: the route and not the path, which names an entity; no address."""

_OPEN = (
    "Health is asked by what holds no token, and the description of the API says how to get one; neither tells of an "
    "entity. A token for both was considered; it would keep newcomers and health checks out."
)


def make_door(
    scope: Construct, stage: Stage, routes: Sequence[ApiRoute], functions: Mapping[str, aws_lambda.IFunction]
) -> tuple[gateway.HttpApi, gateway.HttpStage]:
    """Make the API and its one stage.

    Args:
        scope: the stack.
        stage: says how much may pass, who may call, and the name.
        routes: which function answers what.
        functions: by the routes' names.
    """
    authorizer = make_authorizer(scope, stage)
    api = gateway.HttpApi(
        scope,
        "Api",
        api_name=f"ebb-{stage.name}",
        create_default_stage=False,
        disable_execute_api_endpoint=stage.domain is not None,
    )
    doors = {name: integrations.HttpLambdaIntegration(name, function) for name, function in functions.items()}
    for route in routes:
        made = api.add_routes(
            path=route.path,
            methods=[gateway.HttpMethod[route.method]],
            integration=doors[route.function],
            authorizer=authorizer if route.authorized else gateway.HttpNoneAuthorizer(),
        )
        if not route.authorized:
            acknowledge(made[0], "APIG4", _OPEN)
    return api, _open(scope, stage, api)


def _open(scope: Construct, stage: Stage, api: gateway.HttpApi) -> gateway.HttpStage:
    log = logs.LogGroup(
        scope, "AccessLog", retention=retention_of(stage.log_days), removal_policy=aws.RemovalPolicy.DESTROY
    )
    name = None if stage.domain is None else _named(scope, stage.domain)
    door = gateway.HttpStage(
        scope,
        "Door",
        http_api=api,
        stage_name="$default",
        auto_deploy=True,
        throttle=gateway.ThrottleSettings(rate_limit=stage.serving.requests, burst_limit=stage.serving.burst),
        detailed_metrics_enabled=True,
        domain_mapping=None if name is None else gateway.DomainMappingOptions(domain_name=name),
    )
    inner = cast("gateway.CfnStage", door.node.default_child)
    inner.access_log_settings = gateway.CfnStage.AccessLogSettingsProperty(
        destination_arn=log.log_group_arn, format=json.dumps(LOGGED)
    )
    return door


def _named(scope: Construct, domain: Domain) -> gateway.DomainName:
    zone = route53.HostedZone.from_hosted_zone_attributes(
        scope, "Zone", hosted_zone_id=domain.zone_id, zone_name=domain.zone
    )
    certificate = certificates.Certificate(
        scope,
        "Certificate",
        domain_name=domain.name,
        validation=certificates.CertificateValidation.from_dns(zone),
    )
    name = gateway.DomainName(
        scope, "Name", domain_name=domain.name, certificate=certificate, security_policy=gateway.SecurityPolicy.TLS_1_2
    )
    route53.ARecord(
        scope,
        "Address4",
        zone=zone,
        record_name=f"{domain.name}.",
        target=route53.RecordTarget.from_alias(
            targets.ApiGatewayv2DomainProperties(name.regional_domain_name, name.regional_hosted_zone_id)
        ),
    )
    return name
