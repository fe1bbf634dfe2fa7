"""The fallback score: the contract's short table of rules, used when features cannot be had."""

from collections.abc import Mapping
from hashlib import sha256

from ebb.contract.model import Adjustment, Rules, Value
from ebb.features.values import is_missing


def rules_score(rules: Rules, known: Mapping[str, Value]) -> float:
    """Return the fallback probability.

    Args:
        rules: the contract's table.
        known: raw values, as far as they are known; the rest counts as missing.
    """
    score = rules.base + sum(a.add for a in rules.adjustments if _holds(a, known.get(a.feature)))
    return min(1.0, max(0.0, score))


def rules_version(rules: Rules) -> str:
    """Return 12 hex digits that change with any change of the rules."""
    return sha256(repr(rules).encode()).hexdigest()[:12]


def _holds(rule: Adjustment, value: Value) -> bool:
    if is_missing(value):
        return rule.missing
    if rule.equals is not None:
        return value == rule.equals
    if isinstance(value, str) or value is None:
        return False
    if rule.below is not None:
        return value < rule.below
    return rule.at_least is not None and value >= rule.at_least
