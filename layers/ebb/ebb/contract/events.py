"""The contract's `[events]`: which columns name entity and time, and which SQL files build features and label."""

import re
from collections.abc import Sequence

from ebb.contract.model import SNAPSHOT_TIME, Contract, Events
from ebb.contract.table import Table

_SQL_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.sql")


def sql_file(table: Table, key: str) -> str | None:
    """Return the name of an SQL file beside the contract, or None where the key is absent.

    Raises:
        ContractError: it is no plain file name that ends in `.sql`.
    """
    if not table.has(key):
        return None
    name = table.text(key)
    if not _SQL_FILE.fullmatch(name):
        raise table.fail(f'`{key}` is {name!r}, but must name a file beside the contract, such as "orders.sql"', key)
    return name


def parse_events(top: Table) -> Events | None:
    """Return what `[events]` says, or None where there is none.

    Raises:
        ContractError: a key is unknown, missing or impossible.
    """
    if not top.has("events"):
        return None
    table = top.sub("events")
    events = Events(table.text("entity"), table.text("time"), sql_file(table, "label"))
    table.finish()
    if events.entity == events.time:
        raise table.fail("`time` is the column that names the entity: name the one that says when", "time")
    return events


def check_events(top: Table, contract: Contract, features: Sequence[Table]) -> None:
    """Refuse what `[events]`, the features' `sql` and the other tables contradict each other in.

    Args:
        top: the whole contract.
        contract: as parsed.
        features: the tables of its features, in their order.

    Raises:
        ContractError: names the line of what has to change.
    """
    for table, feature in zip(features, contract.features, strict=True):
        if feature.sql is not None and contract.events is None:
            raise table.fail("`sql` needs [events], which says what the SQL is run on: add it", "sql")
        if feature.sql is None and contract.events is not None:
            raise table.fail(f"`{feature.name}` names no `sql`: with [events] every feature says which file builds it")
    if contract.events is None:
        return
    events = top.sub("events")
    if contract.entity_column is None:
        raise events.fail("[events] needs [entity], which names the key column of the built table: add it")
    if top.has("event_time"):
        raise top.fail(f"with [events] the event time is `{SNAPSHOT_TIME}`: remove [event_time]", "event_time")
    if contract.events.label in contract.feature_sets:
        raise events.fail("`label` is a file that builds features too, but only the label may see the future", "label")
    if contract.events.label is not None and contract.label.window_days < 1:
        raise top.sub("label").fail("`window_days` must be at least 1 where SQL builds the label", "window_days")
