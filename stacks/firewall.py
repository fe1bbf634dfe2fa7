"""What may stand before both regions: CloudFront, and a firewall that turns away what no caller of an API sends.

It stands in us-east-1, since CloudFront takes its certificate and its firewall from there, wherever the stage stands.
It is an option (`Edge.firewall`): tokens are checked behind it all the same, and CloudFront and WAF together cost more
for each request than the API itself.
"""

import aws_cdk as aws
from aws_cdk import aws_certificatemanager as certificates
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from cdk.regions import routed_name
from cdk.stage import Stage
from cdk.stage_parts import Domain
from stacks.constructs.acknowledged import acknowledge
from stacks.constructs.names import zone_of
from stacks.constructs.retention import retention_of

REGION = "us-east-1"
MANAGED = {
    "AWSManagedRulesAmazonIpReputationList": (),
    "AWSManagedRulesKnownBadInputsRuleSet": (),
    "AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY",),
}
"""Amazon's own rules, and which of them only count: a batch of a thousand entities is larger than 8 KB."""

_ADDRESS_REQUESTS = 100_000
"""Of one address in five minutes: callers are programs, many behind one address; what floods is more."""


class FirewallStack(aws.Stack):
    """The distribution and its firewall.

    Args:
        scope: the app.
        name: of the stack.
        stage: in the region in which it stood first.
        domain: of the stage.

    Attributes:
        acl: the firewall.
        distribution: before both regions.
    """

    def __init__(self, scope: Construct, name: str, *, stage: Stage, domain: Domain) -> None:
        super().__init__(scope, name, env={"region": REGION}, description=f"Ebb {stage.name}: the firewall")
        self.acl = self._acl(stage)
        self._log(stage)
        zone = zone_of(self, domain)
        certificate = certificates.Certificate(
            self,
            "Certificate",
            domain_name=domain.name,
            validation=certificates.CertificateValidation.from_dns(zone),
        )
        self.distribution = self._distribution(stage, domain, certificate)
        target = route53.RecordTarget.from_alias(targets.CloudFrontTarget(self.distribution))
        for title, record in (("Address4", route53.ARecord), ("Address6", route53.AaaaRecord)):
            record(self, title, zone=zone, record_name=f"{domain.name}.", target=target)

    def _distribution(
        self, stage: Stage, domain: Domain, certificate: certificates.ICertificate
    ) -> cloudfront.Distribution:
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"Ebb {stage.name}",
            domain_names=[domain.name],
            certificate=certificate,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            web_acl_id=self.acl.attr_arn,
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.HttpOrigin(
                    routed_name(stage, domain),
                    protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
                    origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
                ),
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                # The token passes; the name that was asked for does not: the API answers to its own.
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            ),
        )
        acknowledge(
            distribution,
            "CFR1",
            "Callers are programs with tokens, wherever they run. A restriction by country was considered: it keeps "
            "out nobody who has a token, and perhaps a region of a cloud that somebody works in.",
        )
        acknowledge(
            distribution,
            "CFR3",
            "The API logs each request, without addresses and paths, which name persons; the firewall logs what it "
            "turns away. CloudFront's own log was considered: it holds both, in a bucket with access lists.",
        )
        return distribution

    def _acl(self, stage: Stage) -> waf.CfnWebACL:
        managed = [
            waf.CfnWebACL.RuleProperty(
                name=name,
                priority=number,
                override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
                statement=waf.CfnWebACL.StatementProperty(
                    managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
                        vendor_name="AWS", name=name, rule_action_overrides=[_counting(rule) for rule in only_count]
                    )
                ),
                visibility_config=_seen(name),
            )
            for number, (name, only_count) in enumerate(MANAGED.items(), 1)
        ]
        flood = waf.CfnWebACL.RuleProperty(
            name="Flood",
            priority=0,
            action=waf.CfnWebACL.RuleActionProperty(block={}),
            statement=waf.CfnWebACL.StatementProperty(
                rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
                    aggregate_key_type="IP", limit=_ADDRESS_REQUESTS
                )
            ),
            visibility_config=_seen("Flood"),
        )
        return waf.CfnWebACL(
            self,
            "Firewall",
            name=f"ebb-{stage.name}",
            description=f"Ebb {stage.name}: before both regions",
            scope="CLOUDFRONT",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            rules=[flood, *managed],
            visibility_config=_seen("Firewall"),
        )

    def _log(self, stage: Stage) -> None:
        """Keep what is turned away, without the token; what passes is in the API's own log."""
        log = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"aws-waf-logs-ebb-{stage.name}",  # the beginning that WAF asks for
            retention=retention_of(stage.log_days),
            removal_policy=aws.RemovalPolicy.DESTROY,
        )
        kept = {
            "DefaultBehavior": "DROP",
            "Filters": [
                {
                    "Behavior": "KEEP",
                    "Requirement": "MEETS_ANY",
                    "Conditions": [{"ActionCondition": {"Action": action}} for action in ("BLOCK", "COUNT")],
                }
            ],
        }
        hidden = waf.CfnLoggingConfiguration.FieldToMatchProperty
        waf.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=self.acl.attr_arn,
            log_destination_configs=[
                self.format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=log.log_group_name,
                    arn_format=aws.ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
            logging_filter=kept,
            redacted_fields=[hidden(single_header={"Name": "authorization"}), hidden(uri_path={})],
        )


def _counting(rule: str) -> waf.CfnWebACL.RuleActionOverrideProperty:
    return waf.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=waf.CfnWebACL.RuleActionProperty(count={}))


def _seen(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
