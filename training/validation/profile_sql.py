"""The SQL of a profile: how a column is read, and which figures are taken of it."""

# ruff: noqa: S608 - names are quoted, and there are no values but bounds and the label's

from collections.abc import Mapping
from dataclasses import dataclass

from ebb.contract import Contract, Feature, Kind
from ebb.features.values import LONGEST_CATEGORY
from training.dataset.label import same_value
from training.dataset.numbers import MISSING_WORDS
from training.validation.ranges import float32_range
from training.validation.suite import DAY, holds_events

_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|Inf|INF|infinity|Infinity)"
_MISSING = ", ".join(f"'{word}'" for word in MISSING_WORDS)
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_BROKEN = ("FLOAT", "DOUBLE")


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
        return self.type.startswith((*_WHOLE, *_BROKEN, "DECIMAL"))

    def figures(self) -> list[str]:
        """Return the names of the figures, in the order of their aggregates."""
        names = ["filled", "unreadable"]
        if self.use != "time":
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
    positive = _text_literal(same_value(contract.label.positive))
    text = read_text(quoted(label), types[label])
    number = f"TRY_CAST({text} AS DOUBLE) = TRY_CAST({positive} AS DOUBLE)"
    is_positive = f"COALESCE({text} = {positive} OR {number}, FALSE)"
    return f"{time} > {now - contract.label.window_days * DAY!r} AND NOT {is_positive}"


def projection(columns: list[Column]) -> str:
    """Return what the inner SELECT reads: `v` the value, `u` whether it cannot be read, `i` whether it is immature."""
    parts = []
    for i, column in enumerate(columns):
        value, unreadable = _read(column)
        parts += [f"{value} AS v{i}", f"{unreadable} AS u{i}"]
        if column.immature:
            parts.append(f"({column.immature}) AS i{i}")
    return ", ".join(parts)


def aggregates(column: Column, i: int, *, exact: bool) -> list[str]:
    """Return the aggregates of a column's figures, then those of its edges."""
    distinct = f"count(DISTINCT v{i})" if exact else f"approx_count_distinct(v{i})"
    parts = [f"count(v{i})", "0" if column.is_number else f"count_if(u{i})"]
    if column.use != "time":
        parts.append(distinct)
    if not column.is_text:
        parts += [f"min(v{i})", f"max(v{i})"]
    if column.most is not None:
        below = "FALSE" if column.least is None else f"v{i} < {column.least!r}"
        above = f"v{i} > {column.most!r}"
        if column.use == "flag":
            below, above = f"v{i} <> 0", f"v{i} <> 1"
        outside = f"({below} {'AND' if column.use == 'flag' else 'OR'} {above})"
        parts.append(f"count_if({outside})")
        if column.use != "time":
            parts.append(f"min(v{i}) FILTER (WHERE {outside})")
    if column.use == "integer":
        parts.append(f"count_if(v{i} <> floor(v{i}))")
    if column.immature:
        parts.append(f"count_if(i{i})")
    return parts + [f"count_if(CAST(CAST(v{i} AS FLOAT) AS DOUBLE) >= {edge!r})" for edge in column.edges]


def texts_sql(column: Column, source: str, most: int) -> str:
    """Return the SQL that counts the rows of each text, the commonest first."""
    text, _ = _read(column)
    inner = f"SELECT {text} AS v FROM {source}"
    return f"SELECT v, count(*) AS n FROM ({inner}) WHERE v IS NOT NULL GROUP BY v ORDER BY n DESC, v LIMIT {most}"


def repeated_sql(key: Column, time: Column | None, source: str, parts: int) -> str:
    """Return the SQL that counts the rows which share their key (and their time), in one of `parts` of the keys."""
    names = [_read(key)[0]] + ([] if time is None else [_read(time)[0]])
    chosen = "" if parts == 1 else f" WHERE hash({names[0]}) % {parts} = 0"
    inner = ", ".join(f"{name} AS k{i}" for i, name in enumerate(names))
    by = ", ".join(f"k{i}" for i in range(len(names)))
    grouped = f"SELECT count(*) AS n FROM (SELECT {inner} FROM {source}{chosen}) WHERE k0 IS NOT NULL GROUP BY {by}"
    return f"SELECT sum(n) FROM ({grouped}) WHERE n > 1"


