"""Which spelling of dates or amounts all texts of a column share."""

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ebb.contract.feature import Written
from training.dataset.amounts import fits
from training.dataset.days import NO_DATES, fitting
from training.dataset.numbers import MISSING_WORDS
from training.describe.names import words

_UNSURE_DAY = (
    "REVIEW: no row tells day and month apart; they are read day first: correct `written` to mm/dd/yyyy if the month "
    "stands first"
)
_UNSURE_COMMA = (
    "REVIEW: commas are read as grouping thousands, since three digits follow each: correct `written` to 1.234,5 if "
    "they are decimal commas"
)
_GROUPED = re.compile(r",\d{3}(?!\d)")
_MOMENTS = {
    "at", "on", "date", "time", "timestamp", "ts", "datetime", "epoch", "created", "since", "joined", "start", "end",
    "day", "when", "signup", "registered",
}  # fmt: skip
_FIRST_SECOND, _LAST_SECOND = 315_532_800, 4_102_444_800
"""1980 and 2100."""


def guess_dates(distinct: Sequence[str]) -> tuple[Written | None, str]:
    """Return the spelling of dates that all texts share, or None, and what people should decide about it."""
    texts = _without(distinct, (*MISSING_WORDS, *NO_DATES))
    if not len(texts):
        return None, ""
    found = list(fitting(texts))
    if Written.DAY_FIRST in found and Written.MONTH_FIRST in found:
        return _day_or_month(texts)
    return (found[0] if found else None), ""


def guess_amounts(distinct: Sequence[str]) -> tuple[Written | None, str]:
    """Return the spelling of amounts that all texts share, or None, and what people should decide about it."""
    texts = _without(distinct, MISSING_WORDS)
    if not len(texts):
        return None, ""
    found = [written for written in (Written.POINT, Written.COMMA) if fits(texts, written)]
    if not found:
        return None, ""
    grouped = len(found) > 1 and any(_GROUPED.search(text) for text in texts.to_pylist())
    return found[0], _UNSURE_COMMA * grouped


def guess_epoch(title: str, low: float, high: float) -> Written | None:
    """Return the unit of whole numbers that are moments by name and size, or None."""
    if not _MOMENTS & set(words(title)):
        return None
    for written, scale in ((Written.SECONDS, 1), (Written.MILLISECONDS, 1_000)):
        if _FIRST_SECOND * scale <= low and high <= _LAST_SECOND * scale:
            return written
    return None


def _day_or_month(texts: pa.Array) -> tuple[Written, str]:
    """Tell day from month where every text could be either: days of reports stand still while months go by."""
    fields = pc.extract_regex(texts, r"^(?P<first>\d+)[-/.](?P<second>\d+)")
    first, second = (pc.count_distinct(fields.field(i)).as_py() for i in range(2))
    if min(first, second) == 1 < max(first, second):
        return (Written.DAY_FIRST if first == 1 else Written.MONTH_FIRST), ""
    dotted = bool(pc.all(pc.match_substring(texts, ".")).as_py())
    return Written.DAY_FIRST, "" if dotted else _UNSURE_DAY


def _without(distinct: Sequence[str], words_for_missing: Sequence[str]) -> pa.Array:
    trimmed = (str(text).strip() for text in distinct)
    return pa.array([text for text in trimmed if text.lower() not in words_for_missing], pa.large_string())
