"""The names of a table's columns, and how they match those that a contract asks for."""

import difflib
from collections import Counter
from pathlib import Path

from ebb.contract import Contract
from ebb.errors import DataError
from training.dataset.refusals import Refusals

_COLUMNS_NAMED = 8


def bare_names(path: Path, names: list[str]) -> list[str]:
    """Return the names of a table's columns without surrounding blanks.

    Raises:
        DataError: two are alike.
    """
    bare = [name.strip() for name in names]
    twice = [name for name, count in Counter(bare).items() if count > 1]
    if "" in twice:
        raise DataError(f"{path} has {bare.count('')} columns without a name: name them, or remove all but one")
    if twice:
        raise DataError(f"{path} has more than one column named {twice[0]!r}: rename or remove one")
    return bare


def match_columns(contract: Contract, names: list[str], refusals: Refusals, *, labelled: bool) -> list[str]:
    """Refuse columns that are not there, and note those that nobody asked for."""
    needed = {feature.column: f"the feature {feature.name!r}" for feature in contract.features}
    if labelled:
        needed[contract.label.column] = "the label"
    if contract.entity_column is not None:
        needed[contract.entity_column] = "the entity's key"
    if contract.event_time is not None:
        needed[contract.event_time] = "the event time"
    known = {*needed, contract.label.column}
    extra = [name for name in names if name not in known]
    for column, use in needed.items():
        if column not in names:
            near = nearest(column, extra)
            hint = f"; it has {near!r}: was it renamed?" if near else ""
            refusals.add(f"column {column!r} ({use}) is missing from the table{hint}")
    if not extra:
        return []
    named = ", ".join(repr(name) for name in extra[:_COLUMNS_NAMED]) + (", ..." if len(extra) > _COLUMNS_NAMED else "")
    return [f"{len(extra)} column{'s' if len(extra) > 1 else ''} the contract does not mention, ignored: {named}"]


def nearest(name: str, candidates: list[str]) -> str | None:
    """Return the candidate that is spelled most like `name`, ignoring case, blanks and underscores, or None."""
    bare = {"".join(c for c in candidate.lower() if c.isalnum()): candidate for candidate in candidates}
    near = difflib.get_close_matches("".join(c for c in name.lower() if c.isalnum()), bare, 1, 0.6)
    return bare[near[0]] if near else None
