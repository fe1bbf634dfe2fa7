"""What stands open in a line of prediction events, and which events share one."""

from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

import orjson

from ebb.event_log.content import content
from ebb.events.chain import Link
from ebb.events.event import SCHEMA, PredictionEvent

MARK = b'{"ebb":"prediction_event",'
"""How every line begins; nothing within a JSON text can look like it, because quotes are escaped there."""

MOST_EVENTS, MOST_BYTES = 128, 48_000
"""Of a line: events, and bytes of what they seal. So a line stays below 100 KB, and CloudWatch takes 256 KB whole."""

ID = 12
"""Bytes of a prediction's id, as it is made; another kind of id stands as it is."""

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY
_alike = attrgetter(
    "request", "time", "client", "purpose", "release", "rules", "variant", "routing", "escalated", "tier", "hedged",
    "milliseconds", "cost",
)  # fmt: skip

Packet = tuple[Sequence[PredictionEvent], Sequence[bytes]]
"""Events that share a line, and what each seals."""


def packets(events: Sequence[PredictionEvent]) -> Iterable[Packet]:
    """Put events together whose open part is the same but for whom they are about; each kind keeps its order."""
    if len(events) == 1:
        return [(events, [content(events[0])])]
    groups: dict[tuple[object, ...], list[PredictionEvent]] = {}
    for event in events:
        key = (_alike(event), len(event.degraded), not event.salt)
        groups.setdefault(key, []).append(event)
    return (packet for group in groups.values() for packet in _portions(group))


def _portions(group: Sequence[PredictionEvent]) -> Iterator[Packet]:
    """Cut a group into what a line may hold; an event that is larger has a line of its own."""
    some, contents, size = list[PredictionEvent](), list[bytes](), 0
    for event in group:
        made = content(event)
        if some and (len(some) == MOST_EVENTS or size + len(made) > MOST_BYTES):
            yield some, contents
            some, contents, size = [], [], 0
        some.append(event)
        contents.append(made)
        size += len(made)
    yield some, contents


def opened(events: Sequence[PredictionEvent], link: Link, subjects: Sequence[bytes]) -> bytes:
    """Return what anybody may read, as a JSON object: who asked, what answered, what it took; nothing of a person.

    What is usual is left out: no rules, no escalation, no hedging, no problems.

    Args:
        events: a packet's.
        link: the line's place in the chain.
        subjects: the entities' pseudonyms.
    """
    event = events[0]
    document: dict[str, Any] = {
        "ebb": "prediction_event",
        "v": SCHEMA,
        "env": link.environment,
        "seq": link.sequence,
        "prev": link.previous,
        "request": event.request,
        "time": event.time,
        "client": event.client,
        "purpose": event.purpose,
        "release": event.release,
        "variant": event.variant,
        "routing": event.routing,
        "tier": event.tier,
        "ms": event.milliseconds,
        "cost": event.cost,
    }
    if event.rules is not None:
        document["rules"] = event.rules
    if event.escalated:
        document["escalated"] = True
    if event.hedged:
        document["hedged"] = True
    if event.degraded:
        document["problems"] = len(event.degraded)
    document["ids"] = _ids([event.id for event in events])
    document["subjects"] = b2a_base64(b"".join(subjects), newline=False).decode()
    return orjson.dumps(document, option=_OPTIONS)


def _ids(ids: Sequence[str]) -> str | Sequence[str]:
    """Return ids of 24 hex digits in base64, and others as they are."""
    joined = "".join(ids)
    try:
        made = bytes.fromhex(joined)
    except ValueError:
        return ids
    if made.hex() != joined or any(len(each) != 2 * ID for each in ids):
        return ids
    return b2a_base64(made, newline=False).decode()
