"""Names of one's own before the API: that of the stage, and in a stage of two regions one for each region too."""

from dataclasses import dataclass

from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_certificatemanager as certificates
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from cdk.regions import regional_name, routed_name
from cdk.stage import Stage
from cdk.stage_parts import Domain


@dataclass(frozen=True)
class Names:
    """The names that an API answers to.

    Attributes:
        zone: in which they are looked up.
        routed: that callers use; where there are two regions it means the nearer one.
        regional: that always means this region; None where there is one region.
    """

    zone: route53.IHostedZone
    routed: gateway.DomainName
    regional: gateway.DomainName | None = None


def make_names(scope: Construct, stage: Stage) -> Names | None:
    """Add the names of a stage, under one certificate; none where the stage has no domain."""
    domain = stage.domain
    if domain is None:
        return None
    zone = zone_of(scope, domain)
    routed = routed_name(stage, domain)
    regional = regional_name(domain, stage.region) if stage.edge else None
    certificate = certificates.Certificate(
        scope,
        "Certificate",
        domain_name=routed,
        subject_alternative_names=[regional] if regional else None,
        validation=certificates.CertificateValidation.from_dns(zone),
    )
    name = _name(scope, "Name", routed, certificate)
    if regional is None:
        _found_by(scope, zone, name)
        return Names(zone, name)
    return Names(zone, name, _name(scope, "RegionalName", regional, certificate))  # found by stacks/edge.py


def zone_of(scope: Construct, domain: Domain) -> route53.IHostedZone:
    """Return the hosted zone in which a domain lies."""
    return route53.HostedZone.from_hosted_zone_attributes(
        scope, "Zone", hosted_zone_id=domain.zone_id, zone_name=domain.zone
    )


def _found_by(scope: Construct, zone: route53.IHostedZone, name: gateway.DomainName) -> None:
    target = targets.ApiGatewayv2DomainProperties(name.regional_domain_name, name.regional_hosted_zone_id)
    route53.ARecord(
        scope, "Address4", zone=zone, record_name=f"{name.name}.", target=route53.RecordTarget.from_alias(target)
    )


def _name(scope: Construct, title: str, name: str, certificate: certificates.ICertificate) -> gateway.DomainName:
    return gateway.DomainName(
        scope, title, domain_name=name, certificate=certificate, security_policy=gateway.SecurityPolicy.TLS_1_2
    )
