"""Many entities, a bounded number at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice

RUN = 500
"""Entities read and put at a time: few enough that no concurrent read waits for them."""


def runs(entity_ids: Iterable[str]) -> Iterator[list[str]]:
    """Split into runs of at most `RUN`, without a repetition inside one."""
    rest = iter(entity_ids)
    while ids := list(dict.fromkeys(islice(rest, RUN))):
        yield ids
