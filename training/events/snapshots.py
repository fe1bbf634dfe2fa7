"""Snapshots: the moments as of which features are built, and which of them have a mature outcome."""

import re
from datetime import UTC, datetime, timedelta

from ebb.contract.durations import seconds
from ebb.errors import DataError, Misuse

_MOST, _LEAST_DAYS = 1_000, 28
LATEST = "latest"
MONTH = "month"
_TICK = timedelta(milliseconds=1)
"""The finest time that both engines keep."""


def parse_moment(text: str, option: str) -> datetime:
    """Read a date or an ISO 8601 time; without a zone it is UTC.

    Raises:
        Misuse: it is neither.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Misuse(f'{option} {text!r}: must be a date or time such as "2011-09-10" or "2011-09-10T06:00Z"') from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def parse_snapshots(at: str | None, every: str | None, start: str | None, until: str | None) -> tuple[datetime, ...]:
    """Return the snapshots that were asked for, the earliest first; none for the latest, which the events decide.

    Args:
        at: moments with commas between, or `latest`.
        every: a duration or `month`; then `start` and `until` say from when to when, both inclusive.
        start: the first moment.
        until: the last moment.

    Raises:
        Misuse: neither or both ways are used, or a moment or duration cannot be read.
    """
    if at is not None:
        if every or start or until:
            raise Misuse("name the snapshots either by --at or by --every, --from and --until")
        if at.strip() == LATEST:
            return ()
        return tuple(sorted({parse_moment(text, "--at") for text in at.split(",")}))
    if not (every and start and until):
        raise Misuse("name the snapshots: --at 2011-09-10, or --every 30d --from 2011-03-01 --until 2011-09-10")
    first, last = parse_moment(start, "--from"), parse_moment(until, "--until")
    if every.strip() == MONTH:
        return _monthly(first, last)
    try:
        step = timedelta(seconds=seconds(every))
    except (ValueError, OverflowError):
        raise Misuse(f'--every {every!r}: must be a duration such as "7d" or "12h", or "month"') from None
    if last < first:
        raise Misuse(f"--until {until} is before --from {start}: there is no snapshot between them")
    count = (last - first) // step + 1 if step else _MOST + 1
    if count > _MOST:
        raise Misuse(f"--every {every} makes more than {_MOST:,} snapshots: take a longer one")
    return tuple(first + i * step for i in range(count))


def _monthly(first: datetime, last: datetime) -> tuple[datetime, ...]:
    """Return the moments of the same day and time of each month.

    Raises:
        Misuse: not every month has the day, there are none, or too many.
    """
    if first.day > _LEAST_DAYS:
        raise Misuse(f"--every month: not every month has a day {first.day}; take a --from up to the {_LEAST_DAYS}th")
    months = range((last.year - first.year) * 12 + last.month - first.month + 1)
    found = [first.replace(year=first.year + (m := first.month - 1 + i) // 12, month=m % 12 + 1) for i in months]
    if found and found[-1] > last:
        found.pop()
    if not found:
        raise Misuse(f"--until {told(last)} is before --from {told(first)}: there is no snapshot between them")
    if len(found) > _MOST:
        raise Misuse(f"--every month makes more than {_MOST:,} snapshots: start later")
    return tuple(found)


def told(when: datetime) -> str:
    """Return a moment for people: the date alone where it is midnight, UTC."""
    text = f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return re.sub(r"(:00)?$", "", text.removesuffix(" 00:00:00")) if text.endswith(":00") else text


def latest_known(last: datetime) -> datetime:
    """Return the latest snapshot that the events reach: just after the last of them."""
    return last + _TICK


def latest_mature(window_days: int, first: datetime, last: datetime) -> datetime | None:
    """Return the latest snapshot whose window closed by the last event, at midnight where it can; None without one."""
    latest = last - timedelta(days=window_days)
    midnight = latest.replace(hour=0, minute=0, second=0, microsecond=0)
    best = midnight if midnight > first else latest
    return best if best > first else None


def refuse_immature(snapshots: tuple[datetime, ...], window_days: int, first: datetime, last: datetime) -> None:
    """Refuse snapshots whose outcome is not known yet: their window ends after the last event.

    Raises:
        DataError: names the first of them, and the latest mature one.
    """
    window = timedelta(days=window_days)
    immature = [when for when in snapshots if when > last - window]
    if not immature:
        return
    best = latest_mature(window_days, first, last)
    hint = (
        f"the latest mature one is {told(best)}"
        if best is not None
        else f"no snapshot is mature, for the first event is of {told(first)}: bring more events, or shorten the window"
    )
    raise DataError(
        f"the snapshot {told(immature[0])} is not mature: its outcome is known {window_days} days later, on "
        f"{told(immature[0] + window)}, but the last event is of {told(last)}; {hint}"
    )
