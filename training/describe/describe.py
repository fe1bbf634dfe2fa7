"""From a table to guesses about each of its columns."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.contract import Feature, Kind
from ebb.errors import DataError
from training.describe.dates import DAYS, doubtful_date
from training.describe.entity import can_be_key
from training.describe.fallback import guess_rules
from training.describe.giveaway import giveaway
from training.describe.kinds import Column, is_sequence, read_column, round_up
from training.describe.label import guess_label
from training.describe.model import Description, Guess, LeftOut
from training.describe.names import (
    feature_name,
    looks_known_afterwards,
    looks_like_key,
    looks_personal,
    looks_protected,
)
from training.describe.panel import choose_key
from training.describe.single import LEAK_AUC, judged_rows, single_auc

_LISTED, _MANY, _TINY, _LEFT_NAMED = 50, 1_000, 1e-300, 5


def describe(
    table: pa.Table,
    label: str,
    *,
    entity: str | None = None,
    positive: str | None = None,
    name: str,
    source: str = "the table",
) -> Description:
    """Guess a first contract from a table.

    Args:
        table: as `read_table` gives it.
        label: column of the outcome.
        entity: key column; None lets it be guessed.
        positive: the label's value that means yes; None lets it be guessed.
        name: of the contract.
        source: the table's name for messages.

    Raises:
        DataError: label or entity cannot be used as asked, or no column is left that could be a feature.
    """
    outcome, label_told, labels = guess_label(table, label, positive, source)
    key, event_time, entity_told = choose_key(table, entity, label, source)
    rows = judged_rows(table.num_rows)
    guesses: list[Guess] = []
    columns: list[Column] = []
    left_out: list[LeftOut] = []
    taken: set[str] = set()
    for title in table.column_names:
        if title in (label, key, event_time):
            continue
        column = _column(title, table[title])
        if column.kind is None:
            left_out.append(LeftOut(title, column.reason))
            continue
        guess = _guess(title, column, taken, labels, rows)
        taken.add(guess.feature.name)
        doubt = doubtful_date(guess)
        if doubt:
            left_out.append(LeftOut(title, doubt, guess.feature))
            continue
        guesses.append(guess)
        columns.append(column)
    if not guesses:
        why = "; ".join(f"{left.column!r}: {left.reason}" for left in left_out[:_LEFT_NAMED])
        raise DataError(f"{source} has no column that could be a feature: {why or 'label and key are all it has'}")
    return Description(
        name=name,
        rows=table.num_rows,
        label=outcome,
        label_told=label_told,
        positive_rate=float(labels.mean()),
        entity=key,
        entity_told=entity_told,
        event_time=event_time,
        guesses=tuple(guesses),
        left_out=tuple(left_out),
        rules=guess_rules(guesses, columns, labels, rows),
    )


def _column(title: str, values: pa.ChunkedArray) -> Column:
    """Read a column, and leave out what has no name or names rows."""
    if not title:
        return Column(None, "it has no name: give it one to use it")
    column = read_column(values, title)
    if column.kind is Kind.INTEGER and column.numbers is not None:
        if is_sequence(column.numbers):
            return Column(None, "counts the rows")
        if looks_like_key(title) and can_be_key(title, values):
            return Column(None, "likely an identifier: a whole number of its own in every row")
    if column.kind is Kind.CATEGORY and can_be_key(title, values):
        return Column(None, "likely an identifier: a text of its own in every row")
    return column


def _guess(
    title: str,
    column: Column,
    taken: set[str],
    labels: NDArray[np.int8],
    rows: NDArray[np.intp],
) -> Guess:
    personal, protected = looks_personal(title), looks_protected(title)
    told = list(column.told)
    minimum, maximum = _range(column, told, personal=personal)
    categories = _categories(column, told, personal=personal and not protected)
    if column.missing:
        told.append(f"{column.missing / len(labels):.1%} missing")
    found = single_auc(column.codes()[rows], labels[rows]) if 0 < labels[rows].sum() < len(rows) else 0.5
    kind = column.kind or Kind.NUMBER
    gives = giveaway(column, labels)
    feature = Feature(
        name=feature_name(title, taken),
        column=title,
        kind=kind,
        minimum=minimum,
        maximum=maximum,
        categories=categories,
        missing=column.missing > 0,
        personal=personal,
        protected=protected,
        unit=DAYS if column.written.is_date else "",
        written=column.written,
    )
    afterwards = looks_known_afterwards(title)
    told.extend(_reviews(feature, found, gives, afterwards=afterwards))
    return Guess(feature, column.missing / len(labels), tuple(told), found, found > LEAK_AUC, gives, afterwards)


def _reviews(feature: Feature, auc: float, gives: str, *, afterwards: bool) -> list[str]:
    """Say what people must decide about a column."""
    told = []
    if feature.written.is_date:
        told.append(
            f"REVIEW: dates, read as {DAYS}; a request carries that number. Is each known before the outcome? "
            "If not, remove it"
        )
    if auc > LEAK_AUC:
        told.append(
            f"LEAK? {feature.name} alone predicts the label (out-of-fold AUC {auc:.3f}): "
            "is it known before the outcome? If not, remove it"
        )
    elif gives:
        told.append(f"LEAK? {gives}: is it known before the outcome? If not, remove it")
    if afterwards:
        told.append("REVIEW: its name sounds like something known only after the outcome; if so, remove it")
    if feature.protected:
        told.append("REVIEW: by its name a protected attribute; it is watched for fairness")
    if feature.personal:
        told.append("REVIEW: by its name personal; its values never reach a log or metric")
    return told


def _range(column: Column, told: list[str], *, personal: bool) -> tuple[float | None, float | None]:
    """Widen what was seen outwards to round numbers; 0 stays the bound of what was never negative. Days go on."""
    if column.numbers is None or column.kind is Kind.FLAG or column.written.is_date:
        return None, None
    filled = column.numbers[np.isfinite(column.numbers)]
    infinite = int(np.isinf(column.numbers).sum())
    if infinite:
        told.append(f"{infinite:,} infinite values, which will be refused: correct them")
    if not len(filled):
        return None, None
    low, high = float(np.min(filled)), float(np.max(filled))
    if not personal:
        told.append(f"seen {_plain(low)} to {_plain(high)}")
    return (0.0 if low >= 0 else -_outwards(-low)), (0.0 if high <= 0 else _outwards(high))


def _outwards(value: float) -> float:
    return round_up(value) if value > _TINY else value


def _plain(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"  # noqa: PLR2004 - readable


def _categories(column: Column, told: list[str], *, personal: bool) -> tuple[str, ...]:
    """List the categories where they are few; name only their number where they are many, or personal."""
    if column.texts is None:
        return ()
    filled = [str(text) for text in column.texts.distinct[1:]]
    if len(filled) <= _LISTED and not personal:
        return tuple(sorted(filled))
    told.append(f"{len(filled):,} categories seen")
    if len(filled) >= _MANY:
        told.append("REVIEW: so many categories are learned poorly; group them where you can")
    return ()
