"""Time and splits: what was known when, and whether a test tests anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.contract import Contract
from training.dataset import Dataset
from training.validation.finding import CRITICAL, WARNING, Finding
from training.validation.sentences import moment
from training.validation.suite import DAY


@dataclass(frozen=True)
class Learned:
    """What a test is held against.

    Attributes:
        entity_ids: of the rows that are learned from, object (str).
        newest: the last moment of these rows, epoch seconds; None where they have none.
    """

    entity_ids: NDArray[Any]
    newest: float | None


@dataclass(frozen=True)
class Wrong:
    """Rows whose outcome happened before their moment, and after the label's window."""

    early: int = 0
    late: int = 0

    def __add__(self, other: "Wrong") -> "Wrong":
        """Add up the rows of two parts of a table."""
        return Wrong(self.early + other.early, self.late + other.late)


def learned_of(train: Dataset) -> Learned:
    """Return what a test is held against, from accepted rows."""
    return Learned(train.entity_ids, None if train.event_times is None else float(np.max(train.event_times)))


def judge_split(contract: Contract, train: Learned, test: Dataset) -> list[Finding]:
    """Find what makes a test too easy: entities that stand in both tables, and a test that lies before the training.

    Without a key column an entity is a row's number and says nothing, so it is not compared. Where the contract's folds
    are spans of time, an entity may well come again: then it is only told.
    """
    found: list[Finding] = []
    if contract.entity_column is not None:
        both = int(np.isin(test.entity_ids.astype(str), np.unique(train.entity_ids.astype(str))).sum())
        if both:
            named = f"names entities that were trained on in {both:,} of {test.rows:,} rows of the test"
            told = "what is known of them helps, as it will when they come again" if contract.temporal else ""
            reason = f"{named}: {told or 'split by entity'}"
            found.append(Finding(WARNING if contract.temporal else CRITICAL, contract.entity_column, reason, both))
    if train.newest is not None and test.event_times is not None:
        found.extend(_backwards(str(contract.event_time), train.newest, test.event_times))
    return found


def _backwards(column: str, newest: float, test: NDArray[np.float64]) -> Iterator[Finding]:
    before = int((test <= newest).sum())
    if before == len(test):
        reason = f"runs backwards: the whole test lies before the end of the training ({moment(newest)})"
        yield Finding(CRITICAL, column, reason, before)
    elif before:
        reason = f"lies before the end of the training ({moment(newest)}) in {before:,} of {len(test):,} test rows"
        yield Finding(WARNING, column, reason, before)


def wrong_outcomes(contract: Contract, event_times: NDArray[np.float64], outcome_times: NDArray[np.float64]) -> Wrong:
    """Count outcomes that happened before the row's moment, or after the label's window had closed.

    Args:
        contract: has the label's window; 0 days are none.
        event_times: epoch seconds [N].
        outcome_times: epoch seconds [N]; NaN where nothing happened.
    """
    days = contract.label.window_days
    late = int((outcome_times > event_times + days * DAY).sum()) if days else 0
    return Wrong(int((outcome_times < event_times).sum()), late)


def outcomes_told(contract: Contract, column: str, wrong: Wrong) -> list[Finding]:
    """Return what is found of the column that says when outcomes happened."""
    found: list[Finding] = []
    if wrong.early:
        reason = (
            f"is before {contract.event_time!r} in {wrong.early:,} rows: the outcome was known when the features were"
        )
        found.append(Finding(CRITICAL, column, reason, wrong.early))
    if wrong.late:
        days = contract.label.window_days
        reason = (
            f"is after the label's window of {days} days in {wrong.late:,} rows: are these rows positive by mistake?"
        )
        found.append(Finding(WARNING, column, reason, wrong.late))
    return found
