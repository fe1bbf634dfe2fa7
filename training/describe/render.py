"""A description as the text of a contract, with a comment on whatever needs review."""

from collections.abc import Iterator, Sequence
from typing import Any

from ebb.contract import Adjustment, Feature
from ebb.contract.feature import Written
from training.describe.model import Description, Guess, LeftOut

_LONGEST_LINE = 110
_DECISION = """\
# When to act: what an action costs, what an entity is worth that it keeps, and how often it does.
# REVIEW: these four are placeholders; only you know the real ones.
[decision]
action_cost = 10.0
retained_value = 100.0
success_rate = 0.3
currency = "USD"

# What a release must reach before it may serve.
# REVIEW: cautious starting points; raise them to what your first releases reach.
[gates]
min_auc = 0.6
max_calibration_error = 0.05
min_profit_over_nothing = 0.0
max_parity = 1e-6
# REVIEW: the largest difference in the share acted on between groups of a protected feature.
# max_fairness_gap = 0.1
"""


def render(description: Description) -> str:
    """Return the contract's TOML text; it parses, and accepts the table it was made from."""
    parts = ["\n".join(_head(description)), _DECISION, "\n".join(_rules(description))]
    parts.extend("\n".join(_feature(guess)) for guess in description.guesses)
    parts.extend("\n".join(_doubted(left, left.feature)) for left in description.left_out if left.feature is not None)
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def quoted(text: str) -> str:
    """Return a TOML basic string; whatever is not printable is escaped."""
    return '"' + "".join(_escape(c) for c in text) + '"'


def _head(description: Description) -> Iterator[str]:
    yield f"# A first contract, guessed from {description.rows:,} rows. Read each line marked REVIEW or LEAK."
    yield f"name = {quoted(description.name)}"
    yield "# REVIEW: what is scored, and what for; it is the title of the model card."
    yield f"description = {quoted(f'Which rows have {description.label.column} = {description.label.positive}')}"
    yield ""
    yield _comment(f"REVIEW: the entity's key column ({description.entity_told}).")
    if description.entity is None:
        yield "# Without [entity] the entity is the 1-based row number."
    else:
        yield "[entity]"
        yield f"column = {quoted(description.entity)}"
    if description.event_time is not None:
        yield ""
        yield "# REVIEW: the moment as of which a row's features are true; an entity may have one row a moment."
        yield "[event_time]"
        yield f"column = {quoted(description.event_time)}"
    yield ""
    yield _comment(
        f"REVIEW: {description.positive_rate:.1%} of the rows are positive. "
        f"The positive value is {description.label_told}."
    )
    yield "[label]"
    yield f"column = {quoted(description.label.column)}"
    yield f"positive = {quoted(description.label.positive)}"
    yield "# REVIEW: days after a prediction until its outcome is known for sure."
    yield f"window_days = {description.label.window_days}"
    if description.left_out:
        yield ""
        yield "# REVIEW: columns left out:"
        for left in description.left_out:
            yield _comment(f"  {left.column!r}: {left.reason}")


def _rules(description: Description) -> Iterator[str]:
    yield "# The answer when features cannot be had: base, plus what applies, kept within 0 and 1."
    yield "# REVIEW: derived from single splits of the data."
    yield "[rules]"
    yield f"base = {number(description.rules.base)}"
    if description.rules.adjustments:
        yield "adjust = ["
        for adjustment in description.rules.adjustments:
            condition = f"feature = {quoted(adjustment.feature)}, {_condition(adjustment)}"
            yield f"    {{ {condition}, add = {number(adjustment.add)} }},"
        yield "]"


def _condition(adjustment: Adjustment) -> str:
    if adjustment.missing:
        return "missing = true"
    if adjustment.below is not None:
        return f"below = {number(adjustment.below)}"
    if adjustment.at_least is not None:
        return f"at_least = {number(adjustment.at_least)}"
    return f"equals = {value(adjustment.equals)}"


def _feature(guess: Guess) -> Iterator[str]:
    for told in guess.told:
        yield _comment(told)
    yield from _keys(guess.feature)


def _doubted(left: LeftOut, feature: Feature) -> Iterator[str]:
    yield _comment(f"REVIEW: {left.column!r} is left out: {left.reason}")
    yield from map(_comment, _keys(feature))


def _keys(feature: Feature) -> Iterator[str]:
    yield "[[features]]"
    yield f"name = {quoted(feature.name)}"
    if feature.column != feature.name:
        yield f"column = {quoted(feature.column)}"
    yield f"kind = {quoted(feature.kind)}"
    if feature.unit:
        yield f"unit = {quoted(feature.unit)}"
    if feature.written is not Written.PLAIN:
        yield f"written = {quoted(feature.written)}"
    if feature.minimum is not None:
        yield f"min = {number(feature.minimum)}"
    if feature.maximum is not None:
        yield f"max = {number(feature.maximum)}"
    if feature.categories:
        yield from _list("categories", feature.categories)
    for key in ("missing", "personal", "protected"):
        if getattr(feature, key):
            yield f"{key} = true"


def _list(key: str, texts: Sequence[str]) -> Iterator[str]:
    """Write a list on one line, or on several where it is long."""
    line = f"{key} = [{', '.join(map(quoted, texts))}]"
    if len(line) <= _LONGEST_LINE:
        yield line
        return
    yield f"{key} = ["
    line = "   "
    for text in texts:
        if len(line) + len(quoted(text)) > _LONGEST_LINE:
            yield line
            line = "   "
        line += f" {quoted(text)},"
    yield line
    yield "]"


def number(given: float) -> str:
    """Return a TOML number: whole ones without a point where that is readable."""
    return f"{given:.0f}" if given.is_integer() and abs(given) < 1e15 else repr(given)  # noqa: PLR2004 - readable


def value(given: Any) -> str:
    """Return a TOML text, flag or number."""
    if isinstance(given, str):
        return quoted(given)
    return str(given).lower() if isinstance(given, bool) else number(float(given))


def _comment(text: str) -> str:
    return "# " + "".join(_escape(c) if not c.isprintable() else c for c in text)


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - the longer escape
