"""The SQL of a profile: which figures are taken of its columns."""

# ruff: noqa: S608 - names are quoted, and there are no values but bounds and the label's

from ebb.features.values import LONGEST_CATEGORY
from training.validation.profile_columns import Column
from training.validation.read_sql import quoted, read_number, read_text, read_time


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
    parts = [f"count(v{i})", "0" if column.is_number else _count_where(f"u{i}")]
    if column.is_told_apart:
        parts.append(distinct)
    if not column.is_text:
        parts += [f"min(v{i})", f"max(v{i})"]
    if column.most is not None:
        below = "FALSE" if column.least is None else f"v{i} < {column.least!r}"
        above = f"v{i} > {column.most!r}"
        if column.use == "flag":
            below, above = f"v{i} <> 0", f"v{i} <> 1"
        outside = f"({below} {'AND' if column.use == 'flag' else 'OR'} {above})"
        parts.append(_count_where(outside))
        if column.use != "time":
            parts.append(f"min(v{i}) FILTER (WHERE {outside})")
    if column.use == "integer":
        parts.append(_count_where(f"v{i} <> floor(v{i})"))
    if column.immature:
        parts.append(_count_where(f"i{i}"))
    # What is too large for float32 stays what it is: it lies beyond every edge all the same.
    narrow = f"COALESCE(CAST(TRY_CAST(v{i} AS FLOAT) AS DOUBLE), v{i})"
    return parts + [_count_where(f"{narrow} >= {edge!r}") for edge in column.edges]


def _count_where(condition: str) -> str:
    """Return an aggregate that is 0, and not NULL as `count_if` is, where the condition is never known."""
    return f"count(*) FILTER (WHERE {condition})"


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
