"""The stage in each of its regions: what one set of values says of both, and the names by which each is found."""

from dataclasses import replace

from cdk.stage import Stage
from cdk.stage_parts import Domain, Serving


def regions_of(stage: Stage) -> tuple[Stage, ...]:
    """Return a stage as it stands in each of its regions, first the one in which it stood first.

    Each region keeps half of the environments warm and may scale to all of them: alone, it takes every request.

    Raises:
        BadStage: the values cannot work in the second region.
    """
    edge = stage.edge
    if edge is None:
        return (stage,)
    serving, here = _half(stage.serving), stage.region
    first = replace(stage, serving=serving, follows=edge.region if edge.leads else "")
    second = replace(
        stage,
        region=edge.region,
        network=replace(stage.network, cidr=edge.cidr),
        serving=serving,
        edge=replace(edge, region=here, cidr=stage.network.cidr),
        beside=here,
        follows="" if edge.leads else here,
    )
    return first, second


def regional_name(domain: Domain, region: str) -> str:
    """Return the name that always means one region."""
    return f"{region}.{domain.name}"


def routed_name(stage: Stage, domain: Domain) -> str:
    """Return the name that means the nearer region: the stage's own, or one behind CloudFront where that has it."""
    return f"regions.{domain.name}" if stage.edge is not None and stage.edge.firewall else domain.name


def _half(serving: Serving) -> Serving:
    schedules = tuple(replace(schedule, least=-(-schedule.least // 2)) for schedule in serving.schedules)
    return replace(serving, provisioned=-(-serving.provisioned // 2), schedules=schedules)
