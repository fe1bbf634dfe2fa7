"""`ebb cost` as it is typed: real templates, in a process of their own."""

import json

import pytest

from cdk.pricing.bill import bill_of
from cdk.pricing.load import Load
from cdk.pricing.templates import templates_of
from local.cli import run
from tests.stacks.clean_run import whole
from tests.stacks.conftest import Synthesized


def test_the_command_prints_the_bill_of_the_templates(
    synthesized: Synthesized, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--stage", "prod", "--rps", "15000", "--share", "one=3", "--share", "other=1", "--json"]
    assert run(["cost", *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    bill = bill_of(templates_of(whole(synthesized.templates, "prod")), Load(15_000, 0.6))
    assert found["usd_per_1000"] == pytest.approx(bill.usd_per_1000, rel=1e-6)
    assert found["usd_per_1000"] <= 0.0025
    assert found["environments"] == {"needed": 2_500, "held": 2_500.0, "most": 2_500}
    assert found["shares"]["one"] == pytest.approx(3 * found["shares"]["other"], abs=0.05)
    assert "wait" in found["assumed"], "what is assumed is named"
