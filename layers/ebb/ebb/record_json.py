"""A feature record as JSON text, the same in every tier.

`{"t": <event time>, "o": {<feature>: <event time>}, "v": {<feature>: <value>}}`: `t` holds for every value but
those in `o`. Times are epoch seconds.
"""

from collections.abc import Mapping

import orjson

from ebb.contract.model import Value
from ebb.ports import FeatureRecord


def values_to_json(values: Mapping[str, Value]) -> bytes:
    """Return the values' JSON; numpy scalars are written in their own shortest form."""
    return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)


def record_to_json(record: FeatureRecord) -> bytes:
    """Return the record's JSON, the commonest event time standing once."""
    times = list(record.event_times.values())
    common = max(set(times), key=times.count) if times else 0.0
    others = {name: time for name, time in record.event_times.items() if time != common}
    return orjson.dumps({"t": common, "o": others, "v": dict(record.values)})


def record_from_json(content: bytes | str, version: int) -> FeatureRecord:
    """Read a record's JSON.

    Raises:
        ValueError: it is none.
    """
    match orjson.loads(content):
        case {"v": dict(values), "t": float() | int() as event_time, "o": dict(others)}:
            return record_from_parts(values, event_time, others, version)
        case _:
            raise ValueError("the text is no feature record")


def record_from_parts(
    values: dict[str, Value], event_time: float, others: Mapping[str, float], version: int
) -> FeatureRecord:
    """Build a record from its stored parts."""
    return FeatureRecord(values, {**dict.fromkeys(values, event_time), **others}, version)
