"""The price list: dated, sourced, with its tiers."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from cdk.pricing.errors import PricingError

_FILE = Path(__file__).with_name("prices.toml")
SURE = ("list", "assumed")


@dataclass(frozen=True)
class Tier:
    """One tier.

    Attributes:
        up_to: units of a month up to which it holds; infinite for the last.
        usd: dollars for one unit.
    """

    up_to: float
    usd: float


@dataclass(frozen=True)
class Price:
    """One price.

    Attributes:
        name: in the file.
        unit: what one unit is.
        tiers: rising; one where the price is flat, none where it depends on a kind.
        by: dollars for one unit of each kind, such as a node's type.
        source: the page that says it.
        sure: one of `SURE`.
    """

    name: str
    unit: str
    tiers: tuple[Tier, ...]
    by: Mapping[str, float]
    source: str
    sure: str

    def of(self, quantity: float) -> float:
        """Return dollars for so many units of one month, tier by tier."""
        total, below = 0.0, 0.0
        for tier in self.tiers:
            total += max(0.0, min(quantity, tier.up_to) - below) * tier.usd
            below = tier.up_to
        return total

    def of_kind(self, kind: str, quantity: float) -> float:
        """Return dollars for so many units of one kind.

        Raises:
            PricingError: nobody wrote down what that kind costs.
        """
        if kind not in self.by:
            raise PricingError(
                f"what {kind} costs is not written down: add it, with its source, to {self.name} in {_FILE.name}"
            )
        return self.by[kind] * quantity


@dataclass(frozen=True)
class Prices:
    """All prices of one region on one day."""

    region: str
    date: str
    by_name: Mapping[str, Price]

    def __getitem__(self, name: str) -> Price:
        """Return a price.

        Raises:
            PricingError: there is none of that name.
        """
        if name not in self.by_name:
            raise PricingError(f"there is no price {name!r} in {_FILE.name}")
        return self.by_name[name]


@cache
def read_prices(path: Path = _FILE) -> Prices:
    """Read a price file.

    Raises:
        PricingError: an entry lacks its unit, its source or its price.
    """
    told = tomllib.loads(path.read_text())
    region, date = str(told.pop("region")), str(told.pop("date"))
    return Prices(region, date, {name: _price(name, entry) for name, entry in told.items()})


def _price(name: str, entry: dict[str, Any]) -> Price:
    flat = [{"usd": entry["usd"]}] if "usd" in entry else []
    tiers = tuple(Tier(float(tier.get("up_to", "inf")), float(tier["usd"])) for tier in entry.get("tiers", flat))
    kinds = {kind: float(usd) for kind, usd in entry.get("usd_by", {}).items()}
    rising = all(first.up_to < second.up_to for first, second in pairwise(tiers))
    if not (tiers or kinds) or not rising or entry.get("sure") not in SURE or not entry.get("source"):
        raise PricingError(f"the price {name!r} needs a source, how sure it is, and dollars in rising tiers")
    return Price(name, str(entry["unit"]), tiers, kinds, str(entry["source"]), str(entry["sure"]))
