"""The words of a reason code: from the contract, and never a value."""

import pytest

from ebb.contract import Feature, Kind, parse_contract
from ebb.errors import ContractError
from ebb.features.inputs import accept_row
from ebb.onnx import OnnxScorer
from ebb.reasons import reason_codes
from tests.fakes.contracts import ROW, TEXT
from tests.fakes.releases import tiny_model

_TENURE = 'name = "tenure"\n'


@pytest.mark.parametrize(
    ("feature", "text"),
    [
        (Feature("months_left", "m", Kind.NUMBER), "months left"),
        (Feature("months_left", "m", Kind.NUMBER, description="Months until the contract ends"),
         "Months until the contract ends"),
        (Feature("months_left", "m", Kind.NUMBER, description="Long", reason="Time left in the contract"),
         "Time left in the contract"),
        (Feature("_", "m", Kind.NUMBER), "_"),
    ],
)  # fmt: skip
def test_a_feature_has_words(feature: Feature, text: str) -> None:
    assert feature.reason_text == text


def test_reasons_carry_the_contract_s_words() -> None:
    contract = parse_contract(TEXT.replace(_TENURE, _TENURE + 'reason = "How long the customer has been one"\n'))
    row = accept_row(contract, {**ROW, "tenure": 117, "city": "Zwevegem", "plan": "plus"})
    reasons = reason_codes(contract, OnnxScorer(tiny_model()), row, accept_row(contract, ROW), "r")
    assert {r.feature: r.text for r in reasons} == {
        "tenure": "How long the customer has been one",
        "city": "city",
        "plan": "plan",
    }
    assert not any(value in r.text for r in reasons for value in ("117", "Zwevegem", "plus"))


@pytest.mark.parametrize("told", ["3", "true", '""', '"  "', '"one\\nline and more"', f'"{"x" * 121}"', '["a"]'])
def test_impossible_words_name_their_line(told: str) -> None:
    with pytest.raises(ContractError, match="`reason` must be") as caught:
        parse_contract(TEXT.replace(_TENURE, f"{_TENURE}reason = {told}\n"), "tiny.toml")
    assert caught.value.line == TEXT.splitlines().index(_TENURE.strip()) + 2


def test_words_of_any_language_are_taken() -> None:
    text = "Dauer der Kundschaft, 契約の長さ"
    contract = parse_contract(TEXT.replace(_TENURE, f'{_TENURE}reason = "{text}"\n'))
    assert contract.by_name["tenure"].reason_text == text
