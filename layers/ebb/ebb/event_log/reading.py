"""Reading prediction events back: out of a log, and out of their seal."""

import math
from binascii import Error, a2b_base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import starmap
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ebb.errors import DataError
from ebb.event_log.lines import MARK
from ebb.event_log.sealing import BY_NONE, NONCE, finished, secret_name, subject_key
from ebb.events.chain import Link
from ebb.events.event import SCHEMA, PredictionEvent, ShadowScore

_TEXT = b',"text":"'


@dataclass(frozen=True)
class RecordedEvent:
    """One event as its line holds it.

    Attributes:
        line: its bytes, without what stood around them; what the chain's hashes are made of.
        link: its place in the chain, as it says.
        open: what anybody may read, by the names of `docs/prediction-events.md`.
    """

    line: bytes
    link: Link
    open: Mapping[str, Any]


@dataclass(frozen=True)
class Torn:
    """What begins as an event and is none: cut short by a crash, or altered.

    Attributes:
        at: its first byte in the log.
    """

    at: int


def read_events(log: bytes) -> Iterator[RecordedEvent | Torn]:
    """Find the events of a log, in its order; what else it holds, before or between them, is passed over."""
    start = log.find(MARK)
    while start >= 0:
        following = log.find(MARK, start + 1)
        newline = log.find(b"\n", start)
        end = min((e for e in (following, newline) if e >= 0), default=len(log))
        yield _event(log[start:end]) or Torn(start)
        start = following


def _event(line: bytes) -> RecordedEvent | None:
    """Read one line; None where it is no event of this schema."""
    try:
        document = orjson.loads(line)
        link = Link(document["env"], document["seq"], document["prev"])
    except (orjson.JSONDecodeError, KeyError):
        return None
    kinds = (type(link.environment), type(link.sequence), type(link.previous), type(document.get("sealed")))
    if kinds != (str, int, str, dict) or document.get("v") != SCHEMA:
        return None
    return RecordedEvent(line, link, document)


def unseal(event: RecordedEvent, secret: bytes, salt: str) -> PredictionEvent:
    """Return the whole event; that it opens proves that no byte of it was altered, the open ones included.

    Args:
        event: as it was read.
        secret: the stage secret of its time.
        salt: the subject's; empty once it is erased.

    Raises:
        DataError: it cannot be opened; says why.
    """
    name = f"prediction event {event.link.environment}/{event.link.sequence}"
    sealed = event.open["sealed"]
    if sealed.get("by") == BY_NONE:
        raise DataError(f"{name} is of an entity that had no salt: nobody can open it.")
    if not salt:
        raise DataError(f"{name} cannot be opened any more: its subject was erased.")
    if sealed.get("secret") != secret_name(secret):
        raise DataError(f"{name} was sealed under another stage secret: give the one of its time.")
    try:
        text = _decrypt(subject_key(secret, bytes.fromhex(salt)), event)
    except (InvalidTag, Error, KeyError, ValueError, TypeError, AttributeError):
        raise DataError(
            f"{name} does not open with this salt: its subject was erased since and has a new one, it is another "
            "subject's, or the event was altered, which its chain tells."
        ) from None
    return _whole(event.open, orjson.loads(text), salt)


def _decrypt(key: bytes, event: RecordedEvent) -> bytes:
    """Open what is sealed; base64 that is spelled otherwise than its writer does is refused with ValueError."""
    bound = event.line[: event.line.rindex(_TEXT)]
    sealed = a2b_base64(event.open["sealed"]["text"], strict_mode=True)
    if finished(bound, sealed) != event.line:
        raise ValueError
    return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], bound)


def _whole(shown: Mapping[str, Any], personal: Mapping[str, Any], salt: str) -> PredictionEvent:
    """Put an event together from what is open and what was sealed."""
    same = ("id", "request", "time", "client", "purpose", "release", "rules", "variant", "routing", "escalated", "tier")
    sealed = ("entity_id", "ages", "requested", "defaults", "stale", "degraded", "probability", "decision")
    reasons, shadow = personal["reasons"], personal["shadow"]
    return PredictionEvent(
        **{name: shown[name] for name in same},
        **{name: personal[name] for name in sealed},
        hedged=shown["hedged"],
        milliseconds=shown["ms"],
        cost=shown["cost"],
        salt=salt,
        inputs={name: math.nan if value is None else value for name, value in personal["inputs"].items()},
        reasons=None if reasons is None else list(starmap(lambda name, by: (name, by), reasons)),
        shadow=shadow and ShadowScore(shadow["release"], shadow["probability"], shadow["ms"]),
    )
