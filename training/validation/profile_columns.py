"""Which columns of a table are profiled, and what each is used for."""

from collections.abc import Mapping
from dataclasses import dataclass

from ebb.contract import Contract, Feature, Kind
from training.dataset.label import same_value
from training.validation.ranges import float32_range
from training.validation.read_sql import is_number, quoted, read_text, read_time, text_literal
from training.validation.suite import DAY, holds_events


@dataclass(frozen=True)
class Column:
    """One column to be profiled.

    Attributes:
        name: in the table.
        type: DuckDB's.
        use: `number`, `flag`, `integer`, `category`, `key`, `label`, `time`, `entity` (of events) or `other`.
        least, most: bounds of what is inside.
        edges: of the reference's bins.
        counted: whether texts are counted one by one.
        immature: SQL of the condition of a label whose window is open; "" where none can be.
    """

    name: str
    type: str
    use: str
    least: float | None = None
    most: float | None = None
    edges: tuple[float, ...] = ()
    counted: bool = False
    immature: str = ""

    @property
    def is_text(self) -> bool:
        """Whether the values are told apart as texts."""
        return self.use in {"category", "key", "label", "entity"} or (self.use == "other" and not self.is_number)

    @property
    def is_number(self) -> bool:
        """Whether the table holds it as a number."""
        return is_number(self.type)

    @property
    def is_told_apart(self) -> bool:
        """Whether different values are counted: it is what costs most, and of events nobody asks for it."""
        return self.use not in {"time", "entity", "other"}

    def figures(self) -> list[str]:
        """Return the names of the figures, in the order of their aggregates."""
        names = ["filled", "unreadable"]
        if self.is_told_apart:
            names.append("distinct")
        if not self.is_text:
            names += ["least", "most"]
        if self.most is not None:
            names.append("outside")
        if self.most is not None and self.use != "time":
            names.append("example")
        if self.use == "integer":
            names.append("fractions")
        if self.immature:
            names.append("immature")
        return names


def columns_of(
    contract: Contract, types: Mapping[str, str], now: float, edges: Mapping[str, tuple[float, ...]]
) -> list[Column]:
    """Return the columns that are profiled, each once; of a table of events, every one."""
    if contract.events is not None and holds_events(contract, types):
        return _events(contract.events.entity, contract.events.time, types, now)
    found = [
        _feature(feature, types[feature.column], edges) for feature in contract.features if feature.column in types
    ]
    if contract.entity_column is not None and contract.entity_column in types:
        found.append(Column(contract.entity_column, types[contract.entity_column], "key"))
    when = contract.event_time
    if when is not None and when in types:
        found.append(Column(when, types[when], "time", most=now + DAY))
    label = contract.label.column
    if label in types:
        immature = "" if when not in types else _immature(contract, label, types, now)
        found.append(Column(label, types[label], "label", counted=True, immature=immature))
    return list({column.name: column for column in reversed(found)}.values())[::-1]


def _feature(feature: Feature, kind: str, edges: Mapping[str, tuple[float, ...]]) -> Column:
    if feature.is_category:
        return Column(feature.column, kind, "category", counted=True)
    bins = edges.get(feature.column, ())
    if feature.kind is Kind.FLAG:
        return Column(feature.column, kind, "flag", 0.0, 1.0, bins)
    return Column(feature.column, kind, feature.kind.value, *float32_range(feature.minimum, feature.maximum), bins)


def _events(entity: str, time: str, types: Mapping[str, str], now: float) -> list[Column]:
    found = []
    for name, kind in types.items():
        if name == time:
            found.append(Column(name, kind, "time", most=now + DAY))
        else:
            found.append(Column(name, kind, "entity" if name == entity else "other"))
    return found


def _immature(contract: Contract, label: str, types: Mapping[str, str], now: float) -> str:
    time = read_time(quoted(str(contract.event_time)), types[str(contract.event_time)])
    positive = text_literal(same_value(contract.label.positive))
    text = read_text(quoted(label), types[label])
    number = f"TRY_CAST({text} AS DOUBLE) = TRY_CAST({positive} AS DOUBLE)"
    is_positive = f"COALESCE({text} = {positive} OR {number}, FALSE)"
    return f"{time} > {now - contract.label.window_days * DAY!r} AND NOT {is_positive}"
