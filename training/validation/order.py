"""Time and splits: what was known when, and whether a test tests anything."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ebb.contract import Contract
from training.dataset import Dataset
from training.validation.finding import CRITICAL, WARNING, Finding
from training.validation.sentences import moment
from training.validation.suite import DAY


def judge_split(contract: Contract, train: Dataset, test: Dataset) -> list[Finding]:
    """Find what makes a test too easy: entities that stand in both tables, and a test that lies before the training.

    Without a key column an entity is a row's number and says nothing, so it is not compared.
    """
    found: list[Finding] = []
    if contract.entity_column is not None:
        both = int(np.isin(test.entity_ids.astype(str), np.unique(train.entity_ids.astype(str))).sum())
        if both:
            reason = (
                f"names entities that were trained on in {both:,} of {test.rows:,} rows of the test: split by entity"
            )
            found.append(Finding(CRITICAL, contract.entity_column, reason, both))
    if train.event_times is not None and test.event_times is not None:
        found.extend(_backwards(str(contract.event_time), train.event_times, test.event_times))
    return found


def _backwards(column: str, train: NDArray[np.float64], test: NDArray[np.float64]) -> Iterator[Finding]:
    newest = float(np.max(train))
    before = int((test <= newest).sum())
    if before == len(test):
        reason = f"runs backwards: the whole test lies before the end of the training ({moment(newest)})"
        yield Finding(CRITICAL, column, reason, before)
    elif before:
        reason = f"lies before the end of the training ({moment(newest)}) in {before:,} of {len(test):,} test rows"
        yield Finding(WARNING, column, reason, before)


def judge_outcomes(
    contract: Contract, column: str, event_times: NDArray[np.float64], outcome_times: NDArray[np.float64]
) -> list[Finding]:
    """Find outcomes that happened before the row's moment, or after the label's window had closed.

    Args:
        contract: names the event time and the label's window.
        column: of the outcome's time.
        event_times: epoch seconds [N].
        outcome_times: epoch seconds [N]; NaN where nothing happened.
    """
    found: list[Finding] = []
    early = int((outcome_times < event_times).sum())
    if early:
        reason = f"is before {contract.event_time!r} in {early:,} rows: the outcome was known when the features were"
        found.append(Finding(CRITICAL, column, reason, early))
    days = contract.label.window_days
    late = int((outcome_times > event_times + days * DAY).sum()) if days else 0
    if late:
        reason = f"is after the label's window of {days} days in {late:,} rows: are these rows positive by mistake?"
        found.append(Finding(WARNING, column, reason, late))
    return found
