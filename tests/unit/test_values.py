"""What a contract accepts, value by value, and that the column check says the same."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.contract.model import Feature, Kind, Unseen
from ebb.errors import BadFeatures
from ebb.features import values
from ebb.features.columns import as_float32, refused_category, refused_numbers
from ebb.features.inputs import accept_row, accept_some, encode
from ebb.features.values import Refused, accept
from tests.fakes.contracts import ROW, tiny_contract


def _feature(kind: Kind, **more: object) -> Feature:
    return Feature(name="x", column="x", kind=kind, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("feature", "raw", "reason"),
    [
        (_feature(Kind.NUMBER), "12", values.NOT_A_NUMBER),
        (_feature(Kind.NUMBER), True, values.NOT_A_NUMBER),
        (_feature(Kind.NUMBER), math.inf, values.INFINITE),
        (_feature(Kind.NUMBER), -math.inf, values.INFINITE),
        (_feature(Kind.NUMBER), 1e39, values.OVERFLOW),
        (_feature(Kind.NUMBER), 10**400, values.OVERFLOW),
        (_feature(Kind.NUMBER), None, values.ABSENT),
        (_feature(Kind.NUMBER), math.nan, values.ABSENT),
        (_feature(Kind.INTEGER), 1.5, values.NOT_AN_INTEGER),
        (_feature(Kind.NUMBER, minimum=0.0), -1, "minimum of 0"),
        (_feature(Kind.NUMBER, maximum=5.0), 6, "maximum of 5"),
        (_feature(Kind.FLAG), 2, values.NOT_A_FLAG),
        (_feature(Kind.FLAG), "yes", values.NOT_A_FLAG),
        (_feature(Kind.CATEGORY), 3, values.NOT_A_TEXT),
        (_feature(Kind.CATEGORY), "", values.ABSENT),
        (_feature(Kind.CATEGORY), "x" * 257, values.TOO_LONG),
        (_feature(Kind.CATEGORY), "a\0b", values.NUL),
        (_feature(Kind.CATEGORY, categories=("a",), unseen=Unseen.REFUSE), "b", values.UNSEEN),
    ],
)
def test_refused(feature: Feature, raw: object, reason: str) -> None:
    with pytest.raises(Refused, match=reason.split("(", maxsplit=1)[0]):
        accept(feature, raw)  # type: ignore[arg-type]


def test_accepted_values_are_what_the_graph_takes() -> None:
    assert accept(_feature(Kind.FLAG), True) == 1.0
    assert accept(_feature(Kind.INTEGER), 5.0) == 5.0
    assert accept(_feature(Kind.CATEGORY, categories=("a",)), "unseen") == "unseen"
    assert accept(_feature(Kind.CATEGORY, missing=True), None) == ""
    assert math.isnan(float(accept(_feature(Kind.NUMBER, missing=True), None)))


def test_two_to_the_53_plus_one_is_rounded_to_float32() -> None:
    assert accept(_feature(Kind.INTEGER), 2**53 + 1) == float(2**53)
    inputs = encode(tiny_contract(), [accept_row(tiny_contract(), {**ROW, "spend": 2**53 + 1})])
    assert inputs.numbers[0, 1] == np.float32(2**53)
    assert as_float32(np.array([2.0**53 + 1]))[0] == np.float32(2**53)


@pytest.mark.parametrize(("kind", "bound"), [(Kind.NUMBER, 0.123456789), (Kind.INTEGER, 16777219.0)])
def test_a_value_at_its_bound_is_accepted_again_after_rounding(kind: Kind, bound: float) -> None:
    feature = _feature(kind, minimum=bound, maximum=bound)
    for value in (bound, float(np.float32(bound))):
        assert accept(feature, value) == value
        assert refused_numbers(feature, np.array([value])) == []
    beyond = float(np.nextafter(np.float32(bound), np.float32(np.inf)))
    with pytest.raises(Refused):
        accept(feature, beyond)


def test_a_refusal_never_carries_the_value() -> None:
    with pytest.raises(BadFeatures) as caught:
        accept_some(tiny_contract(), {"plan": 4711, "tenure": -4711, "street": "Main Street 4711"})
    assert "4711" not in str(caught.value)
    assert [r.feature for r in caught.value.refusals] == ["plan", "tenure", "street"]


def test_a_row_is_laid_out_in_the_contracts_order() -> None:
    contract = tiny_contract()
    inputs = encode(contract, [accept_row(contract, ROW), accept_row(contract, {**ROW, "spend": None, "city": None})])
    assert inputs.numbers.dtype == np.float32
    assert inputs.numbers[0].tolist() == [5.0, 20.5, 1.0]
    assert math.isnan(inputs.numbers[1, 1])
    assert inputs.categories.tolist() == [["basic", "Ghent"], ["basic", ""]]
    assert len(inputs.rows(slice(1, 2))) == 1


def test_a_row_without_a_needed_value_is_refused() -> None:
    with pytest.raises(BadFeatures, match="tenure: is missing"):
        accept_row(contract=tiny_contract(), raw={"plan": "basic", "paperless": 1})


numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-(2**60), 2**60).map(float),
    st.sampled_from([0.0, 1.0, -0.0, 5.0, 10.0, 3.4028234663852886e38, 3.5e38, 2.0**53 + 1]),
)
kinds = st.sampled_from([Kind.NUMBER, Kind.INTEGER, Kind.FLAG])
bounds = st.one_of(st.none(), st.floats(-1e6, 1e6))


@given(kinds, bounds, bounds, st.booleans(), st.lists(numbers, max_size=30))
def test_a_column_is_judged_as_its_values_are(
    kind: Kind, low: float | None, high: float | None, missing: bool, column: list[float]
) -> None:
    limits = {} if kind is Kind.FLAG else {"minimum": low, "maximum": high}
    feature = _feature(kind, missing=missing, **limits)
    by_column = {
        int(row): reason for reason, rows in refused_numbers(feature, np.array(column, np.float64)) for row in rows
    }
    by_value = {}
    for row, value in enumerate(column):
        try:
            accept(feature, value)
        except Refused as refused:
            by_value[row] = str(refused)
    assert by_column == by_value


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()), kinds)
def test_whatever_json_brings_is_accepted_or_refused(raw: float | str | None, kind: Kind) -> None:
    feature = _feature(kind, missing=True)
    try:
        accepted = accept(feature, raw)
    except Refused:
        return
    assert isinstance(accepted, float)
    assert math.isnan(accepted) or math.isfinite(np.float32(accepted))


def test_a_distinct_category_is_judged_alike() -> None:
    feature = _feature(Kind.CATEGORY, categories=("a",), unseen=Unseen.REFUSE)
    assert refused_category(feature, "a") is None
    assert refused_category(feature, "b") == values.UNSEEN
    assert refused_category(feature, "") == values.ABSENT
