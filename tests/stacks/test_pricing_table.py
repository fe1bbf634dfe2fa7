"""Every type of every template is in the reviewed table, and one that is not is told."""

import pytest

from cdk.pricing.bill import bill_of
from cdk.pricing.errors import PricingError
from cdk.pricing.load import Load
from cdk.pricing.table import TABLE, Free, With
from cdk.pricing.templates import read_templates, templates_of
from cdk.pricing.unseen import ELSEWHERE, UNSEEN
from cdk.stages import STAGES
from tests.stacks.conftest import Synthesized
from tests.stacks.pricing_case import lines, small


@pytest.mark.parametrize("stage", STAGES)
def test_every_type_of_every_template_is_in_the_table(synthesized: Synthesized, stage: str) -> None:
    kinds = {
        resource["Type"]
        for template in synthesized.templates[stage].values()
        for resource in template["Resources"].values()
    }
    missing = {kind for kind in kinds if kind not in TABLE and not kind.startswith("Custom::")}
    assert not missing, "say in cdk/pricing/table.py what they cost"


def test_a_type_in_no_table_fails_with_a_sentence() -> None:
    with pytest.raises(
        PricingError, match=r"nobody has said what AWS::Rocket::Engine costs \(It of the stack 'inference'\)"
    ):
        lines("AWS::Rocket::Engine", {})


def test_resources_of_one_s_own_are_priced_with_the_function_behind_them() -> None:
    assert lines("Custom::Anything", {}) == []


def test_the_table_is_in_order_and_says_why_or_with_what() -> None:
    assert list(TABLE) == sorted(TABLE)
    for kind, entry in TABLE.items():
        assert callable(entry) or (entry.other if isinstance(entry, With) else entry.why), kind
        assert isinstance(entry, (With, Free)) or entry.__doc__, kind
        if isinstance(entry, With) and entry.other.startswith("AWS::"):
            assert callable(TABLE[entry.other.partition(": ")[0].partition(",")[0]]), kind


def test_costs_without_a_resource_are_a_named_list() -> None:
    assert {
        "metrics in log lines (EMF)",
        "bytes between zones",
        "bytes between regions",
        "two warm versions during a shift",
        "egress",
        "bytes through endpoints",
        "machines of training's jobs",
    } == set(UNSEEN)
    assert {
        "access log",
        "platform log of the functions",
        "delivery of prediction events",
        "tokens of the user pool",
        "traces",
    } == set(ELSEWHERE)


def test_a_stage_without_templates_is_told(synthesized: Synthesized) -> None:
    with pytest.raises(
        PricingError, match=r"no template of the stage 'moon' lies in .*: run `cdk synth -c stage=moon`"
    ):
        read_templates(synthesized.folder, "moon")


def test_templates_that_predict_nothing_are_told() -> None:
    templates = small()
    del templates["inference"]["Resources"]["Predict"]
    with pytest.raises(PricingError, match="nothing to price"):
        bill_of(templates_of(templates), Load(1))


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((0,), "there must be requests"),
        ((-1,), "from 0 to 10,000,000"),
        ((1, 0), "utilisation"),
        ((1, 1.5), "utilisation"),
        ((1, 0.5, 1, 1_001), "a batch has"),
    ],
)
def test_a_load_that_cannot_be_is_told(values: tuple[float, ...], named: str) -> None:
    with pytest.raises(PricingError, match=named):
        Load(*values)  # type: ignore[arg-type]
