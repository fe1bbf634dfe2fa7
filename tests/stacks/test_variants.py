"""Options by a stage's value are as whole as what is deployed by default: rules, rights, measures, archives, prices."""

import json
from itertools import chain
from typing import Any

import pytest

from cdk.archives import X86_64, source_hash
from cdk.pricing.bill import bill_of
from cdk.pricing.load import Load
from cdk.pricing.templates import templates_of
from stacks.routes import ROUTES
from tests.home import ROOT
from tests.stacks.conftest import Synthesized, Template
from tests.stacks.references import References
from tests.stacks.rights import expanded, lines
from tests.stacks.statements import documents, statements_of
from tests.stacks.test_cfn_lint import IGNORED, found_in
from tests.stacks.test_nag import acknowledged, findings, metadata
from tests.stacks.unbounded import UNBOUNDED, bounded
from tests.stacks.variants import DEV, VARIANTS, Variants

LOAD = Load(40, 0.6)
each = pytest.mark.parametrize("variant", VARIANTS)


def test_nothing_unexplained_is_found_in_them(variants: Variants) -> None:
    assert findings(variants.folder) == []
    reasons = [(name, reason) for _, name, reason in acknowledged(metadata(variants.folder)) if "-APIG" in name]
    assert {name.rpartition("-")[2] for name, _ in reasons} == {"APIG2", "APIG3", "APIG4", "APIG6"}
    assert all("considered" in reason for _, reason in reasons)


@pytest.mark.parametrize(("variant", "stack"), [("rest", "inference"), ("rest", "monitoring"), ("x86", "inference")])
def test_cfn_lint_finds_nothing_either(variants: Variants, variant: str, stack: str) -> None:
    found = found_in(variants.templates[variant][stack], DEV.region)
    assert [one for one in found if one[0] not in IGNORED] == []


@each
def test_alarms_and_dashboards_look_at_the_metrics_that_a_rest_api_has(variants: Variants, variant: str) -> None:
    whole = json.dumps(variants.templates[variant]["monitoring"])
    assert "4XXError" in whole
    assert "5XXError" in whole
    assert f"ebb-{variant}" in whole
    assert "ApiId" not in whole
    assert '"5xx"' not in whole
    names = [
        (metric["MetricName"], {one["Name"]: one["Value"] for one in metric["Dimensions"]})
        for alarm in variants.resources(variant, "AWS::CloudWatch::Alarm", "monitoring").values()
        for query in alarm["Properties"].get("Metrics", [])
        if (metric := query.get("MetricStat", {}).get("Metric", {})).get("Namespace") == "AWS/ApiGateway"
    ]
    assert {name for name, _ in names} == {"5XXError", "Count"}
    assert all(given.get("ApiName") == f"ebb-{variant}" and "Stage" in given for _, given in names)


@each
def test_everybody_may_do_what_they_may_behind_an_http_api_and_the_gateway_may_call(
    variants: Variants, synthesized: Synthesized, variant: str
) -> None:
    def rights(templates: dict[str, Template], name: str) -> set[str]:
        return lines(statements_of(References(templates, DEV.region)), name)

    usual = rights(dict(synthesized.templates["dev"]), "dev")
    here = rights(variants.templates[variant], variant)
    gained, lost = here - usual, usual - here
    gateway = "service apigateway.amazonaws.com: lambda:InvokeFunction on "
    assert all(line.startswith(gateway) for line in gained | lost), gained ^ lost
    assert len(gained) == len(ROUTES), "one method, one permission"
    assert all("<inference.RestApi>" in line and "*" not in line.partition(" if ")[0] for line in gained)


@each
def test_every_policy_was_read_and_names_what_is_ours(variants: Variants, variant: str) -> None:
    references = References(variants.templates[variant], DEV.region)
    statements = statements_of(references)
    read = {statement.where for statement in statements}
    for stack, template in variants.templates[variant].items():
        for logical, resource in template["Resources"].items():
            assert not any(documents(resource.get("Properties", {}))) or references.symbol(stack, logical) in read
    for statement in statements:
        if statement.allows and statement.kind != "endpoint":
            for action in chain.from_iterable(map(expanded, statement.actions)):
                assert all(map(bounded, statement.resources)) or action in UNBOUNDED, f"{statement.where}: {action}"


def test_every_function_and_layer_is_for_x86_64_and_from_its_archives(variants: Variants) -> None:
    templates = variants.templates["x86"]
    every = [one for stack in templates.values() for one in stack["Resources"].values()]
    ours = [
        one["Properties"]
        for one in every
        if one["Type"] == "AWS::Lambda::Function" and str(one["Properties"].get("Handler")).startswith("lambdas.")
    ]
    assert len(ours) >= 6
    assert all(given["Architectures"] == ["x86_64"] for given in ours)
    layers = [one["Properties"] for one in every if one["Type"] == "AWS::Lambda::LayerVersion"]
    assert layers
    assert all(given["CompatibleArchitectures"] == ["x86_64"] for given in layers)
    # What has a lock has other wheels here: another archive, under another name.
    assert source_hash(ROOT, "runtime", X86_64) != source_hash(ROOT, "runtime")
    arm = {given["Content"]["S3Key"] for given in _layers(variants.templates["rest"])}
    assert not {given["Content"]["S3Key"] for given in layers if _locked(given)} & arm


def _layers(templates: dict[str, Template]) -> list[Any]:
    return [
        one["Properties"]
        for stack in templates.values()
        for one in stack["Resources"].values()
        if one["Type"] == "AWS::Lambda::LayerVersion"
    ]


def _locked(layer: Any) -> bool:
    return "import of others" in str(layer.get("Description"))


def test_prices_follow_the_processor(variants: Variants) -> None:
    arm, x86 = (bill_of(templates_of(variants.templates[name]), LOAD).components() for name in ("rest", "x86"))
    assert x86["warm environments"] / arm["warm environments"] == pytest.approx(0.0000041667 / 0.0000033334, rel=1e-4)
    assert x86["predictions"] > arm["predictions"]


def test_prices_follow_the_kind_of_the_door(variants: Variants, synthesized: Synthesized) -> None:
    of = (synthesized.templates["dev"], variants.templates["rest"])
    http, rest = (bill_of(templates_of(templates), LOAD).components() for templates in of)
    assert rest["door"] == pytest.approx(3.5 * http["door"], rel=0.01), "$3.50 a million instead of $1.00"
    assert rest["access log"] == pytest.approx(http["access log"])
    assert set(rest) == set(http)
