"""What `ebb cost` prints of a small stage: JSON as it was reviewed, and tables that say the same."""

import json

import pytest

from cdk.pricing.bill import bill_of, curve_of, usd_per_1000_batch_rows
from cdk.pricing.load import Load
from cdk.pricing.shares import Use, shares_of
from cdk.pricing.templates import templates_of
from local.cost_page import Cost
from tests.home import ROOT
from tests.stacks.pricing_case import small

GOLDEN = ROOT / "tests/golden/cost.json"
"""Written by `python -m tests.unit.test_cost_page` when a price, a figure or a rule was meant to change."""


def made(load: Load) -> Cost:
    templates = templates_of(small())
    bill = bill_of(templates, load)
    shares = shares_of(bill, {"champion": Use(900), "challenger": Use(100)})
    return Cost("small", bill, curve_of(templates, load), usd_per_1000_batch_rows(templates, load), shares)


def told() -> str:
    return json.dumps(made(Load(100, 0.5)).as_dict(), indent=1, sort_keys=True) + "\n"


def test_the_json_is_the_reviewed_one() -> None:
    assert json.loads(told()) == json.loads(GOLDEN.read_text())


def test_the_json_s_sums_agree() -> None:
    found = json.loads(GOLDEN.read_text())
    assert found["usd_per_1000"] == pytest.approx(found["usd_a_month"] / found["predictions_a_month"] * 1_000, rel=1e-4)
    for sums in (found["parts"], found["shares"]):
        assert sum(sums.values()) == pytest.approx(found["usd_a_month"], abs=0.1)
    assert sum(one["usd_a_month"] for one in found["components"].values()) == pytest.approx(
        found["usd_a_month"], abs=0.2
    )
    assert found["shares"]["champion"] == pytest.approx(9 * found["shares"]["challenger"], rel=1e-3)


def test_the_tables_say_components_curve_batches_and_shares(capsys: pytest.CaptureFixture[str]) -> None:
    made(Load(100, 0.5)).show()
    text = capsys.readouterr().out
    for said in ("door", "warm environments", "prediction events", "all in", "rows in batches of 1,000", "challenger"):
        assert said in text
    assert text.count("█") > 20, "the curve is drawn"
    assert "may hold" not in text


def test_a_load_beyond_the_stage_is_priced_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    made(Load(1_000, 0.5)).show()
    text = capsys.readouterr().out.replace("\n", " ")
    assert "may hold 40 environments" in text
    assert "needs 200" in text


if __name__ == "__main__":
    GOLDEN.write_text(told())
