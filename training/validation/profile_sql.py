"""The SQL of a profile: which figures are taken of its columns."""

# ruff: noqa: S608 - names are quoted, and there are no values but bounds and the label's

from training.validation.profile_bounds import last_micros, least_reaching
from training.validation.profile_columns import Column
from training.validation.profile_reading import NEVER, Reading, reading_of


def projection(columns: list[Column]) -> str:
    """Return what the inner SELECT reads.

    `v` is the value, `p` the same told plainly, `u` whether it cannot be read, `i` whether it is immature. What no
    aggregate asks for, DuckDB does not compute.
    """
    parts = []
    for i, column in enumerate(columns):
        reading = reading_of(column)
        parts += [f"{reading.value} AS v{i}", f"{reading.plain} AS p{i}", f"{reading.unreadable} AS u{i}"]
        if column.immature:
            parts.append(f"({column.immature}) AS i{i}")
    return ", ".join(parts)


def aggregates(column: Column, i: int, *, exact: bool) -> list[str]:
    """Return the aggregates of a column's figures, then those of its edges."""
    reading = reading_of(column)
    parts = [f"count(p{i})", "0" if reading.unreadable == NEVER else _count_where(f"u{i}")]
    if column.is_told_apart:
        apart = f"p{i}" if reading.is_alike else f"v{i}"
        parts.append(f"count(DISTINCT {apart})" if exact else f"approx_count_distinct({apart})")
    if not column.is_text:
        parts += [reading.told(f"min(p{i})"), reading.told(f"max(p{i})")]
    if column.most is not None:
        outside = _outside(column, reading, i)
        parts.append(_count_where(outside))
        if column.use != "time":
            parts.append(f"min(v{i}) FILTER (WHERE {outside})")
    if column.use == "integer":
        parts.append(_count_where(f"v{i} <> floor(v{i})"))
    if column.immature:
        parts.append(_count_where(f"i{i}"))
    # Rounding keeps the order: what would reach an edge when rounded to float32 is at or above a number of its own.
    return parts + [_count_where(f"v{i} >= {least_reaching(edge)!r}") for edge in column.edges]


def _outside(column: Column, reading: Reading, i: int) -> str:
    if column.use == "flag":
        return f"(v{i} <> 0 AND v{i} <> 1)"
    if reading.is_micros and column.most is not None:
        return f"p{i} > {last_micros(column.most)}"
    below = NEVER if column.least is None else f"v{i} < {column.least!r}"
    return f"({below} OR v{i} > {column.most!r})"


def _count_where(condition: str) -> str:
    """Return an aggregate that is 0, and not NULL as `count_if` is, where the condition is never known."""
    return f"count(*) FILTER (WHERE {condition})"


def texts_sql(column: Column, source: str, most: int) -> str:
    """Return the SQL that counts the rows of each text, the commonest first."""
    reading = reading_of(column)
    # Texts are made of what was counted, and not of every row, where no two of the table's values have the same.
    one, text = (reading.plain, "CAST(p AS VARCHAR)") if reading.is_alike else (reading.value, "p")
    counted = f"SELECT p, count(*) AS n FROM (SELECT {one} AS p FROM {source}) WHERE p IS NOT NULL GROUP BY p"
    return f"SELECT {text} AS v, n FROM ({counted}) ORDER BY n DESC, v LIMIT {most}"


def repeated_sql(key: Column, time: Column | None, source: str, parts: int) -> str:
    """Return the SQL that counts the rows which share their key (and their time), in one of `parts` of the keys."""
    reading = reading_of(key)
    names = [reading.plain if reading.is_alike else reading.value]
    names += [] if time is None else [reading_of(time).value]
    chosen = "" if parts == 1 else f" WHERE hash({names[0]}) % {parts} = 0"
    inner = ", ".join(f"{name} AS k{i}" for i, name in enumerate(names))
    by = ", ".join(f"k{i}" for i in range(len(names)))
    grouped = f"SELECT count(*) AS n FROM (SELECT {inner} FROM {source}{chosen}) WHERE k0 IS NOT NULL GROUP BY {by}"
    return f"SELECT sum(n) FROM ({grouped}) WHERE n > 1"