def _read(column: Column) -> tuple[str, str]:
    name = quoted(column.name)
    if column.use == "time":
        return read_time(name, column.type), "FALSE"
    if column.is_text:
        return _readable_text(name, column)
    return read_number(name, column.type, flag=column.use == "flag")


def _readable_text(name: str, column: Column) -> tuple[str, str]:
    text = read_text(name, column.type)
    if column.use != "category":
        return text, "FALSE"
    unfit = f"(length({text}) > {LONGEST_CATEGORY} OR contains({text}, chr(0)))"
    return f"CASE WHEN {unfit} THEN NULL ELSE {text} END", f"COALESCE({unfit}, FALSE)"


def read_number(name: str, kind: str, *, flag: bool) -> tuple[str, str]:
    """Return the SQL of a number and of whether there is a value that is none; see `training.dataset.numbers`."""
    if kind.startswith((*_WHOLE, "DECIMAL")):
        return f"CAST({name} AS DOUBLE)", "FALSE"
    if kind.startswith(_BROKEN):
        return f"CASE WHEN isnan({name}) THEN NULL ELSE CAST({name} AS DOUBLE) END", "FALSE"
    if kind == "BOOLEAN" and flag:
        return f"CAST({name} AS DOUBLE)", "FALSE"
    if kind != "VARCHAR":
        return "CAST(NULL AS DOUBLE)", f"{name} IS NOT NULL"
    word = f"lower(trim({name}))"
    number = f"CASE WHEN regexp_full_match(trim({name}), '{_NUMBER}') THEN TRY_CAST(trim({name}) AS DOUBLE) END"
    if flag:
        yes, no = "('true', 'yes', 't', 'y')", "('false', 'no', 'f', 'n')"
        number = f"CASE WHEN {word} IN {yes} THEN 1.0 WHEN {word} IN {no} THEN 0.0 ELSE ({number}) END"
    missing = f"({name} IS NULL OR {word} IN ({_MISSING}))"
    return f"CASE WHEN {missing} THEN NULL ELSE ({number}) END", f"(NOT {missing} AND ({number}) IS NULL)"


def read_text(name: str, kind: str) -> str:
    """Return the SQL of a value as text, NULL where missing; see `training.dataset.texts`."""
    if kind.startswith(_BROKEN):
        whole = f"{name} = floor({name}) AND abs({name}) < 9e18"
        text = f"CASE WHEN {whole} THEN CAST(CAST({name} AS BIGINT) AS VARCHAR) ELSE CAST({name} AS VARCHAR) END"
        return f"CASE WHEN isnan({name}) THEN NULL ELSE {text} END"
    if kind == "VARCHAR":
        # Blanks sort below '!': most texts need no trimming to be told from them.
        return f"CASE WHEN {name} < '!' AND trim({name}) = '' THEN NULL ELSE {name} END"
    return f"CAST({name} AS VARCHAR)"


def read_time(name: str, kind: str) -> str:
    """Return the SQL of a moment in epoch seconds, NULL where there is none; without a zone it is UTC."""
    if kind.startswith((*_WHOLE, *_BROKEN, "DECIMAL")):
        return f"CAST({name} AS DOUBLE)"
    if kind == "VARCHAR":
        moment = f"TRY_CAST(trim({name}) AS TIMESTAMPTZ)"
        return f"COALESCE(TRY_CAST(trim({name}) AS DOUBLE), epoch_us({moment}) / 1e6)"
    moment = name if kind == "TIMESTAMP WITH TIME ZONE" else f"CAST({name} AS TIMESTAMP)"
    return f"epoch_us({moment}) / 1e6"


def quoted(name: str) -> str:
    """Return a column's name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def _text_literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
