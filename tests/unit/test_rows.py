"""Many rows at once mean what one row means feature by feature."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.contract import Contract, parse_contract
from ebb.errors import EbbError
from ebb.features.inputs import accept_some, encode
from ebb.ports import FeatureRecord
from ebb.store.reading import Reading
from lambdas.predict.resolve import Resolved, resolve
from lambdas.predict.rows import RowPlan
from tests.fakes.contracts import ROW, TEXT, tiny_contract

NOW = 1_800_000_000.0
MORE = """
[[features]]
name = "visits"
kind = "integer"
default = 3
max_age = "10d"
when_stale = "serve"

[[features]]
name = "tier"
kind = "category"
categories = ["gold"]
unseen = "refuse"
default = "gold"
"""
CONTRACTS = [tiny_contract(), parse_contract(TEXT + MORE, "more.toml")]
ODD = [
    None,
    "",
    True,
    False,
    0,
    1,
    -1,
    120,
    120.0,
    121,
    5.5,
    1e39,
    -1e39,
    10**400,
    2**53 + 1,
    "gold",
    "basic",
    "x" * 300,
]
VALUES = st.one_of(st.sampled_from(ODD), st.integers(0, 120), st.floats(0, 120), st.just("plus"))
USUAL = st.fixed_dictionaries(
    {
        "tenure": st.integers(0, 120),
        "spend": st.one_of(st.none(), st.floats(-1e6, 1e6)),
        "paperless": st.sampled_from([True, False, 0, 1, 0.0, 1.0]),
        "plan": st.sampled_from(["basic", "plus", "other"]),
        "city": st.one_of(st.none(), st.just(""), st.text(max_size=5)),
        "visits": st.one_of(st.none(), st.integers(0, 9)),
        "tier": st.sampled_from(["gold", None, ""]),
    }
)
NAMES = [*ROW, "visits", "tier"]


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    if draw(st.integers(0, 9)) == 0:
        return Reading(trouble=draw(st.sampled_from(["", "away"])))
    values: dict[str, Any] = draw(USUAL)
    values.update(draw(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=2)))
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=2)):
        values.pop(name, None)
    common = draw(st.sampled_from([0.0, 60.0, 86_300.0, 86_500.0, 11 * 86_400.0, 31 * 86_400.0, -50.0]))
    times = {name: NOW - draw(st.sampled_from([common, common, common, 0.0, 40 * 86_400.0])) for name in values}
    expired = draw(st.sampled_from([frozenset[str](), frozenset[str](), frozenset({"city"})]))
    return Reading(FeatureRecord(values, times, 1, "0" * 32), "fast", expired=expired)


OVERRIDES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.just({}),
    USUAL.map(dict),
    st.dictionaries(st.sampled_from([*NAMES, "colour"]), VALUES, max_size=3),
)


@settings(max_examples=400, deadline=None)
@given(which=st.integers(0, 1), cases=st.lists(st.tuples(OVERRIDES, readings()), min_size=1, max_size=6))
def test_many_rows_are_what_each_is_alone(which: int, cases: list[tuple[Mapping[str, Any], Reading]]) -> None:
    contract = CONTRACTS[which]
    rows = RowPlan(contract).resolve([asked for asked, _ in cases], [reading for _, reading in cases], NOW)
    for position, ((asked, reading), found) in enumerate(zip(cases, rows.resolved, strict=True)):
        expected = _one(contract, asked, reading)
        if isinstance(expected, EbbError):
            assert isinstance(found, EbbError)
            assert (type(found), str(found)) == (type(expected), str(expected))
            continue
        assert isinstance(found, Resolved)
        assert _plain(found) == _plain(expected)
        if not expected.problems:
            alone = encode(contract, [expected.accepted(contract)])
            assert rows.inputs.numbers[position].tobytes() == alone.numbers[0].tobytes()
            assert rows.inputs.categories[position].tolist() == alone.categories[0].tolist()


def _one(contract: Contract, asked: Mapping[str, Any], reading: Reading) -> Resolved | EbbError:
    try:
        return resolve(contract, accept_some(contract, asked), reading, NOW)
    except EbbError as error:
        return error


def _plain(resolved: Resolved) -> dict[str, Any]:
    """Return what it says, with NaN made comparable and orders that mean nothing taken out."""
    row = {name: None if value != value or value == "" else value for name, value in resolved.row.items()}  # noqa: PLR0124
    return {
        "row": row,
        "ages": dict.fromkeys(row, resolved.ages) if isinstance(resolved.ages, float) else dict(resolved.ages),
        "oldest": resolved.oldest,
        "unseen": sorted(resolved.unseen),
        "request": sorted(resolved.request),
        "defaults": sorted(resolved.defaults),
        "stale": list(resolved.stale),
        "problems": resolved.problems,
        "tier": resolved.tier,
        "provenance": sorted(
            (name, group["tier"], str(group["age_seconds"]))
            for group in resolved.provenance()
            for name in group["features"]
        ),
        "complete": resolved.complete,
    }


def test_a_usual_row_takes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = RowPlan(tiny_contract())

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(RowPlan, "_one_by_one", never)
    times = dict.fromkeys(ROW, NOW - 60)
    values = [ROW, {**ROW, "spend": None}, {**ROW, "city": ""}, {**ROW, "plan": "new"}, dict(reversed(ROW.items()))]
    rows = plan.resolve([{}] * 5, [Reading(FeatureRecord(value, times, 1), "fast") for value in values], NOW)
    assert all(isinstance(found, Resolved) for found in rows.resolved)
    assert math.isnan(rows.inputs.numbers[1, 1])
    assert plan.resolve([{"tenure": 7}], [Reading(FeatureRecord(ROW, times, 1), "fast")], NOW).inputs.numbers[0, 0] == 7
    assert len(plan.resolve([ROW], [Reading(trouble="away")], NOW).inputs) == 1


def test_a_contract_without_categories_or_with_one_feature_has_rows_too() -> None:
    start = TEXT.index("[[features]]")
    only = '[[features]]\nname = "tenure"\nkind = "integer"\nmin = 0\nmax = 9\n'
    head = TEXT[:start].replace('[[rules.adjust]]\nfeature = "plan"\nequals = "basic"\nadd = 0.1\n', "")
    contract = parse_contract(head + only, "one.toml")
    rows = RowPlan(contract).resolve([{"tenure": 3}, {"tenure": 10}], [Reading(), Reading()], NOW)
    assert rows.inputs.numbers[0].tolist() == [3.0]
    assert rows.inputs.categories.shape == (2, 0)
    assert isinstance(rows.resolved[1], EbbError)
    texts = parse_contract(
        head.replace('feature = "tenure"\nbelow = 12', 'feature = "c"\nequals = "a"')
        + '[[features]]\nname = "c"\nkind = "category"\n',
        "text.toml",
    )
    rows = RowPlan(texts).resolve([{"c": "a"}], [Reading()], NOW)
    assert (rows.inputs.numbers.shape, rows.inputs.categories.tolist()) == ((1, 0), [["a"]])


def test_numbers_are_float32_of_what_was_sent() -> None:
    plan = RowPlan(tiny_contract())
    row = {**ROW, "spend": 0.1}
    rows = plan.resolve([row], [Reading()], NOW)
    assert rows.inputs.numbers[0, 1] == np.float32(0.1)
    found = rows.resolved[0]
    assert isinstance(found, Resolved)
    assert found.row["spend"] == 0.1
