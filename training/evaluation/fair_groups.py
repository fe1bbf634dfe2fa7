"""The groups of a protected feature, as they were measured."""

from dataclasses import dataclass

from training.evaluation.measured import Interval, Measured


@dataclass(frozen=True)
class Group:
    """One group of a protected feature that has enough rows.

    Attributes:
        name: the category, the value or the range.
        rows: how many.
        positives: share of positive labels.
        acted_on: share that would be acted on.
        found: share of its positive rows that would be acted on; None where there are too few of them.
        mean_probability: of its answers.
        acted_on_interval, found_interval: of these shares; None where there are too few entities to tell.
    """

    name: str
    rows: int
    positives: float
    acted_on: float
    found: float | None = None
    mean_probability: float | None = None
    acted_on_interval: Interval | None = None
    found_interval: Interval | None = None


@dataclass(frozen=True)
class TooSmall:
    """A group that was not judged: its shares would be chance."""

    name: str
    rows: int


@dataclass(frozen=True)
class Fairness:
    """The groups of one protected feature.

    Attributes:
        feature: its name.
        groups: those with enough rows.
        parity: demographic parity: largest difference in the share acted on. None with fewer than two groups.
        opportunity: equal opportunity: largest difference in the share of positive rows acted on. None with fewer
            than two groups that have enough positive rows.
        opportunity_rows: positive rows of those groups.
        calibration: largest |mean probability - share of positives| of a group. None without a group.
        not_judged: groups with too few rows, the largest twenty of them.
        too_small: how many groups have too few rows.
    """

    feature: str
    groups: tuple[Group, ...]
    parity: Measured | None = None
    opportunity: Measured | None = None
    opportunity_rows: int = 0
    calibration: Measured | None = None
    not_judged: tuple[TooSmall, ...] = ()
    too_small: int = 0

    @property
    def gap(self) -> float:
        """Largest difference in the share acted on; 0 with fewer than two groups."""
        shares = [group.acted_on for group in self.groups]
        return max(shares) - min(shares) if shares else 0.0

    @property
    def rows(self) -> int:
        """Rows in the judged groups."""
        return sum(group.rows for group in self.groups)
