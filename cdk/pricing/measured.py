"""What was measured, computed or assumed of a prediction; each figure with where it comes from."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cdk.pricing.errors import PricingError

_FILE = Path(__file__).with_name("measured.toml")
HOW = ("measured", "computed", "assumed")


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        value, unit: how much of what.
        how: one of `HOW`.
        figure: its name in docs/benchmarks.md, where it was measured.
        note: what it is of, or why it is assumed.
    """

    value: float
    unit: str
    how: str
    figure: str = ""
    note: str = ""


@dataclass(frozen=True)
class Measured:
    """All figures, by name."""

    by_name: Mapping[str, Figure]

    def __getitem__(self, name: str) -> float:
        """Return a figure's value.

        Raises:
            PricingError: there is none of that name.
        """
        if name not in self.by_name:
            raise PricingError(f"there is no figure {name!r} in {_FILE.name}")
        return self.by_name[name].value


@cache
def read_measured(path: Path = _FILE) -> Measured:
    """Read the figures.

    Raises:
        PricingError: a figure does not say how it was had.
    """
    figures = {name: Figure(**entry) for name, entry in tomllib.loads(path.read_text()).items()}
    for name, figure in figures.items():
        if figure.how not in HOW or (figure.how == "measured") != bool(figure.figure):
            raise PricingError(f"the figure {name!r} must say how it was had, and a measured one where")
    return Measured(figures)
