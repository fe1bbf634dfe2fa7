"""A contract becomes frozen values, and every mistake in it names its line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.contract import Kind, Unseen, WhenStale, parse_contract
from ebb.contract.durations import seconds
from ebb.contract.lines import key_lines, line_of
from ebb.errors import ContractError
from tests.fakes.contracts import TEXT


def test_everything_a_contract_says_is_read() -> None:
    contract = parse_contract(TEXT)
    assert contract.name == "tiny"
    assert contract.entity_column == "id"
    assert (contract.label.column, contract.label.positive, contract.label.window_days) == ("left", "yes", 30)
    assert contract.decision.currency == "EUR"
    assert [f.name for f in contract.numbers] == ["tenure", "spend", "paperless"]
    assert [f.name for f in contract.categories] == ["plan", "city"]
    tenure = contract.by_name["tenure"]
    assert (tenure.kind, tenure.minimum, tenure.maximum, tenure.unit) == (Kind.INTEGER, 0, 120, "months")
    assert (tenure.max_age, tenure.when_stale) == (30 * 86400, WhenStale.DEGRADE)
    assert contract.by_name["spend"].column == "Monthly  spend"
    assert contract.by_name["plan"].unseen is Unseen.ALLOW
    assert contract.rules.adjustments[1].equals == "basic"
    assert contract.gates.max_parity == 1e-6
    assert contract.gates.max_fairness_gap is None
    assert contract.gates.smallest_group == 50


def test_gates_of_groups_are_read() -> None:
    lines = "smallest_group = 80\nmax_opportunity_gap = 0.2\nmax_group_calibration_error = 0.05\n"
    gates = parse_contract(TEXT.replace("min_auc = 0.6", f"{lines}min_profit_over_everyone = 1\nmin_auc = 0.6")).gates
    assert (gates.smallest_group, gates.max_opportunity_gap, gates.max_group_calibration_error) == (80, 0.2, 0.05)
    assert gates.min_profit_over_everyone == 1


def _line_of(text: str) -> int:
    return next(i for i, line in enumerate(TEXT.splitlines(), 1) if line == text)


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ('unit = "months"', 'units = "months"', 'unit = "months"', "unknown key `units`; did you mean `unit`"),
        ("max = 120", "max = -1", "min = 0", "impossible range"),
        ("max = 120", 'max = "much"', "max = 120", "must be a finite number"),
        ("max = 120", "max = nan", "max = 120", "must be a finite number"),
        ('name = "spend"', 'name = "tenure"', 'name = "spend"', "two features are named `tenure`"),
        ('name = "spend"', 'name = "my spend"', 'name = "spend"', "must be letters, digits and _"),
        ('kind = "flag"', 'kind = "boolean"', 'kind = "flag"', "must be one of number, integer, category, flag"),
        ('max_age = "30d"', 'max_age = "soon"', 'max_age = "30d"', "must be a positive duration"),
        ('max_age = "30d"', 'max_age = "0s"', 'max_age = "30d"', "must be a positive duration"),
        ('when_stale = "degrade"', 'when_stale = "panic"', 'when_stale = "degrade"', "must be one of serve"),
        ("default = false", "default = 7", "default = false", "`default` is not true, false, 1 or 0"),
        ("default = false", "min = 0", "default = false", "is for numbers and integers"),
        ('categories = ["basic", "plus"]', 'categories = ["a", "a"]', 'categories = ["basic", "plus"]', "twice"),
        ('categories = ["basic", "plus"]', 'unseen = "refuse"', 'categories = ["basic", "plus"]', "needs a list"),
        ("personal = true", 'personal = "yes"', "personal = true", "must be true or false"),
        ("success_rate = 0.25", "success_rate = 25", "success_rate = 0.25", "between 0 and 1"),
        ("success_rate = 0.25", "success_rate = 0", "[decision]", "no action could ever pay"),
        ("min_auc = 0.6", "min_auc = 1.2", "min_auc = 0.6", "between 0.5 and 1"),
        ("min_auc = 0.6", "min_auc = 0.6\nsmallest_group = 1", "max_calibration_error = 0.1", "between 2 and"),
        ("min_auc = 0.6", "min_auc = 0.6\nsmallest_group = 9.5", "max_calibration_error = 0.1", "whole number of rows"),
        (
            "min_auc = 0.6",
            "min_auc = 0.6\nsmalest_group = 9",
            "max_calibration_error = 0.1",
            "did you mean `smallest_group`",
        ),
        ("min_auc = 0.6", "min_auc = 0.6\nmax_opportunity_gap = 2", "max_calibration_error = 0.1", "between 0 and 1"),
        (
            "min_auc = 0.6",
            "min_auc = 0.6\nmax_group_calibration_error = -1",
            "max_calibration_error = 0.1",
            "between 0 and 1",
        ),
        (
            "min_auc = 0.6",
            'min_auc = 0.6\nmin_profit_over_everyone = "x"',
            "max_calibration_error = 0.1",
            "a finite number",
        ),
        ('feature = "plan"', 'feature = "plans"', 'feature = "plan"', "no feature of this contract"),
        ('equals = "basic"', "", "[[rules.adjust]]", "exactly one of"),
        ('column = "Monthly  spend"', 'column = "left"', 'column = "Monthly  spend"', "already used by the label"),
        ("base = 0.2", "base = 2", "base = 0.2", "between 0 and 1"),
        ('equals = "basic"', "equals = 3", 'equals = "basic"', "can never hold: the value is not a text"),
        ('equals = "basic"', "missing = false", 'equals = "basic"', "can only be true"),
        ("window_days = 30", "window_days = 30.5", "window_days = 30", "whole number of days"),
        ('positive = "yes"', "positive = nan", 'positive = "yes"', "which no label can be"),
        ('positive = "yes"', 'positive = " "', 'positive = "yes"', "which no label can be"),
        ("default = false", "default = false\nmissing = true", "default = false", "exclude each other"),
        ('column = "left"', 'colum = "left"', "[label]", "`column` is missing"),
        ('name = "tiny"', 'name = "Tiny Co"', 'name = "tiny"', "lower-case letters"),
    ],
)
def test_a_mistake_names_its_line(old: str, new: str, at: str, says: str) -> None:
    with pytest.raises(ContractError, match=re.escape(says)) as caught:
        parse_contract(TEXT.replace(old, new, 1), "tiny.toml")
    expected = _line_of(at)
    if at == "[[rules.adjust]]":
        expected = [i for i, line in enumerate(TEXT.splitlines(), 1) if line == at][1]
    assert caught.value.line == expected
    assert str(caught.value).startswith(f"tiny.toml, line {expected}: ")


def test_text_that_is_no_toml_names_the_line() -> None:
    with pytest.raises(ContractError, match="not valid TOML") as caught:
        parse_contract(TEXT.replace("base = 0.2", "base = = 0.2"))
    assert caught.value.line == _line_of("base = 0.2")


@pytest.mark.parametrize("table", ["label", "decision", "gates", "rules"])
def test_a_missing_table_is_named(table: str) -> None:
    head, _, rest = TEXT.partition(f"[{table}]\n")
    rest = rest[rest.index("\n[") + 1 :]
    if table == "rules":
        rest = rest[rest.index("[[features]]") :]
    with pytest.raises(ContractError, match=f"`{table}` is missing"):
        parse_contract(head + rest)


def test_no_features_at_all_is_refused() -> None:
    with pytest.raises(ContractError, match="at least one feature"):
        parse_contract(TEXT[: TEXT.index("[[rules.adjust]]")])


def test_tables_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(ContractError, match=r"must be a table: write \[label\]"):
        parse_contract('name = "x"\nlabel = 3\n' + TEXT[TEXT.index("[[features]]") :])
    with pytest.raises(ContractError, match=r"write \[\[features\]\]"):
        parse_contract('name = "x"\nfeatures = 3\n')


def test_a_boolean_positive_value_is_text_as_tables_spell_it() -> None:
    assert parse_contract(TEXT.replace('positive = "yes"', "positive = true")).label.positive == "true"
    assert parse_contract(TEXT.replace('positive = "yes"', "positive = 1")).label.positive == "1"


@pytest.mark.parametrize(("text", "expected"), [("90s", 90), ("1.5h", 5400), ("15m", 900), (" 2 d ", 172800)])
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


def test_lines_survive_multi_line_values_and_comments() -> None:
    text = 'a = """\nb = 1\n"""\nc = [ # [\n  1,\n  "]",\n]\n[x."y z"]\nd.e = 2\n[[t]]\nf = 1\n[[t]]\nf = 2\n'
    lines = key_lines(text)
    assert lines[("a",)] == 1
    assert ("b",) not in lines
    assert lines[("c",)] == 4
    assert lines[("x", "y z", "d", "e")] == 9
    assert (lines[("t", 0, "f")], lines[("t", 1, "f")]) == (11, 13)
    assert line_of(lines, ("t", 1, "unknown")) == 12
    assert line_of(lines, ("nowhere",)) is None


@given(st.text(max_size=200))
def test_no_text_whatever_breaks_the_parser(text: str) -> None:
    with pytest.raises(ContractError):
        parse_contract(text)


@given(st.integers(0, len(TEXT)), st.sampled_from(["", "[", "]", '"', "x", "=", "\n", "#", "nan", "-"]))
def test_a_damaged_contract_is_read_or_refused_with_a_sentence(at: int, inserted: str) -> None:
    try:
        parse_contract(TEXT[:at] + inserted + TEXT[at:])
    except ContractError as error:
        assert len(str(error)) > 20
