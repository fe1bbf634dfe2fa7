"""Which value of each feature is used: the request's, the stored one, the default, or missing."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ebb.contract.model import Contract, Feature, Value, WhenStale
from ebb.errors import StaleFeatures
from ebb.features.values import Refused, accept
from ebb.ports import FeatureRecord


@dataclass
class Resolved:
    """The values of one prediction.

    Attributes:
        row: accepted values by feature, complete unless `problems` is not empty.
        ages: seconds since the event time of each stored value used.
        sources: names of the features taken from the `request` or the `default`s, and those used though `stale`.
        problems: why the model cannot be used, without any value.
    """

    row: dict[str, float | str] = field(default_factory=dict)
    ages: dict[str, float] = field(default_factory=dict)
    request: list[str] = field(default_factory=list)
    defaults: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def known(self) -> dict[str, Value]:
        """Return the raw values that the rules may use."""
        return {name: None if value == "" or value != value else value for name, value in self.row.items()}  # noqa: PLR0124


def resolve(
    contract: Contract, overrides: Mapping[str, float | str], record: FeatureRecord | None, now: float
) -> Resolved:
    """Choose every feature's value.

    Args:
        contract: the release's.
        overrides: accepted values that the request brought.
        record: what the store holds; None where it holds nothing.
        now: epoch seconds.

    Raises:
        StaleFeatures: a value is older than its `max_age`, and the contract says refuse.
    """
    resolved = Resolved()
    for feature in contract.features:
        name = feature.name
        if name in overrides:
            resolved.row[name] = overrides[name]
            resolved.request.append(name)
        elif record is not None and name in record.values:
            _stored(feature, record.values[name], max(0.0, now - record.event_times[name]), resolved)
        else:
            _absent(feature, resolved)
    return resolved


def _stored(feature: Feature, value: Value, age: float, resolved: Resolved) -> None:
    if feature.max_age is not None and age > feature.max_age:
        if feature.when_stale is WhenStale.REFUSE:
            raise StaleFeatures(f"{feature.name} is older than its max_age: write a newer value first")
        resolved.stale.append(feature.name)
        if feature.when_stale is WhenStale.DEGRADE:
            resolved.problems.append(f"{feature.name} is stale")
            return
    if value is None and feature.default is not None:
        _absent(feature, resolved)
        return
    try:
        resolved.row[feature.name] = accept(feature, value)
    except Refused as refused:
        resolved.problems.append(f"the stored {feature.name} {refused}")
        return
    resolved.ages[feature.name] = age


def _absent(feature: Feature, resolved: Resolved) -> None:
    if feature.default is not None:
        resolved.row[feature.name] = accept(feature, feature.default)
        resolved.defaults.append(feature.name)
    elif feature.missing:
        resolved.row[feature.name] = "" if feature.is_category else math.nan
    else:
        resolved.problems.append(f"{feature.name} is missing")
