"""What two regions cost: half of the load in each, writes in one, and what goes from one to the other."""

from copy import deepcopy
from typing import Any

import pytest

from cdk.pricing.bill import bill_of, usd_per_1000_batch_rows
from cdk.pricing.case import Case
from cdk.pricing.line import Line
from cdk.pricing.load import Load
from cdk.pricing.regions import by_region
from cdk.pricing.templates import Templates, templates_of
from tests.stacks.clean_run import whole
from tests.stacks.conftest import Synthesized
from tests.stacks.pricing_case import GIB, HOURS, SECONDS, lines, small

LOAD = Load(15_000, 0.6)
RECORDS: dict[str, Any] = {
    "Type": "AWS::Lambda::Function",
    "Properties": {"Handler": "lambdas.records.handler.handle", "MemorySize": 1_024, "Architectures": ["arm64"]},
}


def two() -> Templates:
    """Return a small stage in two regions, of which the first one writes."""
    return templates_of({**small(Records=RECORDS), "us-west-2-inference": deepcopy(small()["inference"])})


def by_what(found: list[Line]) -> dict[str, Line]:
    """Return lines by what is paid for."""
    return {line.what: line for line in found}


def test_regions_are_told_by_their_stacks_names() -> None:
    found = by_region(two())
    assert {region: {one.part for one in templates.resources} for region, templates in found.items()} == {
        "": {"inference"},
        "us-west-2": {"us-west-2-inference"},
    }


def test_each_region_has_half_of_the_requests_and_one_all_of_the_writes() -> None:
    case = Case(two(), Load(1_000, 0.5, batches=10))
    first, second = case.regions
    assert (first.load.rps, first.load.batches) == (second.load.rps, second.load.batches) == (500, 5)
    assert first.writes_here
    assert not second.writes_here
    assert second.writes == pytest.approx(5), "those that it hands on"
    assert first.writes == pytest.approx(10) == pytest.approx(case.writes)
    assert case.held == first.held + second.held
    assert case.needed == first.needed + second.needed


def test_one_region_is_the_stage_itself() -> None:
    case = Case(templates_of(small()), Load(100, 0.5))
    assert case.regions == (case,)
    assert case.brought == 0


def test_two_regions_hold_what_one_would() -> None:
    one, both = bill_of(templates_of(small(Records=RECORDS)), LOAD), bill_of(two(), LOAD)
    warm = [bill.components()["warm environments"] for bill in (one, both)]
    assert warm[0] == pytest.approx(warm[1], rel=0.001)
    assert one.usd < both.usd < one.usd * 1.05
    assert set(both.parts()) == {"inference", "us-west-2-inference", "no stack"}


@pytest.mark.parametrize(
    ("kind", "properties", "usd"),
    [
        ("AWS::RDS::DBProxyEndpoint", {"VpcSubnetIds": ["a", "b", "c"]}, 3 * HOURS * 0.01),
        ("AWS::RDS::GlobalCluster", {}, 1 * SECONDS * 4 * 0.2e-6),
        ("AWS::Route53::HealthCheck", {"HealthCheckConfig": {"Type": "HTTPS", "RequestInterval": 10}}, 2.5),
        ("AWS::Route53::HealthCheck", {"HealthCheckConfig": {"Type": "HTTP", "RequestInterval": 30}}, 0.5),
        ("AWS::WAFv2::WebACL", {"Rules": [1, 2, 3, 4]}, 5 + 4 + (200 + 1) * SECONDS * 0.6e-6),
        ("AWS::CloudFront::Distribution", {}, (200 + 1) * SECONDS * 1e-6),
    ],
)
def test_what_a_second_region_and_its_edge_add(kind: str, properties: dict[str, Any], usd: float) -> None:
    assert sum(line.usd for line in lines(kind, properties, Load(100, 0.5))) == pytest.approx(usd)


def test_a_bucket_that_is_copied_pays_for_the_way_and_for_the_promise() -> None:
    found = by_what(lines("AWS::S3::Bucket", {"ReplicationConfiguration": {}}))
    assert found["releases, copied"].usd + found["releases, in time"].usd == pytest.approx(0.035)
    assert "releases, copied" not in by_what(lines("AWS::S3::Bucket", {}))


def test_a_replica_of_a_secret_is_a_secret() -> None:
    assert by_what(lines("AWS::SecretsManager::Secret", {"ReplicaRegions": [{}]}))["secret"].usd == pytest.approx(0.8)


def test_what_follows_pays_for_no_io_of_its_own() -> None:
    follows = by_what(lines("AWS::RDS::DBCluster", {"GlobalClusterIdentifier": "ebb"}))
    assert "I/O" not in follows
    assert "I/O" in by_what(lines("AWS::RDS::DBCluster", {}))


def test_writes_are_paid_for_on_their_way() -> None:
    bill = bill_of(two(), Load(1_000, 0.5))
    (line,) = [line for line in bill.lines if line.what == "writes, handed on"]
    assert line.usd == pytest.approx(5 * SECONDS * (420 + 420) / GIB * 0.02)


def test_prod_is_priced_with_both_its_regions(synthesized: Synthesized) -> None:
    templates = templates_of(whole(synthesized.templates, "prod"))
    bill = bill_of(templates, LOAD)
    parts = bill.parts()
    assert 0.9 < parts["inference"] / parts["us-west-2-inference"] < 1.1
    assert {"edge", "us-west-2-edge", "seal", "us-west-2-seal"} <= set(parts)
    assert 0 < bill.components()["between regions"] < 0.01 * bill.usd
    alone = bill_of(templates_of(synthesized.templates["prod"]), LOAD)
    assert alone.usd < bill.usd < alone.usd * 1.1, "what stands there twice is little beside what requests cost"
    assert usd_per_1000_batch_rows(templates, LOAD) < bill.usd_per_1000 / 9
