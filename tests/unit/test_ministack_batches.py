"""Items in batches, as a Distributed Map makes them, and the results that it leaves."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.ministack.batches import batches
from local.ministack.results import write_results

ITEMS = st.lists(st.dictionaries(st.sampled_from(["Key", "Etag", "Größe"]), st.text(max_size=30)), max_size=60)


def size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


@given(ITEMS, st.integers(1, 9), st.integers(400, 3_000))
def test_batches_hold_all_items_in_order_and_keep_both_bounds(
    items: list[dict[str, str]], most: int, largest: int
) -> None:
    batcher = {"MaxItemsPerBatch": most, "MaxInputBytesPerBatch": largest, "BatchInput": {"a": "é"}}
    made = list(batches(items, batcher))
    assert [item for batch in made for item in batch["Items"]] == items
    for batch in made:
        assert batch["BatchInput"] == {"a": "é"}
        assert 1 <= len(batch["Items"]) <= most
        assert size(batch) <= largest
    for batch, following in pairwise(made):
        more = {**batch, "Items": [*batch["Items"], following["Items"][0]]}
        assert len(more["Items"]) > most or size(more) >= largest, "a batch is as full as it may be"


def test_without_bounds_there_is_one_batch_up_to_the_services_limit() -> None:
    assert list(batches([1, 2, 3], {})) == [{"Items": [1, 2, 3]}]
    large = ["x" * 100_000] * 4
    assert [len(batch["Items"]) for batch in batches(large, {"MaxInputBytesPerBatch": 10**9})] == [2, 2]
    assert list(batches([], {"MaxItemsPerBatch": 5})) == []


def test_an_item_too_large_for_any_batch_is_an_error() -> None:
    with pytest.raises(ValueError, match="one item needs"):
        list(batches(["x" * 200], {"MaxInputBytesPerBatch": 100}))


class Bucket:
    """Keeps what is put."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}

    def put_object(self, **put: Any) -> None:
        self.objects[put["Key"]] = (put["Bucket"], json.loads(put["Body"]), len(put["Body"]))


@pytest.mark.parametrize("prefix", ["runs", "runs/", ""])
def test_results_are_written_by_status(prefix: str) -> None:
    bucket = Bucket()
    children: list[dict[str, Any]] = [
        {"status": "SUCCEEDED", "name": "a", "output": "1", "error": None},
        {"status": "FAILED", "name": "b", "output": None, "error": "E", "cause": "why"},
        {"status": "SUCCEEDED", "name": "c", "output": "2"},
    ]
    arn = "arn:aws:states:eu-west-1:1:mapRun:machine/Label:7e"
    told = write_results(bucket, {"Bucket": "b", "Prefix": prefix}, arn, children)
    folder = "runs/7e" if prefix else "7e"
    assert told == {"MapRunArn": arn, "ResultWriterDetails": {"Bucket": "b", "Key": f"{folder}/manifest.json"}}
    home, manifest, _ = bucket.objects[f"{folder}/manifest.json"]
    assert (home, manifest["DestinationBucket"], manifest["MapRunArn"]) == ("b", "b", arn)
    assert manifest["ResultFiles"]["PENDING"] == []
    for status, names in (("SUCCEEDED", ["a", "c"]), ("FAILED", ["b"])):
        (file,) = manifest["ResultFiles"][status]
        _, content, length = bucket.objects[file["Key"]]
        assert [entry["Name"] for entry in content] == names
        assert file["Size"] == length
    assert bucket.objects[f"{folder}/FAILED_0.json"][1] == [
        {"Name": "b", "Status": "FAILED", "Error": "E", "Cause": "why"}
    ]
