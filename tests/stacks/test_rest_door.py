"""A REST API as a stage's door: what an HTTP API has, and keys whose requests are counted."""

import json
from typing import Any

import pytest

from cdk.stage import SCOPES
from ebb.http.examples import TITLES
from ebb.http.problems import TABLE
from stacks.constructs.door import LOGGED
from stacks.constructs.refusals import REFUSALS
from stacks.constructs.rest_door import LOGGED_OF_REST
from stacks.routes import ROUTES
from tests.stacks.conftest import Template
from tests.stacks.variants import DEV, DOMAIN, PLANS, VARIANTS, Variants

OPEN = {"GET /v1/health", "GET /openapi.json", "GET /docs", "GET /docs/{asset}"}
each = pytest.mark.parametrize("variant", VARIANTS)


def only(found: dict[str, Template]) -> Any:
    """Return the properties of the one resource."""
    (resource,) = found.values()
    return resource["Properties"]


def methods(variants: Variants, variant: str) -> dict[str, Any]:
    """Return the methods' properties by the keys of their routes."""
    resources = {
        name: one["Properties"] for name, one in variants.resources(variant, "AWS::ApiGateway::Resource").items()
    }

    def path(place: Any) -> str:
        if place.get("Ref") not in resources:
            return ""
        given = resources[place["Ref"]]
        return f"{path(given['ParentId'])}/{given['PathPart']}"

    found = (one["Properties"] for one in variants.resources(variant, "AWS::ApiGateway::Method").values())
    return {f"{given['HttpMethod']} {path(given['ResourceId'])}": given for given in found}


@each
def test_each_route_leads_to_its_function_and_asks_for_a_token(variants: Variants, variant: str) -> None:
    found = methods(variants, variant)
    assert set(found) == {f"{route.method} {route.path}" for route in ROUTES}
    aliases = variants.resources(variant, "AWS::Lambda::Alias")
    for route in ROUTES:
        given = found[f"{route.method} {route.path}"]
        assert given["Integration"]["Type"] == "AWS_PROXY"
        through_alias = any(alias in json.dumps(given["Integration"]["Uri"]) for alias in aliases)
        assert through_alias is (route.function == "predict"), "predictions pass through the alias"
        assert (given["AuthorizationType"] == "NONE") is not route.authorized
        if route.authorized:
            # Without scopes it would take identity tokens and refuse those of client credentials.
            assert given["AuthorizationType"] == "COGNITO_USER_POOLS"
            assert sorted(given["AuthorizationScopes"]) == sorted(f"ebb/{scope}" for scope in SCOPES)
    assert {key for key, given in found.items() if given["AuthorizationType"] == "NONE"} == OPEN


@each
def test_tokens_are_those_of_the_stage_s_own_pool(variants: Variants, variant: str) -> None:
    (pool,) = variants.resources(variant, "AWS::Cognito::UserPool")
    authorizer = only(variants.resources(variant, "AWS::ApiGateway::Authorizer"))
    assert authorizer["Type"] == "COGNITO_USER_POOLS"
    assert authorizer["ProviderARNs"] == [{"Fn::GetAtt": [pool, "Arn"]}]
    assert len(variants.resources(variant, "AWS::Cognito::UserPoolClient")) == len(DEV.access.clients)


@each
def test_the_stage_limits_measures_and_logs_as_an_http_api_does(variants: Variants, variant: str) -> None:
    stage = only(variants.resources(variant, "AWS::ApiGateway::Stage"))
    (setting,) = stage["MethodSettings"]
    assert setting["ThrottlingRateLimit"] == DEV.serving.requests
    assert setting["ThrottlingBurstLimit"] == DEV.serving.burst
    assert (setting["MetricsEnabled"], setting["DataTraceEnabled"]) == (True, False)
    assert setting.get("LoggingLevel", "OFF") == "OFF", "a log of executions names paths, and with them entities"
    assert stage["TracingEnabled"] is DEV.serving.calls_reported
    told = stage["AccessLogSetting"]["Format"]
    assert json.loads(told) == LOGGED_OF_REST
    assert list(LOGGED_OF_REST) == list(LOGGED)
    assert not any(word in told for word in ("sourceIp", "$context.path", "userAgent", "claims.sub", "apiKey"))


@each
def test_the_setting_of_the_whole_account_is_left_alone(variants: Variants, variant: str) -> None:
    kinds = {one["Type"] for stack in variants.templates[variant].values() for one in stack["Resources"].values()}
    assert "AWS::ApiGateway::Account" not in kinds


@each
def test_bodies_pass_as_they_are(variants: Variants, variant: str) -> None:
    api = only(variants.resources(variant, "AWS::ApiGateway::RestApi"))
    assert api["BinaryMediaTypes"] == ["*/*"]
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert "MinimumCompressionSize" not in api, "what is compressed, the function compresses, for either kind of API"
    assert api.get("DisableExecuteApiEndpoint", False) is (VARIANTS[variant].domain is not None)


