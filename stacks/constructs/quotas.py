"""What each client may ask of a REST API, counted by the gateway with the client's key.

A key says whose plan a request counts in, and nothing else: who calls is what the token says. No key stands in a
template; API Gateway makes them, and `aws apigateway get-api-key --include-value` shows one to who may see it.
"""

import aws_cdk as aws
from aws_cdk import aws_apigateway as rest
from constructs import Construct

from cdk.stage import Stage
from cdk.stage_parts import UsagePlan
from stacks.constructs.alarms import titled


def make_plans(scope: Construct, stage: Stage, api: rest.RestApi) -> None:
    """Add a key and a plan for each client; none where the stage has no plans.

    Where there are plans, every call needs a key: a client without limits of its own gets one in a plan without.

    Args:
        scope: the stack.
        stage: its clients and their plans.
        api: whose requests are counted.
    """
    planned = {plan.client: plan for plan in stage.door.plans}
    for client in stage.access.clients if planned else ():
        title, plan = titled(client.name), planned.get(client.name)
        key = rest.ApiKey(
            scope, f"{title}Key", api_key_name=f"ebb-{stage.name}-{client.name}", description=f"Counts {client.name}"
        )
        made = rest.UsagePlan(
            scope,
            f"{title}Plan",
            name=f"ebb-{stage.name}-{client.name}",
            description=_told(client.name, plan),
            throttle=rest.ThrottleSettings(rate_limit=plan.rate, burst_limit=plan.burst) if plan else None,
            quota=rest.QuotaSettings(limit=plan.monthly, period=rest.Period.MONTH) if plan else None,
            api_stages=[rest.UsagePlanPerApiStage(api=api, stage=api.deployment_stage)],
        )
        made.add_api_key(key)
        aws.CfnOutput(scope, f"{title}KeyId", value=key.key_id, description=f"Id of the API key of {client.name}")


def _told(client: str, plan: UsagePlan | None) -> str:
    if plan is None:
        return f"Ebb: what {client} asks is counted, not limited"
    return f"Ebb: {client} may ask {plan.rate:,} times a second and {plan.monthly:,} times a month"
