"""A feature record as JSON text, the same in every tier.

`{"t": <event time>, "o": {<feature>: <event time>}, "v": {<feature>: <value>}, "s": <salt>}`: `t` holds for every
value but those in `o`. A record of a subject that was erased and came back has `"e": <erased at>` as well; a
tombstone has nothing else. Times are epoch seconds, the salt is hexadecimal.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from ebb.contract.model import Value
from ebb.ports import EventTimes, FeatureRecord

_SALTS = (16, 0)
"""Bytes of a salt; a record of an older schema has none."""


def values_to_json(values: Mapping[str, Value]) -> bytes:
    """Return the values' JSON; numpy scalars are written in their own shortest form."""
    return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)


def record_to_json(record: FeatureRecord) -> bytes:
    """Return the record's JSON, the commonest event time standing once."""
    if record.is_tombstone:
        return orjson.dumps({"e": record.erased_at})
    times = EventTimes.of(record.event_times)
    parts: dict[str, Any] = {"t": times.common, "o": dict(times.exceptions), "v": dict(record.values), "s": record.salt}
    if record.erased_at is not None:
        parts["e"] = record.erased_at
    return orjson.dumps(parts)


def joined_json(event_time: float, others: str, values: str, salt: str, erased_at: float | None = None) -> bytes:
    """Return the JSON of a record whose times and values are JSON already."""
    end = "" if erased_at is None else f',"e":{erased_at!r}'
    return f'{{"t":{event_time!r},"o":{others},"v":{values},"s":"{salt}"{end}}}'.encode()


def record_from_json(content: bytes | str, version: int) -> FeatureRecord:
    """Read a record's JSON.

    Raises:
        ValueError: it is none.
    """
    # On the hot path: one look at each part, no pattern.
    try:
        parts = orjson.loads(content)
        erased_at = parts.get("e")
        values = parts.get("v")
        if values is None:
            return FeatureRecord({}, {}, version, "", erased_at + 0.0)
        times = EventTimes(values.keys(), parts["t"] + 0.0)
        if others := parts["o"]:
            others.keys()  # a table, or no record
            times.exceptions = others
        salt = parts.get("s", "")
        if len(bytes.fromhex(salt)) not in _SALTS:
            raise ValueError("the record's salt is none")
        return FeatureRecord(values, times, version, salt, erased_at)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("the text is no feature record") from error


def record_from_parts(  # noqa: PLR0917 - the parts of a record, in their order
    values: dict[str, Value],
    event_time: float,
    others: Mapping[str, float],
    version: int,
    salt: str = "",
    erased_at: float | None = None,
) -> FeatureRecord:
    """Build a record from its stored parts."""
    return FeatureRecord(values, EventTimes(values, event_time, others), version, salt, erased_at)
