"""Accepted rows as items of `POST /v1/features/batch`, and the requests that carry them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import orjson
import pyarrow as pa

from ebb.client.answers import Written, read_written
from ebb.client.call import KEY, Request
from ebb.contract import Contract
from local.loading.accepting import Accepted
from local.loading.cells import cells_of, joined, layout

MOST_ITEMS, MOST_BYTES = 1_000, 3_000_000
"""Of one request: the API's limit of entities; and what a function still takes once its event has quoted it."""

_DIGITS = 16


@dataclass(frozen=True)
class Item:
    """One row on its way.

    Attributes:
        row: 1-based, in the table.
        entity_id: whose.
        text: JSON.
    """

    row: int
    entity_id: str
    text: str


def items_of(contract: Contract, accepted: Accepted) -> list[Item]:
    """Return the good rows of a batch, in their order.

    Args:
        contract: names the features.
        accepted: the rows.
    """
    batch = accepted.batch
    good = np.flatnonzero(batch.good)
    if not len(good):
        return []
    cells = cells_of(batch, good)
    keys = pa.array([orjson.dumps(str(key)).decode() for key in batch.entities.distinct], pa.string())
    times = pa.array(accepted.event_times[good]).cast(pa.string())
    pieces = ['{"entity_id":', keys.take(pa.array(batch.entities.codes[good])), ',"event_time":', times]
    for i, (name, cell) in enumerate(zip(layout(contract), cells, strict=True)):
        pieces += [',"features":{' if i == 0 else ",", f"{orjson.dumps(name).decode()}:", cell]
    texts = joined([*pieces, "}}"]).to_pylist()
    names = batch.entities.values()
    rows = good.tolist()
    return [Item(accepted.first + row + 1, str(names[row]), text) for row, text in zip(rows, texts, strict=True)]


def parcels(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Divide items into requests: at most `MOST_ITEMS`, and about `MOST_BYTES`."""
    parcel: list[Item] = []
    size = 0
    for item in items:
        if parcel and (len(parcel) == MOST_ITEMS or size + len(item.text) > MOST_BYTES):
            yield parcel
            parcel, size = [], 0
        parcel.append(item)
        size += len(item.text)
    if parcel:
        yield parcel


def request_of(load: str, items: Sequence[Item]) -> Request[Written]:
    """Return the request that writes items, once however often it is sent.

    Args:
        load: its id; with the content it makes the idempotency key.
        items: at least one.
    """
    body = f'{{"entities":[{",".join(item.text for item in items)}]}}'.encode()
    key = f"{load}-{items[0].row}-{sha256(body).hexdigest()[:_DIGITS]}"
    return Request("put_features_batch", "POST", "/v1/features/batch", read_written, body, {KEY: key})
