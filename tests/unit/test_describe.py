"""A first contract from a table: it always parses, it accepts its own table, and it says what it guessed."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.contract import Kind, parse_contract
from ebb.errors import DataError
from training.dataset import accept_table, read_dataset, read_table
from training.describe import Description, Guess, describe, render
from training.describe.names import feature_name

ROWS = 400
RANDOM = np.random.default_rng(5)
LABELS = [str(v) for v in np.where(RANDOM.random(ROWS) < 0.3, "Yes", "No")]


def described(columns: dict[str, object], **more: str) -> Description:
    return describe(pa.table({**columns, "Churn": LABELS}), "Churn", name="x", **more)


def guess(values: object, name: str = "x") -> Guess:
    found = described({name: values, "other": list(RANDOM.random(ROWS))}).guesses[0]
    assert found.feature.column == name
    return found


def left_out(values: object, name: str = "x") -> str:
    found = {left.column: left.reason for left in described({name: values, "n": list(RANDOM.random(ROWS))}).left_out}
    return found[name]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0.5 * i for i in range(ROWS)], Kind.NUMBER),
        ([i % 7 for i in range(ROWS)], Kind.INTEGER),
        ([float(i % 7) for i in range(ROWS)], Kind.INTEGER),
        ([None, *map(float, range(1, ROWS))], Kind.INTEGER),
        ([10.0 * i for i in range(ROWS)], Kind.NUMBER),
        ([str(1.5 * i) if i else " " for i in range(ROWS)], Kind.NUMBER),
        ([i % 2 for i in range(ROWS)], Kind.FLAG),
        ([i % 2 == 0 for i in range(ROWS)], Kind.FLAG),
        ([("Yes", "No", "")[i % 3] for i in range(ROWS)], Kind.FLAG),
        ([("F", "M")[i % 2] for i in range(ROWS)], Kind.CATEGORY),
        ([f"0213{i % 5}" for i in range(ROWS)], Kind.CATEGORY),
        ([f"c{i % 60}" for i in range(ROWS)], Kind.CATEGORY),
    ],
)
def test_kinds(values: list[object], kind: Kind) -> None:
    found = guess(values)
    assert found.feature.kind is kind
    assert found.feature.missing == any(value in (None, "", " ") for value in values)


@pytest.mark.parametrize(
    ("low", "high", "minimum", "maximum", "told"),
    [
        (18.25, 118.75, 0, 200, "seen 18.25 to 118.75"),
        (-3.2, 0.07, -5, 0.1, "seen -3.2 to 0.07"),
        (-7.5, -2.5, -10, 0, "seen -7.5 to -2.5"),
        (0.0, 1.0, 0, 1, "seen 0 to 1"),
        (0.1, 2.0**53 + 2, 0, 1e16, "seen 0.1 to 9.0072e+15"),
    ],
)
def test_ranges_are_rounded_outwards(low: float, high: float, minimum: float, maximum: float, told: str) -> None:
    found = guess([low, high, *np.linspace(low, high, ROWS - 2)])
    assert (found.feature.minimum, found.feature.maximum) == (minimum, maximum)
    assert told in found.told


def test_few_categories_are_listed_and_many_are_counted() -> None:
    assert guess([("b", "a", "c")[i % 3] for i in range(ROWS)]).feature.categories == ("a", "b", "c")
    assert len(guess([f"c{i % 50}" for i in range(ROWS)]).feature.categories) == 50
    many = guess([f"c{i % 51}" for i in range(ROWS)])
    assert many.feature.categories == ()
    assert "51 categories seen" in many.told


def test_ten_thousand_categories_ask_for_review() -> None:
    rows = 20_000
    table = pa.table({"cell": [f"c{i % 10_000}" for i in range(rows)], "y": [i % 3 == 0 for i in range(rows)]})
    found = describe(table, "y", name="x").guesses[0]
    assert "10,000 categories seen" in found.told
    assert any("learned poorly" in told for told in found.told)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (pa.nulls(ROWS), "all values are missing"),
        ([" "] * ROWS, "all values are missing"),
        ([7] * ROWS, "constant"),
        (["a"] * ROWS, "constant"),
        (pa.array(range(ROWS), pa.time32("s")), "holds time32"),
        (pa.array(range(ROWS), pa.duration("s")), "holds duration"),
        (["x" if i == 7 else f"{i}.5" for i in range(ROWS)], "numbers, but for 1 cells (row 8)"),
        ([f"note number {i}" for i in range(ROWS)], "identifier or free text"),
        ([("x" * 300, "y")[i % 2] for i in range(ROWS)], "longer than the 256"),
        ([("a\0", "y")[i % 2] for i in range(ROWS)], "NUL"),
        ([[i] for i in range(ROWS)], "holds list"),
    ],
)
def test_columns_that_are_no_features_are_left_out(values: object, reason: str) -> None:
    assert reason in left_out(values)


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([f"2024-{i % 12 + 1:02d}-01" for i in range(ROWS)], "yyyy-mm-dd"),
        ([f"2024-{i % 12 + 1:02d}-01T10:00:00Z" for i in range(ROWS)], "yyyy-mm-dd"),
        ([f"{i % 28 + 1}.3.2024" for i in range(ROWS)], "dd/mm/yyyy"),
        ([f"{i % 12 + 1}/15/24" for i in range(ROWS)], "mm/dd/yyyy"),
        ([f"Mar {i % 28 + 1}, 2024" for i in range(ROWS)], "5 January 2024"),
        ([20240100 + i % 28 + 1 for i in range(ROWS)], "yyyymmdd"),
        (pa.array(range(ROWS), pa.timestamp("s")), "yyyy-mm-dd"),
        ([1_700_000_000 + 977 * i for i in range(ROWS)], "epoch seconds"),
        ([(1_700_000_000 + 977 * i) * 1_000 for i in range(ROWS)], "epoch milliseconds"),
    ],
)
def test_dates_become_days_that_a_request_can_carry(values: object, written: str) -> None:
    found = guess(values, "joined_on")
    assert (found.feature.kind, found.feature.written) == (Kind.NUMBER, written)
    assert found.feature.unit == "days since 1970-01-01"
    assert (found.feature.minimum, found.feature.maximum) == (None, None)
    assert any(told.startswith("REVIEW: dates") for told in found.told)


@pytest.mark.parametrize("name", ["churned_on", "contract_end_date", "last_login", "updated_at", "cancellation date"])
def test_dates_of_the_outcome_and_moving_ones_wait_for_review(name: str) -> None:
    days = [f"2024-{i % 12 + 1:02d}-01" for i in range(ROWS)]
    found = described({name: days, "n": list(RANDOM.random(ROWS))})
    assert [guess.feature.column for guess in found.guesses] == ["n"]
    assert found.left_out[0].column == name
    text = render(found)
    assert '# written = "yyyy-mm-dd"' in text
    assert len(parse_contract(text).features) == 1
    taken = parse_contract(re.sub(r"^# (\[\[features|\w+ = )", r"\1", text, flags=re.MULTILINE))
    assert taken.by_name[feature_name(name, set())].written == "yyyy-mm-dd"


def test_a_date_that_only_one_outcome_has_waits_for_review() -> None:
    days = [f"2024-{i % 12 + 1:02d}-01" if said == "Yes" and i % 3 else "" for i, said in enumerate(LABELS)]
    assert "gives the outcome away" in left_out(days, "some day")


def test_columns_that_only_one_outcome_fills_are_named() -> None:
    reasons = ["price" if said == "Yes" and i % 3 else "" for i, said in enumerate(LABELS)]
    found = guess(reasons)
    assert "all of the" in found.gives
    assert any(told.startswith("LEAK? all of the") for told in found.told)
    mixed = ["closed" if said == "Yes" and i % 3 else "open" for i, said in enumerate(LABELS)]
    assert "1 of its texts" in guess(mixed).gives
    assert not guess(["a" if i % 3 else "" for i in range(ROWS)]).gives


def test_the_only_key_is_taken_as_the_entity() -> None:
    numbers = list(RANDOM.random(ROWS))
    keys = [f"{i:04d}-ABC" for i in range(ROWS)]
    found = described({"customerID": keys, "n": numbers})
    assert found.entity == "customerID"
    assert "guessed" in found.entity_told
    asked = described({"customerID": keys, "n": numbers}, entity="customerID")
    assert (asked.entity, asked.entity_told) == ("customerID", "as asked for")


def test_a_count_of_rows_is_a_key_where_there_is_no_other_and_never_a_feature() -> None:
    numbers = list(RANDOM.random(ROWS))
    assert described({"nth": list(range(5, ROWS + 5)), "n": numbers}).entity == "nth"
    found = described({"nth": list(range(ROWS)), "id": [f"k{i}" for i in range(ROWS)], "n": numbers}, entity="id")
    assert [(left.column, left.reason) for left in found.left_out] == [("nth", "counts the rows")]


def test_two_keys_leave_the_choice_to_people() -> None:
    keys = [f"{i:04d}-ABC" for i in range(ROWS)]
    found = described({"customerID": keys, "account_key": keys[::-1], "n": list(RANDOM.random(ROWS))})
    assert found.entity is None
    assert "'customerID', 'account_key' could each be a key: choose one with --entity" in found.entity_told
    assert {left.column for left in found.left_out} == {"customerID", "account_key"}


def test_what_is_no_key_after_all() -> None:
    other = list(RANDOM.random(ROWS))
    blank = [" ", *(f"k{i}" for i in range(ROWS - 1))]
    broken = pa.Array.from_buffers(pa.string(), ROWS, pa.array([b"\xff", *([b"a"] * (ROWS - 1))]).buffers())
    prose = [f"call {i} was long" for i in range(ROWS)]
    for values in (blank, broken, prose, [i * 3 for i in range(ROWS)], [f"k{i % 399}" for i in range(ROWS)]):
        assert described({"code": values, "n": other}).entity is None


def test_a_few_rows_are_a_key_only_by_name() -> None:
    few = pa.table({"order": ["k1", "k2", "k3"], "n": [1.5, 2.5, 2.5], "y": [0, 1, 0]})
    assert describe(few, "y", name="x").entity is None
    assert describe(few.rename_columns(["order_id", "n", "y"]), "y", name="x").entity == "order_id"


def test_no_key_is_said_so() -> None:
    found = described({"email": [f"a{i}@b.org" for i in range(ROWS)], "n": list(RANDOM.random(ROWS))})
    assert found.entity is None
    assert "Without [entity] the entity is the 1-based row number" in render(found)


def test_an_entity_that_cannot_be() -> None:
    with pytest.raises(DataError, match="the table has no column 'nobody' to name the entity"):
        described({"n": list(RANDOM.random(ROWS))}, entity="nobody")
    with pytest.raises(DataError, match="repeats 1 key"):
        described({"id": ["a", "a", *map(str, range(ROWS - 2))]}, entity="id")
    with pytest.raises(DataError, match="'id' is missing in row 1"):
        described({"id": [None, *map(str, range(ROWS - 1))]}, entity="id")


@pytest.mark.parametrize(
    ("values", "positive", "told"),
    [
        (["No", "Yes", "No"], "Yes", "says yes"),
        ([False, True, False], "true", "says yes"),
        ([0, 1, 1], "1", "says yes"),
        (["stayed", "churned", "stayed"], "churned", "says yes"),
        (["red", "blue", "red"], "blue", "rarer"),
    ],
)
def test_the_positive_value_is_guessed(values: list[object], positive: str, told: str) -> None:
    table = pa.table({"n": [float(i * 1.5) for i in range(30)], "y": values * 10})
    found = describe(table, "y", name="x")
    assert found.label.positive == positive
    assert told in found.label_told
    assert describe(table, "y", positive=positive, name="x").label_told == "as asked for"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([1, 1, 1], "is constant"),
        ([1, 2, 3], r"has 3 values \('1', '2', '3'\)"),
        ([1, None, 0], "is missing in row"),
        ([None, None, None], "is empty in every row"),
        ([[1], [0], [1]], "must hold two plain values"),
    ],
)
def test_labels_that_cannot_be(values: list[object], says: str) -> None:
    with pytest.raises(DataError, match=says):
        describe(pa.table({"n": [1.5, 2, 3] * 10, "y": pa.array(values * 10)}), "y", name="x")


def test_a_label_that_is_not_there_or_never_positive() -> None:
    table = pa.table({"n": [1.5, 2.5], "Churn": [0, 1]})
    with pytest.raises(DataError, match=r"t\.csv has no column 'churn' for the label: did you mean 'Churn'"):
        describe(table, "churn", name="x", source="t.csv")
    with pytest.raises(DataError, match="never holds the contract's positive value 'maybe'"):
        describe(table, "Churn", positive="maybe", name="x")


def test_a_table_without_features() -> None:
    with pytest.raises(DataError, match="has no column that could be a feature: 'n': constant"):
        describe(pa.table({"n": [1, 1], "y": [0, 1]}), "y", name="x")


def test_a_leak_is_called_out_and_kept_for_review_but_out_of_the_rules() -> None:
    codes = {"Yes": 9.5, "No": 1.5}
    found = described({"refund": [codes[v] + 0.01 * i for i, v in enumerate(LABELS)], "n": list(RANDOM.random(ROWS))})
    assert found.guesses[0].leak
    assert not found.guesses[1].leak
    text = render(found)
    assert "# LEAK? refund alone predicts the label (out-of-fold AUC 1.000)" in text
    assert all(adjustment.feature != "refund" for adjustment in found.rules.adjustments)


def test_a_leak_by_category_or_by_gaps_is_seen_and_mere_noise_is_not() -> None:
    words = {"Yes": "moved away", "No": "none"}
    assert guess([words[v] for v in LABELS], "churn_reason").leak
    assert guess([2.5 + i if v == "Yes" else None for i, v in enumerate(LABELS)], "gap").leak
    assert not guess([f"c{i % 130}" for i in range(ROWS)]).leak
    assert not guess(list(RANDOM.random(ROWS))).leak


def test_names_that_sound_like_afterwards_are_listed_for_review() -> None:
    for name in ("Churn Reason", "cancel_fee", "contractEndDateCode_end_date", "ExitSurvey"):
        told = guess([i % 5 for i in range(ROWS)], name).told
        assert any("known only after the outcome" in sentence for sentence in told), name
    assert guess([i % 5 for i in range(ROWS)], "tenure").told == ("seen 0 to 4",)


def test_protected_and_personal_names_are_marked() -> None:
    for name, protected, personal in (
        ("gender", True, True),
        ("SeniorCitizen", True, True),
        ("Age Group", True, True),
        ("marital_status", True, True),
        ("zip_code", False, True),
        ("PhoneService", False, False),
        ("average_bill", False, False),
        ("Message count", False, False),
    ):
        feature = guess([i % 5 for i in range(ROWS)], name).feature
        assert (feature.protected, feature.personal) == (protected, personal), name


def test_values_of_personal_columns_stand_nowhere() -> None:
    found = described({"street": [f"Elm{i % 9}" for i in range(ROWS)], "income": [i % 9 + 4711 for i in range(ROWS)]})
    text = render(found)
    assert "Elm" not in text
    assert "471" not in text


def test_names_become_ones_that_a_contract_takes() -> None:
    columns: dict[str, object] = {
        name: [i % 5 for i in range(ROWS)] for name in ("Charge  Amount", "charge_amount", "7days", "ä", "größe")
    }
    found = described(columns)
    names = [g.feature.name for g in found.guesses]
    assert names == ["charge_amount", "charge_amount_2", "column_7_days", "column", "gr_e"] or len(set(names)) == 5
    contract = parse_contract(render(found))
    assert [f.column for f in contract.features] == list(columns)


def test_the_fallback_is_readable_and_better_than_nothing() -> None:
    label = np.array([v == "Yes" for v in LABELS])
    terms = np.where(label & (RANDOM.random(ROWS) < 0.8), "monthly", "yearly")
    found = described({"term": terms.tolist(), "noise": list(RANDOM.random(ROWS))})
    assert found.rules.base == round(float(label.mean()), 2)
    assert found.rules.adjustments[0].feature == "term"
    monthly = next(a for a in found.rules.adjustments if a.feature == "term")
    assert (monthly.add > 0) == (monthly.equals == "monthly")


def test_what_is_rendered_is_read_back() -> None:
    found = described({"n": list(RANDOM.random(ROWS)), "c": [f"c{i % 3}" for i in range(ROWS)]})
    contract = parse_contract(render(found))
    assert contract.rules == found.rules
    assert contract.gates.max_parity == 1e-6
    assert contract.gates.max_fairness_gap is None
    assert [f.kind for f in contract.features] == [g.feature.kind for g in found.guesses]
    assert render(found).count("REVIEW") >= 5


cell = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "Yes", "No", "NA", "1", "2.5", "007", "2024-01-31", "a\u2028b", '"', "\\", "[x]", "#", "\x7f"]
    ),
)
typed = st.one_of(
    st.lists(st.one_of(st.none(), st.floats(allow_infinity=False, width=32)), min_size=30, max_size=30).map(
        lambda v: pa.array(v, pa.float64())
    ),
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=30, max_size=30).map(
        lambda v: pa.array(v, pa.int64())
    ),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=30, max_size=30).map(lambda v: pa.array(v, pa.bool_())),
    st.lists(cell, min_size=30, max_size=30).map(lambda v: pa.array(v, pa.string())),
)
titles = st.one_of(st.text(max_size=12), st.sampled_from(["id", "Age", "a b", "customer_id", "end date"]))


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(titles.map(str.strip).filter(lambda t: t != "Churn"), typed, min_size=1, max_size=4))
def test_what_init_writes_always_parses_and_accepts_its_own_table(columns: dict[str, pa.Array]) -> None:
    table = pa.table({**columns, "Churn": ["Yes", "No", "No"] * 10})
    try:
        found = describe(table, "Churn", name="x")
    except DataError as error:
        assert "no column that could be a feature" in str(error)
        return
    contract = parse_contract(render(found))
    data = accept_table(contract, table, labelled=True, source="own")
    assert data.rows == 30
    assert not any("does not list" in note for note in data.notes)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "entity", "features"),
    [("telco/Telco-Customer-Churn.csv", "customerID", 19), ("iranian/churn.csv", None, 13)],
)
def test_the_real_tables(shared_data: Path, file: str, entity: str | None, features: int) -> None:
    found = describe(read_table(shared_data / file), "Churn", name="x")
    assert found.entity == entity
    assert len(found.guesses) == features
    assert not any(g.leak for g in found.guesses)
    contract = parse_contract(render(found))
    assert read_dataset(shared_data / file, contract).rows == found.rows
    if entity:
        total = contract.by_name["TotalCharges"]
        assert (total.kind, total.missing) == (Kind.NUMBER, True)
        assert {f.name for f in contract.features if f.protected} == {"gender", "SeniorCitizen"}
    else:
        assert contract.by_name["charge_amount"].column == "Charge  Amount"