def test_each_client_has_a_key_and_what_its_plan_says(variants: Variants) -> None:
    keys = variants.resources("rest", "AWS::ApiGateway::ApiKey")
    plans = variants.resources("rest", "AWS::ApiGateway::UsagePlan")
    bound = variants.resources("rest", "AWS::ApiGateway::UsagePlanKey").values()
    named = {one["Properties"]["Name"].removeprefix("ebb-rest-"): logical for logical, one in keys.items()}
    assert set(named) == {client.name for client in DEV.access.clients}
    assert not any("Value" in one["Properties"] for one in keys.values()), "no key stands in a template"
    assert {(one["Properties"]["KeyId"]["Ref"], one["Properties"]["UsagePlanId"]["Ref"]) for one in bound} == {
        (key, plan)
        for client, key in named.items()
        for plan, one in plans.items()
        if one["Properties"]["UsagePlanName"] == f"ebb-rest-{client}"
    }
    by_client = {
        one["Properties"]["UsagePlanName"].removeprefix("ebb-rest-"): one["Properties"] for one in plans.values()
    }
    for plan in PLANS:
        given = by_client[plan.client]
        assert given["Throttle"] == {"BurstLimit": plan.burst, "RateLimit": plan.rate}
        assert given["Quota"] == {"Limit": plan.monthly, "Period": "MONTH"}
    for client in set(named) - {plan.client for plan in PLANS}:
        assert not {"Throttle", "Quota"} & set(by_client[client])
    (stage,) = variants.resources("rest", "AWS::ApiGateway::Stage")
    assert all(given["ApiStages"][0]["Stage"] == {"Ref": stage} for given in by_client.values())


def test_a_key_is_asked_for_where_there_are_plans_and_a_token_is_needed(variants: Variants) -> None:
    for variant, wanted in (("rest", set(methods(variants, "rest")) - OPEN), ("x86", set())):
        asked = {key for key, given in methods(variants, variant).items() if given.get("ApiKeyRequired")}
        assert asked == wanted
    assert not variants.resources("x86", "AWS::ApiGateway::ApiKey")


@each
def test_what_the_gateway_refuses_is_a_problem_too(variants: Variants, variant: str) -> None:
    responses = [one["Properties"] for one in variants.resources(variant, "AWS::ApiGateway::GatewayResponse").values()]
    assert {given["ResponseType"] for given in responses} == {refusal.kind for refusal in REFUSALS}
    for given in responses:
        document = json.loads(given["ResponseTemplates"]["application/json"])
        assert document["correlation_id"] == "$context.requestId"
        assert document["type"].startswith("urn:ebb:problem:")
        assert {"title", "detail"} <= set(document)
        assert str(document.get("status", "")) == given.get("StatusCode", "")
        assert given["ResponseParameters"]["gatewayresponse.header.content-type"] == "'application/problem+json'"
        waits = "gatewayresponse.header.retry-after" in given["ResponseParameters"]
        assert waits is (given["ResponseType"] in {"THROTTLED", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT"})


def test_a_refusal_of_the_gateway_says_what_the_same_one_of_a_function_says() -> None:
    statuses = {name: status for _, status, name, _ in TABLE} | {"unexpected": 500}
    shared = [refusal for refusal in REFUSALS if refusal.name in TITLES]
    assert {refusal.name for refusal in shared} >= {"rate-limited", "not-allowed", "unknown-route", "too-large"}
    for refusal in shared:
        assert refusal.title == TITLES[refusal.name]
        assert refusal.status in {0, statuses[refusal.name]}


def test_the_address_is_told_alike(variants: Variants) -> None:
    told = {variant: variants.templates[variant]["inference"]["Outputs"]["Address"]["Value"] for variant in VARIANTS}
    assert told["x86"] == f"https://{DOMAIN.name}"
    parts = told["rest"]["Fn::Join"][1]
    assert parts[0] == "https://"
    assert (parts[-1] == "/") is False
    assert "execute-api" in json.dumps(parts)
    mapping = only(variants.resources("x86", "AWS::ApiGatewayV2::ApiMapping"))
    (api,), (stage,) = (variants.resources("x86", f"AWS::ApiGateway::{kind}") for kind in ("RestApi", "Stage"))
    assert (mapping["ApiId"], mapping["Stage"]) == ({"Ref": api}, {"Ref": stage})
    name = only(variants.resources("x86", "AWS::ApiGatewayV2::DomainName"))
    assert name["DomainNameConfigurations"][0]["SecurityPolicy"] == "TLS_1_2"
