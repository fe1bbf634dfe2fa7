"""Which snapshots were asked for, and which of them are mature."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import DataError, Misuse
from training.events.snapshots import latest_known, latest_mature, parse_snapshots, refuse_immature, told

_DAY = timedelta(days=1)


def _at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc,arg-type]  # year, month, day and so on


def test_moments_are_sorted_once_and_utc_where_nothing_is_said() -> None:
    found = parse_snapshots("2011-09-10, 2011-06-01T02:00+02:00,2011-09-10", None, None, None)
    assert found == (_at(2011, 6, 1), _at(2011, 9, 10))


def test_a_series_includes_both_ends() -> None:
    found = parse_snapshots(None, "30d", "2011-01-01", "2011-03-02")
    assert found == (_at(2011, 1, 1), _at(2011, 1, 31), _at(2011, 3, 2))
    assert parse_snapshots(None, "30d", "2011-01-01", "2011-03-01") == found[:2]


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ((None, None, None, None), "name the snapshots: --at"),
        ((None, "30d", "2011-01-01", None), "name the snapshots: --at"),
        (("2011-01-01", "30d", None, None), "either by --at or by --every"),
        (("soon", None, None, None), "--at 'soon': must be a date"),
        (("2011-01-01,", None, None, None), "--at '': must be a date"),
        ((None, "often", "2011-01-01", "2011-02-01"), "--every 'often': must be a duration"),
        ((None, "1s", "2011-01-01", "2011-02-01"), "makes more than 1,000 snapshots"),
        ((None, "99999999999d", "2011-01-01", "2011-02-01"), "must be a duration"),
        ((None, "0.0000001s", "2011-01-01", "2011-02-01"), "makes more than 1,000 snapshots"),
        ((None, "1d", "2011-02-01", "2011-01-01"), "is before --from"),
    ],
)
def test_what_cannot_be_meant_is_misuse(given_: tuple[str | None, ...], says: str) -> None:
    with pytest.raises(Misuse, match=says):
        parse_snapshots(*given_)


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (_at(2011, 9, 10), "2011-09-10"),
        (_at(2011, 9, 10, 6), "2011-09-10 06:00"),
        (_at(2011, 9, 10, 0, 0, 5), "2011-09-10 00:00:05"),
    ],
)
def test_moments_are_told_as_short_as_they_are(when: datetime, text: str) -> None:
    assert told(when) == text


def test_the_latest_is_decided_by_the_events() -> None:
    assert parse_snapshots(" latest", None, None, None) == ()
    first, last = _at(2011, 1, 1), _at(2011, 4, 10, 12)
    assert last < latest_known(last) <= last + timedelta(milliseconds=1)
    assert latest_mature(90, first, last) == _at(2011, 1, 10)
    assert latest_mature(99, first, last) == _at(2011, 1, 1, 12)
    assert latest_mature(100, first, last) is None


@given(
    st.integers(1, 400),
    st.integers(0, 40_000),
    st.lists(st.integers(0, 60_000), min_size=1, max_size=5),
)
def test_a_snapshot_is_mature_when_its_window_has_closed(window: int, hours: int, starts: list[int]) -> None:
    first = _at(2011, 1, 1)
    last = first + timedelta(hours=hours)
    snapshots = tuple(sorted(first + timedelta(hours=start) for start in starts))
    mature = all(when + window * _DAY <= last for when in snapshots)
    if mature:
        refuse_immature(snapshots, window, first, last)
        return
    with pytest.raises(DataError, match="is not mature") as caught:
        refuse_immature(snapshots, window, first, last)
    if "latest mature one is " in str(caught.value):
        best = datetime.fromisoformat(str(caught.value).rpartition(" is ")[2]).replace(tzinfo=UTC)
        refuse_immature((best,), window, first, last)
        assert first < best <= last - window * _DAY
