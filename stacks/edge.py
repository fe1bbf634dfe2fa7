"""The edge of one of two regions: its own name, whether it is well, and its part of the name that callers use.

Route 53 answers each caller with the nearer region that is well. Each region asks for its own health under its own
name, past whatever stands before both, and puts its own answer beside the other one's: neither region's stack needs the
other's.
"""

import aws_cdk as aws
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_route53 as route53
from constructs import Construct

from cdk.regions import regional_name, routed_name
from cdk.stage import Stage
from stacks.inference import InferenceStack

HEALTH = "/v1/health"
_EVERY_SECONDS, _FAILURES = 10, 3
"""A region that fails is left after half a minute, and the time that answers of Route 53 are kept: one more."""


class EdgeStack(aws.Stack):
    """The records of one region.

    Args:
        scope: the app.
        name: of the stack.
        stage: its values in this region; it has a domain and another region.
        inference: whose API the names mean.

    Attributes:
        health: what Route 53 asks of this region.
    """

    def __init__(self, scope: Construct, name: str, *, stage: Stage, inference: InferenceStack) -> None:
        super().__init__(scope, name, env={"region": stage.region}, description=f"Ebb {stage.name}: the edge")
        names, domain = inference.names, stage.domain
        if names is None or names.regional is None or domain is None:
            raise ValueError(f"the stage {stage.name!r} has no name in {stage.region}: a region is found by its name")
        own = regional_name(domain, stage.region)
        self._record("Regional", own, names.regional, domain.zone_id)
        self.health = self._health(stage, own)
        routed = self._record("Routed", routed_name(stage, domain), names.routed, domain.zone_id)
        routed.region, routed.set_identifier = stage.region, stage.region
        routed.health_check_id = self.health.attr_health_check_id
        aws.CfnOutput(self, "RegionalAddress", value=f"https://{own}", description="This region, whatever is routed")
        aws.CfnOutput(self, "HealthCheckId", value=self.health.attr_health_check_id, description="Of this region")

    def _record(self, title: str, name: str, target: gateway.DomainName, zone_id: str) -> route53.CfnRecordSet:
        """Add an address that leads to a name of the API, and leads nowhere while that is not well."""
        return route53.CfnRecordSet(
            self,
            title,
            name=f"{name}.",
            type="A",
            hosted_zone_id=zone_id,
            alias_target=route53.CfnRecordSet.AliasTargetProperty(
                dns_name=target.regional_domain_name,
                hosted_zone_id=target.regional_hosted_zone_id,
                evaluate_target_health=True,
            ),
        )

    def _health(self, stage: Stage, name: str) -> route53.CfnHealthCheck:
        return route53.CfnHealthCheck(
            self,
            "Health",
            health_check_config=route53.CfnHealthCheck.HealthCheckConfigProperty(
                type="HTTPS",
                fully_qualified_domain_name=name,
                resource_path=HEALTH,
                port=443,
                enable_sni=True,
                request_interval=_EVERY_SECONDS,
                failure_threshold=_FAILURES,
            ),
            health_check_tags=[
                route53.CfnHealthCheck.HealthCheckTagProperty(key="Name", value=f"ebb-{stage.name}-{stage.region}")
            ],
        )
