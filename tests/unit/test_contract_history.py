"""How long past values are kept: the contract's `[history]`."""

import re

import pytest

from ebb.contract import parse_contract
from ebb.errors import ContractError
from tests.fakes.contracts import TEXT

_DAY = 86400.0


def test_history_is_kept_two_years_where_nothing_is_said() -> None:
    assert parse_contract(TEXT).history_keep == 730 * _DAY
    assert parse_contract(TEXT + "\n[history]\n").history_keep == 730 * _DAY


@pytest.mark.parametrize(("keep", "days"), [("30d", 30), ("48h", 2), ("1.5d", 1.5), ("36500d", 36500)])
def test_the_kept_time_is_read_as_seconds(keep: str, days: float) -> None:
    assert parse_contract(f'{TEXT}\n[history]\nkeep = "{keep}"\n').history_keep == days * _DAY


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('keep = "soon"', "must be a positive duration"),
        ("keep = 30", "must be a text in quotes"),
        ('keep = "1h"', 'must be between "1d" and "36500d"'),
        ('keep = "40000d"', 'must be between "1d" and "36500d"'),
        ('keeps = "30d"', "unknown key `keeps`; did you mean `keep`?"),
    ],
)
def test_an_impossible_time_names_its_line(line: str, says: str) -> None:
    text = f"{TEXT}\n[history]\n{line}\n"
    with pytest.raises(ContractError, match=re.escape(says)) as caught:
        parse_contract(text)
    assert caught.value.line == len(text.splitlines())
