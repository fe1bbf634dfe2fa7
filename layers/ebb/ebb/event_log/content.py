"""What is sealed in an event: by position where its contract gives the places, by name where it does not."""

import math
from collections.abc import Callable, Mapping, Sequence
from struct import error as NoNumber  # noqa: N812 - a class, in spite of its name
from typing import Any

import numpy as np
import orjson

from ebb.contract.model import Value
from ebb.errors import DataError
from ebb.events.event import PredictionEvent, ShadowScore
from ebb.events.layout import DECISIONS, POSITIONAL, UNLISTED, Layout

BLOCK, FREE_BLOCK = 32, 256
"""Contents are filled up with blanks to a multiple of so many bytes. By position only the entity's id has a length of
its own; where anything stands by name the block is large, since a length would tell one city from another."""

LayoutOf = Callable[[str], Layout | None]
"""From a release's sha256 to the places of its contract's features; None where it is not at hand."""

_DECISIONS = {code: decision for decision, code in DECISIONS.items()}
_LISTS = ("requested", "defaults", "stale", "degraded")
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY
"""A probability may come as numpy's own kind of float."""


def content(event: PredictionEvent) -> bytes:
    """Return what describes a person, filled up: by position if it can be, else a JSON object."""
    layout = event.layout
    if layout is not None and len(event.inputs) == len(layout):
        try:
            return _positional(event, layout)
        except (KeyError, TypeError, NoNumber, OverflowError):
            pass  # a value that no place is made for; names hold whatever JSON holds
    return _filled(_named(event), FREE_BLOCK)


def read_content(text: bytes, release: str | None, layout_of: LayoutOf) -> dict[str, Any]:
    """Return the sealed attributes of an event, by their names.

    Args:
        text: what `content` returned, of this version or the first.
        release: sha256 of the release that answered.
        layout_of: finds its places.

    Raises:
        DataError: the places are not at hand, or are another contract's; the sentence begins with a verb.
    """
    if text[0] != POSITIONAL:
        return _by_name(orjson.loads(text))
    layout = layout_of(release) if release is not None else None
    if layout is None:
        raise DataError(f"gives its values without names: the contract of release {release} has them.")
    if text[1:5] != layout.fingerprint:
        raise DataError(f"gives its values without names, and release {release} has another contract than was given.")
    return _by_position(text, layout)


