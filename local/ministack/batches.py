"""Items of a Distributed Map put into batches (Step Functions Developer Guide, "ItemBatcher")."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_LARGEST_INPUT = 262_144
"""Bytes that a child execution's input may have."""


def batches(items: Sequence[Any], batcher: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the input of each child execution: `Items` in their order, and `BatchInput` where there is one.

    Args:
        items: what was read.
        batcher: `MaxItemsPerBatch`, `MaxInputBytesPerBatch` (bytes of the whole input as JSON) and `BatchInput`,
            evaluated.

    Raises:
        ValueError: a single item is too large for a batch of its own.
    """
    most = int(batcher.get("MaxItemsPerBatch") or len(items) or 1)
    largest = min(int(batcher.get("MaxInputBytesPerBatch") or _LARGEST_INPUT), _LARGEST_INPUT)
    shared = {"BatchInput": batcher["BatchInput"]} if "BatchInput" in batcher else {}
    empty = _size({**shared, "Items": []})
    batch: list[Any] = []
    size = empty
    for item in items:
        more = _size(item) + 1  # and a comma
        if empty + more > largest:
            raise ValueError(f"one item needs {empty + more} bytes, and a batch may have {largest}")
        if len(batch) == most or (batch and size + more > largest):
            yield {**shared, "Items": batch}
            batch, size = [], empty
        batch.append(item)
        size += more
    if batch:
        yield {**shared, "Items": batch}


def _size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
