"""Reading prediction events back: the lines of a log, and the events of a line, of every version there ever was."""

from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from ebb.event_log.lines import ID, MARK
from ebb.event_log.sealing import NONCE, PSEUDONYM, bound_to, finished, nonces_of
from ebb.events.chain import Link

_TEXT, _TEXTS = b',"text":"', b',"texts":["'
_USUAL: Mapping[str, Any] = {"rules": None, "escalated": False, "hedged": False, "degraded": False, "problems": 0}


@dataclass(frozen=True)
class RecordedEvent:
    """One event as its line holds it.

    Attributes:
        name: what it is called in messages: environment, number of its line, and its place there where it has several.
        open: what anybody may read, by the names of `docs/prediction-events.md`, whatever the version.
        by, secret: whose key closed it, and under which stage secret.
        nonce, sealed: nonce and ciphertext.
        bound: what the ciphertext is bound to.
    """

    name: str
    open: Mapping[str, Any]
    by: str
    secret: str
    nonce: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    bound: bytes = field(repr=False)


@dataclass(frozen=True)
class RecordedLine:
    """One line of a chain.

    Attributes:
        line: its bytes, without what stood around them; what the chain's hashes are made of.
        link: its place in the chain, as it says.
        events: one, or several answers of one call.
    """

    line: bytes
    link: Link
    events: Sequence[RecordedEvent]


@dataclass(frozen=True)
class Torn:
    """What begins as a line of events and is none: cut short by a crash, or altered.

    Attributes:
        at: its first byte in the log.
    """

    at: int


def read_lines(log: bytes) -> Iterator[RecordedLine | Torn]:
    """Find the events' lines of a log, in its order; what else it holds, before or between them, is passed over."""
    start = log.find(MARK)
    while start >= 0:
        following = log.find(MARK, start + 1)
        newline = log.find(b"\n", start)
        end = min((e for e in (following, newline) if e >= 0), default=len(log))
        yield _line(log[start:end]) or Torn(start)
        start = following


def _line(line: bytes) -> RecordedLine | None:
    """Read one line; None where it is none of any version."""
    try:
        document = orjson.loads(line)
        link = Link(document["env"], document["seq"], document["prev"])
        version, sealed = document["v"], document["sealed"]
        kinds = (type(link.environment), type(link.sequence), type(link.previous), type(version), type(sealed))
        if kinds != (str, int, str, int, dict):
            return None
        return RecordedLine(line, link, _VERSIONS[version](line, document, f"{link.environment}/{link.sequence}"))
    except (orjson.JSONDecodeError, KeyError, ValueError, TypeError, Error):
        return None


def _first(line: bytes, document: Mapping[str, Any], name: str) -> Sequence[RecordedEvent]:
    """Read a line of the first version: one event, whose every open byte its content is bound to as it stands.

    Raises:
        KeyError, TypeError, ValueError: it is none, or base64 is spelled otherwise than its writer did.
    """
    told = document["sealed"]
    sealed = a2b_base64(told["text"], strict_mode=True)
    bound = line[: line.rindex(_TEXT)]
    if b'%b,"text":"%b"}}' % (bound, b2a_base64(sealed, newline=False)) != line:
        raise ValueError
    return (RecordedEvent(name, document, told["by"], told["secret"], sealed[:NONCE], sealed[NONCE:], bound),)


def _second(line: bytes, document: Mapping[str, Any], name: str) -> Sequence[RecordedEvent]:
    """Read a line of the second version: events that have all in common but whom they are about.

    Raises:
        KeyError, TypeError, ValueError: see `_first`.
    """
    told = document["sealed"]
    first, *others = (a2b_base64(text, strict_mode=True) for text in told["texts"])
    nonce, sealed = first[:NONCE], [first[NONCE:], *others]
    bound = line[: line.rindex(_TEXTS)]
    if finished(bound, nonce, sealed) != line:
        raise ValueError
    many = len(sealed) > 1
    common = {**_USUAL, "degraded": "problems" in document, **document}
    ids, subjects = _ids(document["ids"]), _pieces(document["subjects"], PSEUDONYM)
    nonces, places = nonces_of(nonce, len(sealed)), bound_to(bound, len(sealed))
    rows = zip(ids, subjects, nonces, sealed, places, strict=True)
    return [
        RecordedEvent(
            f"{name}#{row + 1}" if many else name,
            {**common, "id": made, "subject": subject},
            told["by"],
            told["secret"],
            own,
            text,
            place,
        )
        for row, (made, subject, own, text, place) in enumerate(rows)
    ]


_VERSIONS: Mapping[int, Callable[[bytes, Mapping[str, Any], str], Sequence[RecordedEvent]]] = {1: _first, 2: _second}


def _ids(ids: str | Sequence[str]) -> Sequence[str]:
    return _pieces(ids, ID) if isinstance(ids, str) else ids


def _pieces(text: str, size: int) -> Sequence[str]:
    """Cut what stands in base64 into pieces, in hex.

    Raises:
        TypeError, ValueError: it is none, or not so many whole pieces.
    """
    joined = a2b_base64(text, strict_mode=True)
    if len(joined) % size:
        raise ValueError
    return [joined[at : at + size].hex() for at in range(0, len(joined), size)]
