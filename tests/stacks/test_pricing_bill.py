"""The bill of prod holds its promises, follows the load, and says who causes it."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdk.pricing.bill import bill_of, curve_of, fits, priced, usd_per_1000_batch_rows
from cdk.pricing.errors import PricingError
from cdk.pricing.load import Load
from cdk.pricing.recorded import MARGIN, Recorded, dearer, read_recorded
from cdk.pricing.shares import Use, shares_of
from cdk.pricing.templates import Templates, templates_of
from cdk.stages import STAGES
from tests.stacks.clean_run import whole
from tests.stacks.conftest import Synthesized
from tests.stacks.pricing_case import case_of, small

TARGET = 0.0025
"""Dollars for 1,000 single predictions, all in, at 15,000 a second with capacity for 25,000."""
ROWS_TARGET = 0.0001
"""Dollars for 1,000 rows in batches of 1,000, beside as many single predictions."""
MEASURED_LOAD = Load(15_000, 0.6)
SMALL = templates_of(small())
RPS = st.floats(0.1, 1e6)
USED = st.floats(0.05, 1.0)


@pytest.fixture(scope="module")
def prod(synthesized: Synthesized) -> Templates:
    return templates_of(whole(synthesized.templates, "prod"))


def test_a_thousand_predictions_in_prod_cost_what_was_promised(prod: Templates) -> None:
    bill = bill_of(prod, MEASURED_LOAD)
    assert bill.usd_per_1000 <= TARGET
    assert bill.case.needed * 10 == 25_000
    assert bill.case.memory_mb == STAGES["prod"].serving.memory_mb == 1_024
    assert fits(bill.case)


def test_a_row_of_a_batch_costs_a_tenth_of_a_prediction_at_most(prod: Templates) -> None:
    rows, single = usd_per_1000_batch_rows(prod, MEASURED_LOAD), bill_of(prod, MEASURED_LOAD).usd_per_1000
    assert rows <= ROWS_TARGET
    assert rows < single / 9
    events = 237 * 1_000 / 2**30 * (0.25 + 0.76 * 90 / 30.4 * 0.03)
    assert events < rows < events + 0.00003, "nearly all of it is the events, at the second tier's price in each region"


def test_no_figure_rose_by_more_than_a_tenth_without_a_reason(prod: Templates) -> None:
    assert dearer(read_recorded("prod"), prod) == []


def test_a_dearer_stage_is_told_with_what_to_do(prod: Templates) -> None:
    recorded = read_recorded("prod")
    cheap = replace(recorded, usd_per_1000=recorded.usd_per_1000 / (1 + 2 * MARGIN))
    (sentence,) = dearer(cheap, prod)
    assert sentence.startswith("1,000 predictions cost $0.002")
    assert "record it with the reason in cdk/pricing/recorded.toml" in sentence
    assert dearer(replace(cheap, usd_per_1000=recorded.usd_per_1000 * 2), prod) == [], "a cheaper one may pass"


@pytest.mark.parametrize(("text", "named"), [("", "no figure"), ('reason = " "', "without a reason")])
def test_a_record_without_a_reason_is_refused(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "recorded.toml"
    rest = 'date = "d"\nrps = 1\nutilisation = 0.6\nusd_per_1000 = 1\nusd_per_1000_batch_rows = 1\n'
    path.write_text(f"[[prod]]\n{rest}{text}\n" if text else "")
    with pytest.raises(PricingError, match=named):
        read_recorded("prod", path)


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_a_price(synthesized: Synthesized, stage: str) -> None:
    load = Load(STAGES[stage].serving.requests * 0.6)
    bill = bill_of(templates_of(whole(synthesized.templates, stage)), load)
    assert bill.usd > 0
    assert sum(bill.components().values()) == pytest.approx(bill.usd)
    assert sum(bill.parts().values()) == pytest.approx(bill.usd)
    assert {"network", "feature-store", "registry", "inference"} <= set(bill.parts())


@given(RPS, st.floats(1.0, 10.0), USED)
def test_more_requests_never_cost_less_in_all(rps: float, more: float, used: float) -> None:
    assert bill_of(SMALL, Load(rps, used)).usd <= bill_of(SMALL, Load(rps * more, used)).usd * (1 + 1e-9)


@given(RPS, USED, USED)
def test_a_prediction_never_costs_more_where_more_of_the_capacity_is_used(rps: float, one: float, two: float) -> None:
    idle, busy = sorted((one, two))
    assert bill_of(SMALL, Load(rps, busy)).usd_per_1000 <= bill_of(SMALL, Load(rps, idle)).usd_per_1000 * (1 + 1e-6)


@given(RPS, st.floats(0, 100), USED)
def test_batches_never_make_the_bill_smaller(rps: float, batches: float, used: float) -> None:
    alone = bill_of(SMALL, Load(rps, used)).usd
    assert alone <= bill_of(SMALL, Load(rps, used, batches)).usd * (1 + 1e-6)


def test_the_curve_falls_with_utilisation(prod: Templates) -> None:
    curve = curve_of(prod, MEASURED_LOAD)
    costs = [point.usd_per_1000 for point in curve]
    assert costs == sorted(costs, reverse=True)
    assert [point.fits for point in curve] == [point.utilisation >= 0.6 for point in curve]
    assert next(p for p in curve if p.utilisation == 0.6).usd == pytest.approx(bill_of(prod, MEASURED_LOAD).usd)


@settings(max_examples=50)
@given(st.dictionaries(st.text("abc", min_size=1), st.tuples(st.floats(0, 1e9), st.floats(0, 1e6)), min_size=1))
def test_shares_add_up_to_the_bill(told: dict[str, tuple[float, float]]) -> None:
    uses = {name: Use(requests, dollars) for name, (requests, dollars) in told.items()}
    bill = priced(case_of())
    if sum(use.requests for use in uses.values()) == 0:
        with pytest.raises(PricingError, match="one at least"):
            shares_of(bill, uses)
    else:
        assert sum(shares_of(bill, uses).values()) == pytest.approx(bill.usd)


def test_computing_is_split_by_dollars_and_everything_else_by_requests() -> None:
    bill = priced(case_of())
    shares = shares_of(bill, {"champion": Use(750, 1.0), "challenger": Use(250, 3.0)})
    time = sum(line.usd for line in bill.lines if line.shared == "dollars")
    assert time > 0
    assert shares["challenger"] == pytest.approx(0.25 * (bill.usd - time) + 0.75 * time)
    by_requests = shares_of(bill, {"champion": Use(750), "challenger": Use(250)})
    assert by_requests["challenger"] == pytest.approx(0.25 * bill.usd)
    nothing = shares_of(bill, {"champion": Use(750, 0.0), "challenger": Use(250, 0.0)})
    assert nothing == by_requests


@pytest.mark.parametrize("uses", [{}, {"a": Use(1, 1.0), "b": Use(1)}, {"a": Use(-1), "b": Use(3)}])
def test_shares_that_cannot_be_are_told(uses: dict[str, Use]) -> None:
    with pytest.raises(PricingError, match=r"say how many requests|cannot be negative"):
        shares_of(priced(case_of()), uses)


def test_a_record_knows_its_load() -> None:
    assert Recorded("d", 10, 0.5, 1, 1, "r").load == Load(10, 0.5)
