"""How a column is read by a profile: as training reads it, and, where that is cheaper, as the file holds it."""

from dataclasses import dataclass

from ebb.features.values import LONGEST_CATEGORY
from training.validation.profile_columns import Column
from training.validation.read_sql import (
    is_exact,
    is_moment,
    micros_as_seconds,
    quoted,
    read_micros,
    read_number,
    read_text,
    read_time,
    spells_nothing,
)

NEVER = "FALSE"


@dataclass(frozen=True)
class Reading:
    """The SQL of one column's values.

    Attributes:
        value: as training reads it, NULL where it is missing.
        unreadable: whether there is a value that is none; `NEVER` where the column's type rules it out.
        plain: as the file holds it: NULL where `value` is, in the same order. The millions of rows are counted and
            compared by it, and only the outcome becomes what `value` would have been.
        is_alike: whether plain values are the same exactly where values are the same.
        is_micros: whether the plain value is whole microseconds of a moment.
    """

    value: str
    unreadable: str
    plain: str
    is_alike: bool = False
    is_micros: bool = False

    def told(self, plain: str) -> str:
        """Return the SQL that makes the number which training reads of a plain one."""
        if self.is_micros:
            return micros_as_seconds(plain)
        return plain if self.plain == self.value else f"CAST({plain} AS DOUBLE)"


def reading_of(column: Column) -> Reading:
    """Return how a column is read."""
    name = quoted(column.name)
    if column.use == "time":
        if is_moment(column.type):
            return Reading(read_time(name, column.type), NEVER, read_micros(name, column.type), is_micros=True)
        return _either(read_time(name, column.type), NEVER, name, plainly=is_exact(column.type))
    if column.is_text:
        return _text(name, column)
    value, unreadable = read_number(name, column.type, flag=column.use == "flag")
    is_plain = is_exact(column.type) or (column.type == "BOOLEAN" and column.use == "flag")
    return _either(value, unreadable, name, plainly=is_plain)


def _either(value: str, unreadable: str, name: str, *, plainly: bool) -> Reading:
    return Reading(value, unreadable, name if plainly else value)


def _text(name: str, column: Column) -> Reading:
    text = read_text(name, column.type)
    alike = is_exact(column.type) or column.type == "BOOLEAN"
    if alike:
        return Reading(text, NEVER, name, is_alike=True)
    if column.use != "category":
        return _either(text, NEVER, name, plainly=not spells_nothing(column.type))
    unfit = f"(length({text}) > {LONGEST_CATEGORY} OR contains({text}, chr(0)))"
    fit = f"CASE WHEN {unfit} THEN NULL ELSE {text} END"
    return Reading(fit, f"COALESCE({unfit}, FALSE)", fit)
