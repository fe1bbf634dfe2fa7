"""What a contract says, as frozen values; every other part of Ebb derives from these."""

from dataclasses import dataclass
from functools import cached_property

from ebb.contract.feature import Feature, Kind, Unseen, Value, WhenStale

__all__ = [
    "DEFAULT_HISTORY_KEEP",
    "SMALLEST_GROUP",
    "SNAPSHOT_TIME",
    "Adjustment",
    "Contract",
    "Decision",
    "Events",
    "Feature",
    "Gates",
    "Kind",
    "Label",
    "Rules",
    "Unseen",
    "Value",
    "WhenStale",
]

DEFAULT_HISTORY_KEEP = 730 * 86400.0
"""Seconds that history is kept where a contract does not say: two years, so a year can be compared with the last."""

SMALLEST_GROUP = 50
"""Rows; the share of a smaller group is chance, where a contract does not say otherwise."""


@dataclass(frozen=True)
class Label:
    """The yes/no outcome to be learned.

    Attributes:
        column: its column in the table.
        positive: the value that means yes, as text.
        window_days: days after the prediction until the outcome is mature.
    """

    column: str
    positive: str
    window_days: int


@dataclass(frozen=True)
class Decision:
    """The economics of acting on one entity, in units of `currency`.

    Attributes:
        action_cost: what one action costs.
        retained_value: what an entity is worth that the action kept.
        success_rate: share of positive entities that the action keeps, 0 to 1.
        currency: ISO 4217 code.
    """

    action_cost: float
    retained_value: float
    success_rate: float
    currency: str


@dataclass(frozen=True)
class Gates:
    """What a release must reach before it is written; None is not judged.

    Profits are per entity, in the currency of the decision; the fairness gap is the largest difference in the
    share acted on between groups of a protected feature, the opportunity gap the same among positive rows, the group
    calibration error the largest |mean probability - share of positives| of a group; groups with fewer rows than
    `smallest_group` are not judged. Parity is |ONNX - scikit-learn| in probability.
    """

    min_auc: float
    max_calibration_error: float
    max_fairness_gap: float | None
    min_profit_over_nothing: float | None
    min_profit_over_champion: float | None
    max_latency_ms: float | None
    max_parity: float
    max_opportunity_gap: float | None = None
    max_group_calibration_error: float | None = None
    min_profit_over_everyone: float | None = None
    smallest_group: int = SMALLEST_GROUP


@dataclass(frozen=True)
class Adjustment:
    """One line of the fallback score: when its condition holds, `add` is added.

    Exactly one of the conditions is set: `below` (value < below), `at_least` (value >= at_least), `equals`
    (value == equals) or `missing` (the value is absent).
    """

    feature: str
    add: float
    below: float | None = None
    at_least: float | None = None
    equals: str | float | bool | None = None
    missing: bool = False


@dataclass(frozen=True)
class Rules:
    """The fallback score: `base` plus the adjustments that hold, clipped to [0, 1]."""

    base: float
    adjustments: tuple[Adjustment, ...]


@dataclass(frozen=True)
class Events:
    """Where features come from that are built from events; each of them names its SQL file itself.

    Attributes:
        entity: column of the events that names the entity.
        time: column of the events that says when each happened.
        label: SQL file of the outcome; the only one that sees beyond a snapshot. None where nothing builds it.
    """

    entity: str
    time: str
    label: str | None = None


SNAPSHOT_TIME = "snapshot_time"
"""Column of a table built from events: the moment as of which its features are true."""


@dataclass(frozen=True)
class Contract:
    """One scoring problem.

    Attributes:
        name: lower-case identifier; also the release folder's name.
        description: for people.
        entity_column: key column of the table; None means the 1-based row number.
        label: the outcome.
        event_time: column of the moment a row's features were known; None where the table has none. Where it is given,
            a table to learn from may hold an entity at several moments.
        decision, gates, rules: see their classes.
        features: in the table's order.
        history_keep: seconds that past values are kept; months wholly older are dropped.
        events: what the features are built from; None where a table brings them.
        temporal: whether a model is judged on rows later than those it learned from; else on a share of all rows.
    """

    name: str
    description: str
    entity_column: str | None
    label: Label
    event_time: str | None
    decision: Decision
    gates: Gates
    rules: Rules
    features: tuple[Feature, ...]
    history_keep: float = DEFAULT_HISTORY_KEEP
    events: Events | None = None
    temporal: bool = False

    @cached_property
    def numbers(self) -> tuple[Feature, ...]:
        """Features of the graph's input `numbers`, in its column order."""
        return tuple(f for f in self.features if not f.is_category)

    @cached_property
    def categories(self) -> tuple[Feature, ...]:
        """Features of the graph's input `categories`, in its column order."""
        return tuple(f for f in self.features if f.is_category)

    @cached_property
    def ttl(self) -> float | None:
        """Seconds that the fast tier keeps a record: the longest of its features; None where one has no limit."""
        limits = [f.ttl for f in self.features if f.ttl is not None]
        return max(limits) if len(limits) == len(self.features) else None

    @cached_property
    def ttls(self) -> dict[str, float]:
        """Seconds that the fast tier keeps each feature that has a limit."""
        return {f.name: f.ttl for f in self.features if f.ttl is not None}

    @cached_property
    def listed(self) -> dict[str, frozenset[str]]:
        """The known categories of each category that lists some, the missing one among them."""
        return {f.name: frozenset({"", *f.categories}) for f in self.categories if f.categories}

    @cached_property
    def by_name(self) -> dict[str, Feature]:
        """Features by their names."""
        return {f.name: f for f in self.features}

    @cached_property
    def feature_sets(self) -> dict[str, tuple[Feature, ...]]:
        """Features built from events by the SQL file that builds them, in the order of their first mention."""
        files = dict.fromkeys(f.sql for f in self.features if f.sql is not None)
        return {file: tuple(f for f in self.features if f.sql == file) for file in files}
