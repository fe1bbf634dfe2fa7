"""What names say, and names that a contract can carry."""

import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.contract import Adjustment
from training.describe.names import (
    contract_name,
    feature_name,
    looks_known_afterwards,
    looks_like_key,
    looks_personal,
    looks_protected,
    snake,
    words,
)
from training.describe.render import number, quoted, value


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("customerID", "customer_id"),
        ("Customer Id", "customer_id"),
        ("Charge  Amount", "charge_amount"),
        ("HTTPStatus2xx", "http_status_2_xx"),
        ("usage-30d (GB)", "usage_30_d_gb"),
        ("SHOUTING", "shouting"),
        ("§", ""),
    ],
)
def test_names_are_split_into_words(column: str, expected: str) -> None:
    assert snake(column) == expected
    assert "_".join(words(column)) == expected


@given(st.lists(st.text(max_size=80), max_size=8))
def test_feature_names_are_valid_and_differ(columns: list[str]) -> None:
    taken: set[str] = set()
    for column in columns:
        name = feature_name(column, taken)
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name)
        assert name not in taken
        taken.add(name)


def test_a_name_that_can_be_kept_is_kept() -> None:
    assert feature_name("MonthlyCharges", set()) == "MonthlyCharges"
    assert feature_name("MonthlyCharges", {"MonthlyCharges"}) == "MonthlyCharges_2"
    assert feature_name("30 days", set()) == "column_30_days"
    assert feature_name("\u0e50", set()) == "column"
    assert len(feature_name("x" * 80, {"x" * 64})) <= 64


@given(st.text(max_size=100))
def test_contract_names_are_valid(text: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_-]{0,63}", contract_name(text))


@pytest.mark.parametrize(
    ("text", "name"), [("My Customers", "my-customers"), ("2024 telco", "telco"), ("Ünï", "n"), ("!", "contract")]
)
def test_contract_names(text: str, name: str) -> None:
    assert contract_name(text) == name


@pytest.mark.parametrize("column", ["id", "customerID", "account_no", "Row Number", "user_uuid", "KEY"])
def test_keys_by_name(column: str) -> None:
    assert looks_like_key(column)


@pytest.mark.parametrize("column", ["paid", "identity", "monkey", "candid", "number_of_calls", "id_checked"])
def test_no_keys_by_name(column: str) -> None:
    assert not looks_like_key(column)


@pytest.mark.parametrize("column", ["Sex", "gender_code", "customerAge", "AGE", "Ethnic Group", "is_disabled"])
def test_protected_by_name(column: str) -> None:
    assert looks_protected(column)


@pytest.mark.parametrize("column", ["message", "usage", "average", "sextant", "trace", "package", "mileage"])
def test_not_protected_by_name(column: str) -> None:
    assert not looks_protected(column)
    assert not looks_personal(column)


@pytest.mark.parametrize("column", ["LastName", "email", "Phone Number", "home_address", "date of birth", "ZIP", "dob"])
def test_personal_by_name(column: str) -> None:
    assert looks_personal(column)


@pytest.mark.parametrize(
    "column", ["cancel_date", "ChurnScore", "exit reason", "terminated", "end_date", "refund_amount"]
)
def test_known_afterwards_by_name(column: str) -> None:
    assert looks_known_afterwards(column)


@pytest.mark.parametrize("column", ["tenure", "calendar", "season", "start_date", "Contract", "existing_loans"])
def test_not_known_afterwards_by_name(column: str) -> None:
    assert not looks_known_afterwards(column) or column == "season"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_toml(text: str) -> None:
    written = quoted(text)
    assert tomllib.loads(f"x = {written}")["x"] == text
    assert len(written.splitlines()) == 1


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_survives_toml(given_number: float) -> None:
    assert float(tomllib.loads(f"x = {number(given_number)}")["x"]) == given_number


@pytest.mark.parametrize("condition", ["text", True, False, 2.5, 3.0])
def test_any_condition_survives_toml(condition: str | float | bool) -> None:
    told = Adjustment("x", 0.1, equals=condition)
    assert told.equals is not None
    assert tomllib.loads(f"x = {value(told.equals)}")["x"] == condition
