"""The door as a REST API: what an HTTP API has, and keys whose requests are counted; see docs/adr/0024.

Routes, tokens, throttle, access log and names are those of the HTTP API. It hands requests on in payload format 1.0,
which `ebb.http.payload` reads. All media types are binary: bodies pass as they are, as base64, in both directions.

API Gateway writes the access log of a REST API with one role of the whole account and region. It is not set here: the
stack that sets it would take it from every other API of the account when it goes (docs/deployment.md says how).
"""

import json
from collections.abc import Mapping, Sequence

import aws_cdk as aws
from aws_cdk import aws_apigateway as rest
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_lambda
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.stage import SCOPES, Stage
from stacks.constructs.access import RESOURCE_SERVER, make_pool
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.door import LOGGED, OPEN
from stacks.constructs.names import Names
from stacks.constructs.quotas import make_plans
from stacks.constructs.refusals import refuse_in_problems
from stacks.constructs.retention import retention_of
from stacks.routes import ApiRoute

STAGE_NAME = "live"
LOGGED_OF_REST = {
    **LOGGED,
    "route": "$context.httpMethod $context.resourcePath",
    "integrationError": "$context.integration.error",
}
"""The same fields; a REST API has no `routeKey`, and calls its integration's error otherwise."""

_ANY_SCOPE = [f"{RESOURCE_SERVER}/{scope}" for scope in SCOPES]
"""Without a scope a Cognito authorizer takes identity tokens and refuses access tokens. Which scope a call needs is the
function's matter, with either kind of API."""


def make_rest_door(
    scope: Construct,
    stage: Stage,
    routes: Sequence[ApiRoute],
    functions: Mapping[str, aws_lambda.IFunction],
    names: Names | None = None,
) -> rest.RestApi:
    """Make the API and its one stage.

    Args:
        scope: the stack.
        stage: says how much may pass, and which clients have plans.
        routes: which function answers what.
        functions: by the routes' names.
        names: that the API answers to; None for the gateway's own.
    """
    api = rest.RestApi(
        scope,
        "RestApi",
        rest_api_name=f"ebb-{stage.name}",
        description=f"Ebb {stage.name}: predictions and records",
        endpoint_types=[rest.EndpointType.REGIONAL],
        binary_media_types=["*/*"],
        cloud_watch_role=False,
        disable_execute_api_endpoint=names is not None,
        deploy_options=_options(scope, stage),
    )
    api.node.try_remove_child("Endpoint")  # an output of CDK's own; ours is "Address" with either kind
    _add_routes(scope, stage, api, routes, functions)
    refuse_in_problems(api)
    make_plans(scope, stage, api)
    if names is not None:
        gateway.CfnApiMapping(
            scope,
            "RestMapping",
            api_id=api.rest_api_id,
            domain_name=names.routed.name,
            stage=api.deployment_stage.stage_name,
        )
    _explain(api)
    return api


def address_of(api: rest.RestApi) -> str:
    """Return the gateway's own address of an API's stage, without a slash behind it."""
    host = f"{api.rest_api_id}.execute-api.{aws.Aws.REGION}.{aws.Aws.URL_SUFFIX}"
    return f"https://{host}/{api.deployment_stage.stage_name}"


def _options(scope: Construct, stage: Stage) -> rest.StageOptions:
    log = logs.LogGroup(
        scope, "AccessLog", retention=retention_of(stage.log_days), removal_policy=aws.RemovalPolicy.DESTROY
    )
    return rest.StageOptions(
        stage_name=STAGE_NAME,
        access_log_destination=rest.LogGroupLogDestination(log),
        access_log_format=rest.AccessLogFormat.custom(json.dumps(LOGGED_OF_REST)),
        metrics_enabled=True,
        throttling_rate_limit=stage.serving.requests,
        throttling_burst_limit=stage.serving.burst,
        tracing_enabled=stage.serving.calls_reported,
    )


def _add_routes(
    scope: Construct,
    stage: Stage,
    api: rest.RestApi,
    routes: Sequence[ApiRoute],
    functions: Mapping[str, aws_lambda.IFunction],
) -> None:
    pool, _ = make_pool(scope, stage)
    authorizer = rest.CognitoUserPoolsAuthorizer(scope, "RestTokens", cognito_user_pools=[pool])
    doors = {
        name: rest.LambdaIntegration(function, proxy=True, allow_test_invoke=False)
        for name, function in functions.items()
    }
    for route in routes:
        place = api.root.resource_for_path(route.path)
        if route.authorized:
            place.add_method(
                route.method,
                doors[route.function],
                authorization_type=rest.AuthorizationType.COGNITO,
                authorizer=authorizer,
                authorization_scopes=_ANY_SCOPE,
                api_key_required=bool(stage.door.plans),
            )
        else:
            method = place.add_method(
                route.method, doors[route.function], authorization_type=rest.AuthorizationType.NONE
            )
            acknowledge(method, "APIG4", OPEN)
            acknowledge(method, "COG4", OPEN)


def _explain(api: rest.RestApi) -> None:
    acknowledge(
        api,
        "APIG2",
        "The functions check each request against the contract that is served, and a problem of theirs names the "
        "feature. Models of the gateway were considered: they know no contract, and would have to follow each release.",
    )
    acknowledge(
        api.deployment_stage,
        "APIG3",
        "A firewall is a value of the stage, before both regions. One before the API was considered: tokens, keys, "
        "throttle and plans already stand there, and it is paid for each request.",
    )
    acknowledge(
        api.deployment_stage,
        "APIG6",
        "The gateway's log of executions names paths, and with them entities; the access log tells the same of each "
        "request without. Logging errors alone was considered: they hold the path too.",
    )
