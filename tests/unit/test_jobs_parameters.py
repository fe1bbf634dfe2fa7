"""Parameters come as texts, and mean what they say or are refused by name."""

import math
import re
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import Misuse
from tests.home import ROOT
from training.jobs.parameters import amount_of, count_of, flag_of, text_of
from training.jobs.table import JOBS

NAME = "name"


def test_what_was_not_said_is_nothing() -> None:
    for given_ in ({}, {NAME: ""}, {NAME: "  "}):
        assert amount_of(given_, NAME) is None
        assert count_of(given_, NAME) is None
        assert text_of(given_, NAME) is None
    assert flag_of({}, NAME) is False


def test_what_was_said_is_what_it_means() -> None:
    assert amount_of({NAME: " 1.5 "}, NAME) == 1.5
    assert amount_of({NAME: "0"}, NAME) == 0
    assert count_of({NAME: "12"}, NAME) == 12
    assert text_of({NAME: " latest "}, NAME) == "latest"
    assert flag_of({NAME: "True"}, NAME)
    assert not flag_of({NAME: "0"}, NAME)


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "-inf", "1e999", "soon", "1,5", "true"])
def test_amounts_are_a_finite_number(text: str) -> None:
    with pytest.raises(Misuse, match="'name' must be a number, 0 or more"):
        amount_of({NAME: text}, NAME)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "1e3", "\u0663", "9" * 30, "many"])
def test_a_count_is_a_whole_number(text: str) -> None:
    with pytest.raises(Misuse, match="'name' must be a whole number, 1 or more"):
        count_of({NAME: text}, NAME)


@pytest.mark.parametrize("text", ["yes", "2", "", "truth"])
def test_a_flag_is_true_or_false(text: str) -> None:
    with pytest.raises(Misuse, match="'name' must be true or false"):
        flag_of({NAME: text}, NAME)


READERS: tuple[Callable[[Mapping[str, str], str], object], ...] = (amount_of, count_of, flag_of, text_of)


@given(text=st.text())
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    for read in READERS:
        try:
            value = read({NAME: text}, NAME)
        except Misuse as refused:
            assert "'name'" in str(refused)
        else:
            assert not isinstance(value, float) or math.isfinite(value)


@given(value=st.floats(min_value=0, allow_infinity=False))
def test_seconds_come_back(value: float) -> None:
    assert amount_of({NAME: repr(value)}, NAME) == value


@pytest.mark.parametrize("job", JOBS)
def test_a_job_is_let_be_told_what_it_reads_and_nothing_else(job: str) -> None:
    source = (ROOT / f"training/jobs/{job}.py").read_text()
    read = set(re.findall(r'_of\((?:container\.parameters|given), "(\w+)"', source))
    for names in re.findall(r"_of\(given, name\) for name in \(([^)]*)\)", source):
        read |= set(re.findall(r'"(\w+)"', names))
    assert read == set(JOBS[job].parameters)
    (row,) = [line for line in (ROOT / "docs/jobs.md").read_text().splitlines() if line.startswith(f"| `{job}` |")]
    assert set(re.findall(r"`(\w+)`", row.split("|")[4])) <= read, "the page promises no other"
