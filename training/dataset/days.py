"""Dates in any common spelling as days since 1970-01-01."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ebb.contract.feature import Written

_TIME = (
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:[.,]\d+)?))?"
    r"\s*(?P<half>[AaPp])?(?:\.?[Mm]\.?)?\s*(?P<zone>Z|z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?)?)?$"
)
_DAY, _MONTH, _YEAR = r"(?P<day>\d{1,2})", r"(?P<month>\d{1,2})", r"(?P<year>\d{4}|\d{2})"
_WEEKDAY = r"^(?:(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? )?"
_NAME = r"(?P<month>[A-Za-z]{3,9})"
_PATTERNS: Mapping[Written, tuple[str, ...]] = {
    Written.YEAR_FIRST: (
        rf"^(?P<year>\d{{4}})-{_MONTH}-{_DAY}{_TIME}",
        rf"^(?P<year>\d{{4}})/{_MONTH}/{_DAY}{_TIME}",
        rf"^(?P<year>\d{{4}})\.{_MONTH}\.{_DAY}{_TIME}",
        r"^(?P<year>\d{4})-(?P<month>\d{2})$",
    ),
    Written.DAY_FIRST: tuple(rf"^{_DAY}{mark}{_MONTH}{mark}{_YEAR}{_TIME}" for mark in ("/", "-", r"\.")),
    Written.MONTH_FIRST: tuple(rf"^{_MONTH}{mark}{_DAY}{mark}{_YEAR}{_TIME}" for mark in ("/", "-", r"\.")),
    Written.MONTH_NAMED: (
        rf"{_WEEKDAY}{_DAY}(?:st|nd|rd|th)?\.?[ -](?:of )?{_NAME}\.?,?[ -]{_YEAR}{_TIME}",
        rf"{_WEEKDAY}{_NAME}\.? {_DAY}(?:st|nd|rd|th)?,? (?P<year>\d{{4}}){_TIME}",
        rf"^{_NAME}\.?[ -](?P<year>\d{{4}})$",
    ),
    Written.COMPACT: (r"^(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:\.0+)?$",),
}
_SPELLINGS = tuple(_PATTERNS)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
         "november", "december")  # fmt: skip
_LENGTHS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_SECONDS, _HALF_DAY, _LAST_HOUR = 86_400.0, 12, 23
_PIVOT, _CENTURY, _LATEST_SHORT = 69, 100, 2000
NO_DATES = ("0000-00-00", "00/00/0000", "00.00.0000", "0000-00-00 00:00:00", "nat", "0")
"""How tables write that there is no date, beside the words for a missing number."""


def parse_days(texts: pa.Array, written: Written) -> NDArray[np.float64]:
    """Read trimmed texts as days since 1970-01-01, float64 [N]; NaN where they are no date in this spelling.

    Two-digit years from 69 on are of the last century, as POSIX has it.
    """
    days = np.full(len(texts), np.nan)
    for pattern in _PATTERNS[written]:
        left = np.flatnonzero(np.isnan(days))
        if not len(left):
            break
        days[left] = _matched(texts.take(pa.array(left)), pattern)
    return days


def fitting(texts: pa.Array) -> Iterator[Written]:
    """Yield the spellings of dates in which every one of some trimmed texts can be read."""
    few = texts.slice(0, 100)
    for written in _SPELLINGS:
        if not np.isnan(parse_days(few, written)).any() and not np.isnan(parse_days(texts, written)).any():
            yield written


def _matched(texts: pa.Array, pattern: str) -> NDArray[np.float64]:
    found = pc.extract_regex(texts, pattern)
    parts = {field.name: found.field(i) for i, field in enumerate(found.type)}
    known = np.asarray(found.is_valid())
    month = _month(parts["month"]) if r"[A-Za-z]" in pattern.split("(?P<month>")[1][:9] else _number(parts, "month", 0)
    year, day = _century(_number(parts, "year", 0)), _number(parts, "day", 1)
    days = _from_civil(year, month, day)
    days[~(known & (month >= 1) & (month <= 12) & (day >= 1) & (day <= _length(year, month)) & (year >= 1))] = np.nan  # noqa: PLR2004
    return days + _time_of_day(parts) if "hour" in parts else days


def _time_of_day(parts: Mapping[str, pa.Array]) -> NDArray[np.float64]:
    """Return fractions of days, the zone's offset taken away; NaN where the clock has no such time."""
    hour, minute, second = (_number(parts, name, 0) for name in ("hour", "minute", "second"))
    half = np.asarray(pc.utf8_lower(parts["half"]).to_pylist(), object)
    am_pm = (half == "a") | (half == "p")
    bad = (hour > _LAST_HOUR) | (minute > 59) | (second >= 61) | (am_pm & (hour > _HALF_DAY))  # noqa: PLR2004 - a leap second
    hour = np.where(am_pm, hour % _HALF_DAY + _HALF_DAY * (half == "p"), hour)
    zone = pc.replace_substring(parts["zone"], ":", "")
    numeric = pc.match_substring_regex(zone, r"^[+-]\d+$")
    told = pc.if_else(pc.fill_null(numeric, fill_value=False), zone, pa.scalar("+0000", zone.type))
    sign = np.where(np.asarray(pc.starts_with(told, "-")), -1, 1)
    hours = np.asarray(pc.utf8_slice_codeunits(told, 1, 3).cast(pa.int64()))
    minutes = np.asarray(pc.utf8_slice_codeunits(pc.utf8_rpad(told, 5, "0"), 3, 5).cast(pa.int64()))
    seconds = hour * 3600 + minute * 60 + second - sign * (hours * 3600 + minutes * 60)
    return np.where(bad, np.nan, seconds / _SECONDS)


def _number(parts: Mapping[str, pa.Array], name: str, otherwise: float) -> NDArray[np.float64]:
    if name not in parts:
        return np.full(len(next(iter(parts.values()))), float(otherwise))
    text = pc.replace_substring(parts[name], ",", ".")
    filled = pc.if_else(pc.equal(text, ""), None, text).cast(pa.float64())
    return np.asarray(pc.fill_null(filled, float(otherwise)), np.float64)


def _month(names: pa.Array) -> NDArray[np.float64]:
    places: dict[Any, int] = {name: i for i, name in enumerate(_MONTHS, 1)}
    places |= {name: i for i, name in enumerate(_FULL, 1)} | {"sept": 9}
    coded = pc.utf8_lower(names).dictionary_encode()
    known = np.array([*(places.get(name, 0) for name in coded.dictionary.to_pylist()), 0], np.float64)
    return np.asarray(known[coded.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False)], np.float64)


def _century(year: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(year < _PIVOT, year + _LATEST_SHORT, np.where(year < _CENTURY, year + 1900, year))


def _length(year: NDArray[np.float64], month: NDArray[np.float64]) -> NDArray[np.float64]:
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return np.asarray(_LENGTHS[np.clip(month.astype(np.intp) - 1, 0, 11)] + (leap & (month == 2)))  # noqa: PLR2004 - February


def _from_civil(year: NDArray[np.float64], month: NDArray[np.float64], day: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count days from 1970-01-01 in the Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms")."""
    year = year - (month <= 2)  # noqa: PLR2004 - the year begins in March
    era = np.floor(year / 400)
    of_era = year - era * 400
    of_year = np.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
    return np.asarray(era * 146_097 + of_era * 365 + np.floor(of_era / 4) - np.floor(of_era / 100) + of_year - 719_468)
