"""The place of every feature in a recorded event: events give values without names, in the contract's order.

An event names its release, a release holds its contract, and a contract is never altered: so nobody needs 30 names in
each of a billion events. Every number takes four bytes, the float32 that the model saw, every listed category one, and
free texts have a room that nearly all of them fit into, whatever they say.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from operator import itemgetter
from struct import Struct
from typing import Any

from ebb.contract.model import Contract, Feature, Value
from ebb.decision import ACT, HOLD

POSITIONAL = 1
"""First byte of a content whose values have no names."""

UNLISTED, MISSING = 255, 0
"""Codes of a category: its text stands after the others; it is missing. The listed ones count from 1."""

ROOM, LEAST_ROOM = 16, 32
"""Bytes for each free text, in all together, and at least; as many again where they do not suffice, so that hardly a
city is told by its length."""

DECISIONS: Mapping[str, int] = {ACT: 0, HOLD: 1}

_Codes = Mapping[Value, int]


class Layout:
    """How the values of one contract lie in an event.

    Attributes:
        fingerprint: four bytes, so that values are never read with the names of another contract.
        numbers, categories, free: features, in the order of the graph's columns; `free` are the categories of which the
            contract lists no text.
        listed: the known texts of each of `categories`, as far as codes reach.
        codes: from text to code, for each of `categories`.
        room: bytes that the free texts take together, or a multiple of it.
        head: kind, fingerprint, decision, probability, age in seconds, numbers, codes, bytes of the entity's id and of
            the free texts, which follow in this order.
        pick_numbers, pick_categories, pick_free: take the values out of a row; KeyError where one is not in it.
    """

    def __init__(self, contract: Contract) -> None:
        self.numbers = tuple(feature.name for feature in contract.numbers)
        self.categories = tuple(feature.name for feature in contract.categories if feature.categories)
        self.free = tuple(feature.name for feature in contract.categories if not feature.categories)
        self.listed = tuple(f.categories[: UNLISTED - 1] for f in contract.categories if f.categories)
        self.codes = tuple(_codes(texts) for texts in self.listed)
        self.fingerprint = _fingerprint(contract.numbers, contract.categories)
        self.head = Struct(f"<B4sBdd{len(self.numbers)}f{len(self.categories)}BHH")
        self.pick_numbers, self.pick_categories = _picker(self.numbers), _picker(self.categories)
        self.pick_free, self.room = _picker(self.free), max(LEAST_ROOM, ROOM * len(self.free))

    def __len__(self) -> int:
        """Return how many features there are."""
        return len(self.numbers) + len(self.categories) + len(self.free)


def _codes(listed: Sequence[str]) -> _Codes:
    return {None: MISSING, "": MISSING, **{text: code for code, text in enumerate(listed, MISSING + 1)}}


def _fingerprint(numbers: Sequence[Feature], categories: Sequence[Feature]) -> bytes:
    told = repr(([f.name for f in numbers], [(f.name, list(f.categories)) for f in categories]))
    return sha256(told.encode()).digest()[:4]


def _picker(names: Sequence[str]) -> Callable[[Mapping[str, Value]], Sequence[Any]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)