def _filled(text: bytes, block: int) -> bytes:
    return text.ljust(-(-len(text) // block) * block)


def _positional(event: PredictionEvent, layout: Layout) -> bytes:
    """Return a content by position.

    Raises:
        KeyError, TypeError, struct.error, OverflowError: it has what no place is made for.
    """
    numbers, texts = layout.pick_numbers(event.inputs), layout.pick_categories(event.inputs)
    if None in numbers:
        numbers = [math.nan if value is None else value for value in numbers]
    codes, unlisted = _codes(layout, texts)
    age, who, free = event.ages, event.entity_id.encode(), _free(layout, event.inputs)
    head = layout.head.pack(
        POSITIONAL,
        layout.fingerprint,
        DECISIONS[event.decision],
        event.probability,
        age if isinstance(age, float) else math.nan,
        *numbers,
        *codes,
        len(who),
        len(free),
    )
    others = _others(event, unlisted)
    if others:
        return _filled(head + who + free + orjson.dumps(others, default=_plain, option=_OPTIONS), FREE_BLOCK)
    return _filled(head + who + free, BLOCK)


def _others(event: PredictionEvent, unlisted: Mapping[str, str] | None) -> Mapping[str, Any] | None:
    """Return what few events have, by name; None where there is nothing of it."""
    rare = event.requested or event.defaults or event.stale or event.degraded or unlisted
    if not rare and event.reasons is None and event.shadow is None and isinstance(event.ages, float):
        return None
    others: dict[str, Any] = {name: values for name in _LISTS if (values := getattr(event, name))}
    if unlisted:
        others["texts"] = unlisted
    if not isinstance(event.ages, float):
        others["ages"] = event.ages
    if event.reasons is not None:
        others["reasons"] = event.reasons
    if event.shadow is not None:
        others["shadow"] = _told(event.shadow)
    return others


def _free(layout: Layout, inputs: Mapping[str, Value]) -> bytes:
    """Return the texts of categories that list none, in their room; each ends where a zero byte stands.

    Raises:
        KeyError, TypeError: one is not there, is no text, or holds such a byte itself.
    """
    if not layout.free:
        return b""
    texts = layout.pick_free(inputs)
    joined = "\0".join(["" if text is None else text for text in texts])
    if joined.count("\0") != len(texts) - 1:
        raise TypeError
    made = joined.encode()
    return made.ljust(max(1, -(-len(made) // layout.room)) * layout.room, b"\0")


def _codes(layout: Layout, texts: Sequence[Value]) -> tuple[Sequence[int], Mapping[str, str] | None]:
    """Return the code of each category, and the texts that have none by feature.

    Raises:
        TypeError: one is no text.
    """
    try:
        return [known[text] for known, text in zip(layout.codes, texts, strict=True)], None
    except KeyError:
        return _unlisted(layout, texts)


def _unlisted(layout: Layout, texts: Sequence[Value]) -> tuple[Sequence[int], Mapping[str, str]]:
    codes, found = [], {}
    for name, known, text in zip(layout.categories, layout.codes, texts, strict=True):
        codes.append(known.get(text, UNLISTED))
        if codes[-1] == UNLISTED:
            if not isinstance(text, str):
                raise TypeError
            found[name] = text
    return codes, found


def _by_position(text: bytes, layout: Layout) -> dict[str, Any]:
    _, _, decision, probability, age, *values, length, room = layout.head.unpack_from(text)
    at = layout.head.size
    who, free, rest = text[at : at + length], text[at + length :][:room], text[at + length + room :].rstrip(b" ")
    others: dict[str, Any] = orjson.loads(rest) if rest else {}
    texts = others.pop("texts", {})
    inputs: dict[str, Value] = {name: _shortest(value) for name, value in zip(layout.numbers, values, strict=False)}
    codes = values[len(layout.numbers) :]
    for name, listed, code in zip(layout.categories, layout.listed, codes, strict=True):
        inputs[name] = texts[name] if code == UNLISTED else ("", *listed)[code]
    inputs.update(zip(layout.free, free.decode().split("\0"), strict=False))
    return {
        "entity_id": who.decode(),
        "inputs": inputs,
        "ages": others.pop("ages", age),
        "probability": probability,
        "decision": _DECISIONS[decision],
        "reasons": _pairs(others.pop("reasons", None)),
        "shadow": _shadow(others.pop("shadow", None)),
        **dict.fromkeys(_LISTS, ()),
        **others,
    }


def _shortest(number: float) -> float:
    """Return the number with the fewest digits that is this float32: 48.15, not 48.150001525878906."""
    return float(str(np.float32(number)))


def _named(event: PredictionEvent) -> bytes:
    """Return a content by name, a JSON object; a missing number is null."""
    sealed = ("entity_id", "inputs", "ages", *_LISTS, "probability", "decision", "reasons")
    document = {name: getattr(event, name) for name in sealed}
    document["shadow"] = event.shadow and _told(event.shadow)
    return orjson.dumps(document, default=_plain, option=_OPTIONS)


def _by_name(document: dict[str, Any]) -> dict[str, Any]:
    inputs = {name: math.nan if value is None else value for name, value in document["inputs"].items()}
    reasons, shadow = _pairs(document["reasons"]), _shadow(document["shadow"])
    return {**document, "inputs": inputs, "reasons": reasons, "shadow": shadow}


def _told(shadow: ShadowScore) -> Mapping[str, Any]:
    return {"release": shadow.release, "probability": shadow.probability, "ms": shadow.milliseconds}


def _shadow(told: Mapping[str, Any] | None) -> ShadowScore | None:
    return None if told is None else ShadowScore(told["release"], told["probability"], told["ms"])


def _pairs(reasons: Sequence[Sequence[Any]] | None) -> Sequence[tuple[str, float]] | None:
    return None if reasons is None else [(name, by) for name, by in reasons]


def _plain(value: object) -> Any:
    """Return a mapping or sequence that is no dictionary or list as one."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError
