"""Which value of each feature is used: the request's, the stored one, the default, or missing; one by one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ebb.contract.model import Contract, Feature, Value, WhenStale
from ebb.errors import StaleFeatures
from ebb.features.values import Refused, accept, is_missing
from ebb.store.reading import Reading

_SHOWN = 5
"""Missing features named before the rest is only counted."""


@dataclass(slots=True)
class Resolved:
    """The values of one prediction.

    Attributes:
        tier: where the stored values came from.
        row: accepted values by feature, complete unless `problems` says what is not; None, NaN or "" where missing.
        ages: seconds since the event time of each stored value used; one number where every value is stored and as
            old as the others.
        request: features taken from the request.
        defaults: features taken from the contract's defaults.
        stale: features that are too old, or have left the fast tier; used all the same where the contract says serve.
        missing: features without a value, though the contract needs one.
        refused: why stored values cannot be used, without any value.
        unseen: features whose category is none of those that the contract lists.
    """

    tier: str = "none"
    row: Mapping[str, Value] = field(default_factory=dict)
    ages: Mapping[str, float] | float = field(default_factory=dict)
    request: Sequence[str] = ()
    defaults: Sequence[str] = ()
    stale: Sequence[str] = ()
    missing: Sequence[str] = ()
    refused: Sequence[str] = ()
    unseen: Sequence[str] = ()

    @property
    def complete(self) -> bool:
        """Whether the request brought every feature."""
        return len(self.request) == len(self.row)

    @property
    def problems(self) -> list[str]:
        """Return why the model cannot be used; empty where it can."""
        if not self.missing:
            return list(self.refused)
        shown, more = self.missing[:_SHOWN], len(self.missing) - _SHOWN
        verb = "is" if len(self.missing) == 1 else "are"
        rest = f" and {more} more" if more > 0 else ""
        return [f"{', '.join(shown)}{rest} {verb} missing", *self.refused]

    @property
    def oldest(self) -> float | None:
        """Age of the oldest stored value used, seconds; None where there is none."""
        return self.ages if isinstance(self.ages, float) else max(self.ages.values(), default=None)

    def provenance(self) -> list[dict[str, Any]]:
        """Return where the values of the row came from: features by tier and age in seconds, where that is known.

        Grouped, since most rows were written together: named one by one this would be half of the answer.
        """
        ages = self.ages
        if isinstance(ages, float):
            return [_origin(self.tier, ages, list(self.row))]
        groups: dict[tuple[str, float | None], list[str]] = {}
        requested, defaults = set(self.request), set(self.defaults)
        for name in self.row:
            if name in requested:
                origin: tuple[str, float | None] = ("request", None)
            elif name in defaults:
                origin = ("default", None)
            else:
                origin = (self.tier, ages[name]) if name in ages else ("missing", None)
            groups.setdefault(origin, []).append(name)
        return [_origin(tier, age, names) for (tier, age), names in groups.items()]

    def accepted(self, contract: Contract) -> dict[str, Any]:
        """Return the row as the graph takes it: a float or a text each, NaN or "" where missing."""
        by_name = contract.by_name
        return {
            name: value if value is not None else "" if by_name[name].is_category else math.nan
            for name, value in self.row.items()
        }

    def known(self) -> dict[str, Value]:
        """Return the raw values that the rules may use."""
        return {name: None if value == "" or value != value else value for name, value in self.row.items()}  # noqa: PLR0124


def _origin(tier: str, age: float | None, features: list[str]) -> dict[str, Any]:
    return {"tier": tier, "age_seconds": age, "features": features}


def resolve(contract: Contract, overrides: Mapping[str, float | str], reading: Reading, now: float) -> Resolved:
    """Choose every feature's value.

    This is what a resolved row means; `rows` does the same for many rows at once.

    Args:
        contract: the release's.
        overrides: accepted values that the request brought.
        reading: what the store said.
        now: epoch seconds.

    Raises:
        StaleFeatures: a value is older than its `max_age`, and the contract says refuse.
    """
    one = _One(reading.tier)
    record = reading.record
    for feature in contract.features:
        name = feature.name
        if name in overrides:
            one.row[name] = overrides[name]
            one.request.append(name)
        elif record is not None and name in record.values:
            age = max(0.0, now - record.event_times[name])
            one.stored(feature, record.values[name], age, expired=name in reading.expired)
        else:
            one.absent(feature)
    unseen = [name for name, known in contract.listed.items() if one.row.get(name, "") not in known]
    return Resolved(one.tier, one.row, one.ages, one.request, one.defaults, one.stale, one.missing, one.refused, unseen)


@dataclass
class _One:
    """A row that is being resolved."""

    tier: str
    row: dict[str, float | str] = field(default_factory=dict)
    ages: dict[str, float] = field(default_factory=dict)
    request: list[str] = field(default_factory=list)
    defaults: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def stored(self, feature: Feature, value: Value, age: float, *, expired: bool) -> None:
        """Take a stored value, unless it is too old or refused."""
        old = feature.max_age is not None and age > feature.max_age
        if old and feature.when_stale is WhenStale.REFUSE:
            raise StaleFeatures(f"{feature.name} is older than its max_age: write a newer value first")
        if old or expired:
            self.stale.append(feature.name)
            if feature.when_stale is not WhenStale.SERVE:
                why = "is stale" if old else "has left the fast tier, and the durable one does not answer"
                self.refused.append(f"{feature.name} {why}")
                return
        if is_missing(value) and feature.default is not None:
            self.absent(feature)
            return
        try:
            self.row[feature.name] = accept(feature, value)
        except Refused as refused:
            self.refused.append(f"the stored {feature.name} {refused}")
            return
        self.ages[feature.name] = age

    def absent(self, feature: Feature) -> None:
        """Take the default, or nothing where the contract allows it."""
        if feature.default is not None:
            self.row[feature.name] = accept(feature, feature.default)
            self.defaults.append(feature.name)
        elif feature.missing:
            self.row[feature.name] = "" if feature.is_category else math.nan
        else:
            self.missing.append(feature.name)
