"""Which value of each feature is used: the request's, the stored one, the default, or missing."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ebb.contract.model import Contract, Feature, Value, WhenStale
from ebb.errors import StaleFeatures
from ebb.features.values import Refused, accept, is_missing
from ebb.store.reading import Reading

_SHOWN = 5
"""Missing features named before the rest is only counted."""


@dataclass
class Resolved:
    """The values of one prediction.

    Attributes:
        tier: where the stored values came from.
        row: accepted values by feature, complete unless `problems` says what is not.
        ages: seconds since the event time of each stored value used.
        sources: names of the features taken from the `request` or the `default`s, and those used though `stale`.
        missing: features without a value, though the contract needs one.
        refused: why stored values cannot be used, without any value.
    """

    tier: str = "none"
    row: dict[str, float | str] = field(default_factory=dict)
    ages: dict[str, float] = field(default_factory=dict)
    request: list[str] = field(default_factory=list)
    defaults: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether the request brought every feature."""
        return len(self.request) == len(self.row)

    @property
    def problems(self) -> list[str]:
        """Return why the model cannot be used; empty where it can."""
        if not self.missing:
            return self.refused
        shown, more = self.missing[:_SHOWN], len(self.missing) - _SHOWN
        verb = "is" if len(self.missing) == 1 else "are"
        rest = f" and {more} more" if more > 0 else ""
        return [f"{', '.join(shown)}{rest} {verb} missing", *self.refused]

    def unseen(self, contract: Contract) -> list[str]:
        """Return the features whose category is none of those that the contract lists."""
        return [name for name, known in contract.listed.items() if self.row.get(name, "") not in known]

    def provenance(self) -> dict[str, dict[str, str | float | None]]:
        """Return for each feature of the row where its value came from, and its age in seconds where that is known."""
        told: dict[str, dict[str, str | float | None]] = {
            name: {"tier": "missing", "age_seconds": None} for name in self.row
        }
        for name in self.defaults:
            told[name]["tier"] = "default"
        for name in self.request:
            told[name]["tier"] = "request"
        for name, age in self.ages.items():
            told[name] = {"tier": self.tier, "age_seconds": age}
        return told

    def known(self) -> dict[str, Value]:
        """Return the raw values that the rules may use."""
        return {name: None if value == "" or value != value else value for name, value in self.row.items()}  # noqa: PLR0124


def resolve(contract: Contract, overrides: Mapping[str, float | str], reading: Reading, now: float) -> Resolved:
    """Choose every feature's value.

    Args:
        contract: the release's.
        overrides: accepted values that the request brought.
        reading: what the store said.
        now: epoch seconds.

    Raises:
        StaleFeatures: a value is older than its `max_age`, and the contract says refuse.
    """
    resolved = Resolved(reading.tier)
    record = reading.record
    for feature in contract.features:
        name = feature.name
        if name in overrides:
            resolved.row[name] = overrides[name]
            resolved.request.append(name)
        elif record is not None and name in record.values:
            age = max(0.0, now - record.event_times[name])
            _stored(feature, record.values[name], age, resolved, expired=name in reading.expired)
        else:
            _absent(feature, resolved)
    return resolved


def _stored(feature: Feature, value: Value, age: float, resolved: Resolved, *, expired: bool) -> None:
    old = feature.max_age is not None and age > feature.max_age
    if old and feature.when_stale is WhenStale.REFUSE:
        raise StaleFeatures(f"{feature.name} is older than its max_age: write a newer value first")
    if old or expired:
        resolved.stale.append(feature.name)
        if feature.when_stale is not WhenStale.SERVE:
            why = "is stale" if old else "has left the fast tier, and the durable one does not answer"
            resolved.refused.append(f"{feature.name} {why}")
            return
    if is_missing(value) and feature.default is not None:
        _absent(feature, resolved)
        return
    try:
        resolved.row[feature.name] = accept(feature, value)
    except Refused as refused:
        resolved.refused.append(f"the stored {feature.name} {refused}")
        return
    resolved.ages[feature.name] = age


def _absent(feature: Feature, resolved: Resolved) -> None:
    if feature.default is not None:
        resolved.row[feature.name] = accept(feature, feature.default)
        resolved.defaults.append(feature.name)
    elif feature.missing:
        resolved.row[feature.name] = "" if feature.is_category else math.nan
    else:
        resolved.missing.append(feature.name)
