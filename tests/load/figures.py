"""A promised figure beside what was measured, and whether it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

TOLERATED = 1.5
"""A time fails when it is missed by more than half; what does not depend on the machine, when it is missed at all."""


@dataclass(frozen=True)
class Figure:
    """One measurement and its promise.

    Attributes:
        name: what was measured.
        unit: of `measured` and `target`.
        measured: on this machine, in this run.
        target: what is promised; None where the figure is only printed beside another.
        at_least: whether more is better.
        tolerated: how far it may be missed before it fails; 1 for what is no time.
        slowness: how many times slower than the machine of record this one did the reference work of the same
            run; 1 where the figure is no time. It keeps a slow machine from failing what a slow change should.
        how: the work, in a few words.
    """

    name: str
    unit: str
    measured: float
    target: float | None
    how: str
    at_least: bool = False
    slowness: float = 1.0
    tolerated: float = TOLERATED

    @property
    def kept(self) -> bool | None:
        """Whether the promise holds as it stands; None where there is none."""
        if self.target is None:
            return None
        return self.measured >= self.target if self.at_least else self.measured <= self.target

    @property
    def missed_by(self) -> float:
        """Return measured over promised (or its inverse), 1 or less where kept, after the machine's slowness."""
        if self.target is None:
            return 0.0
        if self.at_least:
            return self.target / self.measured if self.measured else float("inf")
        if not self.target:
            return float("inf") if self.measured else 0.0
        return self.measured / (self.target * max(1.0, self.slowness))

    @property
    def tolerable(self) -> bool:
        """Whether it is missed by no more than is tolerated."""
        return self.missed_by <= self.tolerated


def rows_of(figures: Sequence[Figure]) -> list[tuple[str, str, str, str, str]]:
    """Return the cells of a table: name, measured, promised, kept, how."""
    said = {True: "yes", False: "no", None: ""}
    return [(f.name, _number(f.measured, f.unit), _promise(f), said[f.kept], f.how) for f in figures]


def _number(value: float, unit: str) -> str:
    text = f"{value:.3g}" if abs(value) < 1 else f"{value:,.4g}"
    return f"{text} {unit}".strip()


def _promise(figure: Figure) -> str:
    if figure.target is None:
        return ""
    return f"{'at least' if figure.at_least else 'at most'} {_number(figure.target, figure.unit)}"
