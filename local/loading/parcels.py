"""One batch on its way over HTTPS: sent until it is written, without the rows that a stage refuses."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ebb.client import BadCall, Client
from ebb.errors import MOST_REFUSALS, DataError
from local.loading.items import Item, parcels, request_of
from local.loading.refused import Line

_NAMED = re.compile(r"entities\[(\d+)\]\.(.*)", re.DOTALL)


@dataclass(frozen=True)
class Sent:
    """What became of a batch.

    Attributes:
        erased: rows that changed nothing, since their subjects were erased later.
        refused: lines about rows that the stage's own contract refuses.
        rows_refused: how many rows those are about.
    """

    erased: int
    refused: Sequence[Line]
    rows_refused: int


def send(client: Client, load: str, items: Sequence[Item]) -> Sent:
    """Write items, and wait until they are written.

    Raises:
        CallFailed: there is no answer, or a refusal that is not about single rows.
        DataError: the stage refuses so many rows that its contract must be another one.
    """
    erased, lines, rows = 0, list[Line](), set[int]()
    for parcel in parcels(items):
        left = list(parcel)
        while left:
            try:
                erased += client.call(request_of(load, left)).not_written
                break
            except BadCall as failure:
                found = _lines(failure, left)
                if not found:
                    raise
                lines += found
                wrong = {line[0] for line in found}
                rows |= wrong
                left = [item for item in left if item.row not in wrong]
    return Sent(erased, lines, len(rows))


def _lines(failure: BadCall, items: Sequence[Item]) -> list[Line]:
    """Return the lines about the rows that a refusal names.

    Raises:
        DataError: it names as many as an answer can.
    """
    lines: list[Line] = []
    for refusal in failure.refusals:
        named = _NAMED.fullmatch(str(refusal.get("feature")))
        if named is None or int(named[1]) >= len(items):
            return []
        item = items[int(named[1])]
        lines.append((item.row, item.entity_id, named[2], str(refusal.get("reason"))))
    if len(lines) >= MOST_REFUSALS:
        row, _, feature, reason = lines[0]
        raise DataError(
            f"{len(lines)} values of one batch are refused there, the first one in row {row}: {feature} {reason}. The "
            "contract that is served there must be another one: name it with --contract"
        )
    return lines
