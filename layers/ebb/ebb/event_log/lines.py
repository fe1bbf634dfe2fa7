"""What stands in a prediction event's line, and under which name: first what is open, then what is sealed."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ebb.events.chain import Link
from ebb.events.event import SCHEMA, PredictionEvent

MARK = b'{"ebb":"prediction_event",'
"""How every line begins; nothing within a JSON text can look like it, because quotes are escaped there."""

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY
"""A probability may come as numpy's own kind of float."""


def opened(event: PredictionEvent, link: Link, subject: str) -> bytes:
    """Return what anybody may read, as a JSON object: who asked, what answered, what it took; nothing of a person.

    Args:
        event: the answer.
        link: its place in the chain.
        subject: the entity's pseudonym.
    """
    return orjson.dumps(
        {
            "ebb": "prediction_event",
            "v": SCHEMA,
            "env": link.environment,
            "seq": link.sequence,
            "prev": link.previous,
            "id": event.id,
            "request": event.request,
            "time": event.time,
            "client": event.client,
            "purpose": event.purpose,
            "subject": subject,
            "release": event.release,
            "rules": event.rules,
            "variant": event.variant,
            "routing": event.routing,
            "escalated": event.escalated,
            "tier": event.tier,
            "hedged": event.hedged,
            "degraded": bool(event.degraded),
            "problems": len(event.degraded),
            "ms": event.milliseconds,
            "cost": event.cost,
        },
        option=_OPTIONS,
    )


def personal(event: PredictionEvent) -> bytes:
    """Return what describes a person, as a JSON object; a missing number is null."""
    shadow = event.shadow
    return orjson.dumps(
        {
            "entity_id": event.entity_id,
            "inputs": event.inputs,
            "ages": event.ages,
            "requested": event.requested,
            "defaults": event.defaults,
            "stale": event.stale,
            "degraded": event.degraded,
            "probability": event.probability,
            "decision": event.decision,
            "reasons": event.reasons,
            "shadow": shadow
            and {"release": shadow.release, "probability": shadow.probability, "ms": shadow.milliseconds},
        },
        default=_plain,
        option=_OPTIONS,
    )


def _plain(value: object) -> Any:
    """Return a mapping or sequence that is no dictionary or list as one."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError
