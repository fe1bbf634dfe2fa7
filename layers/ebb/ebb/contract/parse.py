"""From a contract's TOML text to its frozen values; every mistake names its line."""

import re
import tomllib
from collections.abc import Mapping

from ebb.contract.events import check_events, parse_events
from ebb.contract.lines import key_lines
from ebb.contract.model import (
    DEFAULT_HISTORY_KEEP,
    SNAPSHOT_TIME,
    Adjustment,
    Contract,
    Decision,
    Feature,
    Label,
    Rules,
)
from ebb.contract.parse_feature import parse_feature
from ebb.contract.parse_gates import parse_gates
from ebb.contract.table import Table
from ebb.errors import ContractError
from ebb.features import values as feature_values

_DAY = 86400.0
_LONGEST_KEEP = 36500 * _DAY
_STRATIFIED, _TEMPORAL = "stratified", "temporal"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def parse_contract(text: str, source: str = "contract") -> Contract:
    """Parse a contract.

    Args:
        text: the TOML text.
        source: the file's name, for messages.

    Raises:
        ContractError: the text is no TOML, a key is unknown or missing, or a value is impossible; names the line.
    """
    try:
        values = tomllib.loads(text)
    except RecursionError:
        raise ContractError("this is not valid TOML: its brackets are nested too deeply", None, source) from None
    except ValueError as error:  # TOMLDecodeError, and an integer of thousands of digits
        at = re.search(r"\(at line (\d+)", str(error))
        reason = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise ContractError(f"this is not valid TOML: {reason}", int(at[1]) if at else None, source) from None
    top = Table(values, (), key_lines(text), source)
    name = top.text("name")
    if not _NAME.fullmatch(name):
        raise top.fail(f"`name` is {name!r}, but must be lower-case letters, digits, - and _", "name")
    features = _features(top)
    entity = _optional_column(top, "entity")
    event_time = _optional_column(top, "event_time")
    events = parse_events(top)
    contract = Contract(
        name=name,
        description=top.text("description", ""),
        entity_column=entity,
        label=_label(top.sub("label")),
        event_time=event_time if events is None else SNAPSHOT_TIME,
        decision=_decision(top.sub("decision")),
        gates=parse_gates(top.sub("gates")),
        rules=_rules(top.sub("rules"), {f.name: f for f in features}),
        features=features,
        history_keep=_history_keep(top),
        events=events,
        temporal=_temporal(top, timed=event_time is not None or events is not None),
    )
    check_events(top, contract, top.subs("features"))
    _no_shared_columns(top, contract)
    top.finish()
    return contract


def _optional_column(top: Table, key: str) -> str | None:
    if not top.has(key):
        return None
    table = top.sub(key)
    column = table.text("column")
    table.finish()
    return column


def _temporal(top: Table, *, timed: bool) -> bool:
    kind = top.text("folds", _STRATIFIED)
    if kind not in {_STRATIFIED, _TEMPORAL}:
        raise top.fail(f'`folds` is {kind!r}, but must be "{_STRATIFIED}" or "{_TEMPORAL}"', "folds")
    if kind == _TEMPORAL and not timed:
        raise top.fail('`folds` = "temporal" needs the moment of each row: add [event_time] with its column', "folds")
    return kind == _TEMPORAL


def _history_keep(top: Table) -> float:
    """Seconds: at least a day, and at most a century, so that a date always holds it."""
    if not top.has("history"):
        return DEFAULT_HISTORY_KEEP
    table = top.sub("history")
    keep = table.duration("keep")
    table.finish()
    if keep is not None and not _DAY <= keep <= _LONGEST_KEEP:
        raise table.fail('`keep` must be between "1d" and "36500d"', "keep")
    return DEFAULT_HISTORY_KEEP if keep is None else keep


def _label(table: Table) -> Label:
    positive = table.take("positive")
    if not isinstance(positive, str | int | float):
        raise table.fail("`positive` must be a text, a number, true or false", "positive")
    text = str(positive).lower() if isinstance(positive, bool) else str(positive)
    if not text.strip() or text.lower() in {"nan", "inf", "-inf"}:
        raise table.fail(f"`positive` is {text!r}, which no label can be", "positive")
    days = table.number("window_days", 30, low=0, high=3650)
    if days != int(days):
        raise table.fail("`window_days` must be a whole number of days", "window_days")
    label = Label(table.text("column"), text, int(days))
    table.finish()
    return label


def _decision(table: Table) -> Decision:
    decision = Decision(
        action_cost=table.number("action_cost", low=0),
        retained_value=table.number("retained_value", low=0),
        success_rate=table.number("success_rate", low=0, high=1),
        currency=table.text("currency", "USD"),
    )
    table.finish()
    if decision.retained_value * decision.success_rate <= 0:
        raise table.fail("`retained_value` times `success_rate` is 0, so no action could ever pay: raise one of them")
    return decision


def _rules(table: Table, features: Mapping[str, Feature]) -> Rules:
    base = table.number("base", low=0, high=1)
    adjustments = tuple(_adjustment(sub, features) for sub in table.subs("adjust"))
    table.finish()
    return Rules(base, adjustments)


def _adjustment(table: Table, features: Mapping[str, Feature]) -> Adjustment:
    feature = table.text("feature")
    if feature not in features:
        raise table.fail(f"the rule speaks of `{feature}`, which is no feature of this contract", "feature")
    given = [key for key in ("below", "at_least", "equals", "missing") if table.has(key)]
    if len(given) != 1:
        raise table.fail("a rule needs exactly one of `below`, `at_least`, `equals`, `missing`")
    equals = table.take("equals", None)
    if equals is not None:
        _check_equals(table, features[feature], equals)
    if table.has("missing") and not table.flag("missing", default=True):
        raise table.fail("`missing` as a condition can only be true", "missing")
    adjustment = Adjustment(
        feature=feature,
        add=table.number("add", low=-1, high=1),
        below=table.number("below", None),
        at_least=table.number("at_least", None),
        equals=equals,
        missing=table.flag("missing", default=False),
    )
    table.finish()
    return adjustment


def _check_equals(table: Table, feature: Feature, equals: object) -> None:
    """Refuse a condition that no accepted value could meet."""
    if not isinstance(equals, str | int | float):
        raise table.fail("`equals` must be a text, a number, true or false", "equals")
    try:
        feature_values.accept(feature, equals)
    except feature_values.Refused as refused:
        raise table.fail(f"`equals` can never hold: the value {refused}", "equals") from None


def _features(top: Table) -> tuple[Feature, ...]:
    tables = top.subs("features")
    if not tables:
        raise top.fail("no [[features]]: a contract needs at least one feature")
    features: dict[str, Feature] = {}
    for table in tables:
        feature = parse_feature(table)
        if feature.name in features:
            raise table.fail(f"two features are named `{feature.name}`: rename or remove one", "name")
        features[feature.name] = feature
    return tuple(features.values())


def _no_shared_columns(top: Table, contract: Contract) -> None:
    used = {contract.label.column: "the label"}
    for column, use in ((contract.entity_column, "the entity"), (contract.event_time, "the event time")):
        if column is not None:
            used.setdefault(column, use)
    for table, feature in zip(top.subs("features"), contract.features, strict=True):
        if feature.column in used:
            key = "column" if table.has("column") else "name"
            raise table.fail(f"the column {feature.column!r} is already used by {used[feature.column]}", key)
        used[feature.column] = f"the feature `{feature.name}`"
