"""A stage of two regions is priced as two stages: each with its own resources and half of what comes in.

Prices of us-east-1 stand for both; those of us-west-2 are the same for all that Ebb uses.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from cdk.pricing.load import Load
from cdk.pricing.templates import Resource, Templates

_REGION = re.compile(r"([a-z]{2,}-[a-z]+-\d+)-")


def by_region(templates: Templates) -> Mapping[str, Templates]:
    """Return the templates of each region, that in which the stage stood first under an empty name."""
    found: dict[str, list[Resource]] = {}
    for resource in templates.resources:
        named = _REGION.match(resource.part)
        found.setdefault(named[1] if named else "", []).append(resource)
    return {region: Templates(tuple(resources)) for region, resources in found.items()}


def share_of(load: Load, regions: int) -> Load:
    """Return what comes into one of so many regions; callers are as near to one as to another."""
    return replace(load, rps=load.rps / regions, batches=load.batches / regions)
