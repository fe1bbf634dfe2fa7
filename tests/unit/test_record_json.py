"""A record's JSON: everything survives it, and nothing else is taken for a record."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.contract.model import Value
from ebb.ports import FeatureRecord
from ebb.record_json import joined_json, record_from_json, record_to_json, values_to_json

SALT = "0123456789abcdef" * 2
times = st.floats(0, 2e9)
values = st.dictionaries(
    st.text(min_size=1, max_size=3),
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5)),
    min_size=1,
    max_size=4,
)


@given(values, st.lists(times, min_size=4, max_size=4), st.integers(1, 10**15), st.none() | times)
def test_a_record_survives(content: dict[str, Value], moments: list[float], version: int, erased: float | None) -> None:
    record = FeatureRecord(content, dict(zip(content, moments, strict=False)), version, SALT, erased)
    assert record_from_json(record_to_json(record), version) == record


@given(values, times, st.none() | times)
def test_joined_parts_are_what_a_record_is(content: dict[str, Value], moment: float, erased: float | None) -> None:
    record = FeatureRecord(content, dict.fromkeys(content, moment), 7, SALT, erased)
    joined = joined_json(moment, "{}", values_to_json(content).decode(), SALT, erased)
    assert record_from_json(joined, 7) == record
    first = next(iter(content))
    other = joined_json(moment, orjson.dumps({first: 5.0}).decode(), values_to_json(content).decode(), SALT, erased)
    assert record_from_json(other, 7).event_times == {**record.event_times, first: 5.0}


def test_a_tombstone_is_nothing_but_its_time() -> None:
    tombstone = FeatureRecord({}, {}, 3, erased_at=5.5)
    assert record_to_json(tombstone) == b'{"e":5.5}'
    assert record_from_json(b'{"e":5.5}', 3) == tombstone
    assert tombstone.is_tombstone


def test_the_commonest_time_stands_once() -> None:
    record = FeatureRecord({"a": 1, "b": 2, "c": 3}, {"a": 9.0, "b": 5.0, "c": 5.0}, 1, SALT)
    assert orjson.loads(record_to_json(record)) == {
        "t": 5.0,
        "o": {"a": 9.0},
        "v": {"a": 1, "b": 2, "c": 3},
        "s": SALT,
    }


def test_a_record_from_before_there_were_salts_has_none() -> None:
    record = record_from_json(b'{"t": 5, "o": {}, "v": {"a": 1}}', 2)
    assert record == FeatureRecord({"a": 1}, {"a": 5.0}, 2)
    assert not record.is_tombstone


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"null",
        b"[1]",
        b"3",
        b"{}",
        b'{"e": "soon"}',
        b'{"e": null}',
        b'{"v": {}}',
        b'{"v": {"a": 1}, "t": 1}',
        b'{"v": {"a": 1}, "o": {}}',
        b'{"v": {"a": 1}, "t": "x", "o": {}}',
        b'{"v": [1], "t": 1, "o": {}}',
        b'{"v": "a", "t": 1, "o": {}}',
        b'{"v": {"a": 1}, "t": 1, "o": 5}',
    ],
)
def test_what_is_no_record_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        record_from_json(content, 1)
