"""Whether a policy's condition holds for a request ("IAM JSON policy elements: Condition operators")."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from tests.stacks.statements import Condition

Context = Mapping[str, str | Sequence[str]]
"""What is known of a request, by condition key; keys are the same in any case."""


class UnknownOperator(ValueError):
    """A condition uses an operator that is not read here."""


@cache
def pattern(text: str) -> re.Pattern[str]:
    """Return what a text of a policy matches: `*` is any characters, `?` any one."""
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(one) or re.escape(one) for one in text), re.DOTALL)


def matches(text: str, name: str) -> bool:
    """Say whether a text of a policy matches a name whole."""
    return pattern(text).fullmatch(name) is not None


def _arn(text: str, name: str) -> bool:
    """Match two ARNs part by part: a wildcard does not reach over a colon but in the last part."""
    wanted, given = text.split(":", 5), name.split(":", 5)
    return len(wanted) == len(given) and all(matches(*pair) for pair in zip(wanted, given, strict=True))


def _bool(text: str, name: str) -> bool:
    return text.lower() == name.lower()


_SAME: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringEqualsIgnoreCase": _bool,
    "StringLike": matches,
    "ArnEquals": _arn,
    "ArnLike": _arn,
    "Bool": _bool,
    "NumericEquals": lambda text, name: float(name) == float(text),
    "NumericLessThan": lambda text, name: float(name) < float(text),
    "NumericLessThanEquals": lambda text, name: float(name) <= float(text),
    "NumericGreaterThan": lambda text, name: float(name) > float(text),
    "NumericGreaterThanEquals": lambda text, name: float(name) >= float(text),
}
_OPPOSITE = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
}


def holds(condition: Condition, context: Context) -> bool:
    """Say whether a condition holds.

    Raises:
        UnknownOperator: its operator is not read here.
    """
    given = {key.lower(): value for key, value in context.items()}.get(condition.key.lower())
    operator = condition.operator
    if operator == "Null":
        return (given is None) is (condition.values == ("true",))
    if operator.endswith("IfExists"):
        if given is None:
            return True
        operator = operator.removesuffix("IfExists")
    opposite = operator in _OPPOSITE
    same = _SAME.get(_OPPOSITE.get(operator, operator))
    if same is None:
        raise UnknownOperator(f"the operator {condition.operator} of {condition.key} is not read here")
    if given is None:
        return opposite
    found = any(
        same(text, name) for text in condition.values for name in ([given] if isinstance(given, str) else given)
    )
    return found is not opposite
