"""One `[[features]]` table of a contract."""

import re

from ebb.contract.events import sql_file
from ebb.contract.feature import Written
from ebb.contract.model import Feature, Kind, Unseen, Value, WhenStale
from ebb.contract.table import Table
from ebb.features import values

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_REASON = 120
"""Characters: a reason is read on one line."""


def parse_feature(table: Table) -> Feature:
    """Parse one feature.

    Raises:
        ContractError: a key is unknown, missing or impossible; names the line.
    """
    name = table.text("name")
    if not _NAME.fullmatch(name):
        raise table.fail(f"`name` is {name!r}, but must be letters, digits and _ (`column` takes any)", "name")
    kind = table.choice("kind", Kind)
    feature = Feature(
        name=name,
        column=table.text("column", name),
        kind=kind,
        unit=table.text("unit", ""),
        minimum=table.number("min", None),
        maximum=table.number("max", None),
        categories=_categories(table),
        unseen=table.choice("unseen", Unseen, Unseen.ALLOW),
        missing=table.flag("missing", default=False),
        max_age=table.duration("max_age"),
        when_stale=table.choice("when_stale", WhenStale, WhenStale.SERVE),
        ttl=table.duration("ttl"),
        personal=table.flag("personal", default=False),
        protected=table.flag("protected", default=False),
        owner=table.text("owner", ""),
        description=table.text("description", ""),
        default=_default(table),
        sql=sql_file(table, "sql"),
        reason=_reason(table),
        written=table.choice("written", Written, Written.PLAIN),
    )
    table.finish()
    _check(table, feature)
    return feature


def _categories(table: Table) -> tuple[str, ...]:
    value = table.take("categories", [])
    if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
        raise table.fail("`categories` must be a list of non-empty texts", "categories")
    if len(set(value)) != len(value):
        raise table.fail("`categories` names a category twice", "categories")
    return tuple(value)


def _reason(table: Table) -> str:
    text = table.text("reason", "")
    if len(text) > _REASON or not text.isprintable():
        raise table.fail(f"`reason` must be one line of at most {_REASON} characters", "reason")
    return text


def _default(table: Table) -> Value:
    value = table.take("default", None)
    if value is not None and not isinstance(value, str | int | float):
        raise table.fail("`default` must be a text, a number, true or false", "default")
    return value


def _check(table: Table, feature: Feature) -> None:
    """Refuse what contradicts itself within one feature."""
    ranged = feature.kind in {Kind.NUMBER, Kind.INTEGER}
    for key, given in (("min", feature.minimum), ("max", feature.maximum)):
        if given is not None and not ranged:
            raise table.fail(f"`{key}` is for numbers and integers, but `{feature.name}` is a {feature.kind}", key)
    if feature.written is not Written.PLAIN and not ranged:
        raise table.fail(f"`written` is for numbers and integers, but `{feature.name}` is a {feature.kind}", "written")
    if feature.minimum is not None and feature.maximum is not None and feature.minimum > feature.maximum:
        raise table.fail(f"impossible range: `min` {feature.minimum:g} is above `max` {feature.maximum:g}", "min")
    if feature.categories and not feature.is_category:
        raise table.fail(f"`categories` is for categories, but `{feature.name}` is a {feature.kind}", "categories")
    if feature.unseen is Unseen.REFUSE and not feature.categories:
        raise table.fail('`unseen = "refuse"` needs a list of `categories`', "unseen")
    if feature.default is not None and feature.missing:
        raise table.fail("`default` and `missing = true` exclude each other: keep one of them", "default")
    if feature.default is not None:
        try:
            values.accept(feature, feature.default)
        except values.Refused as refused:
            raise table.fail(f"`default` {refused}", "default") from None
