"""Rows on their way over HTTPS: what is sent says exactly what was accepted, and refusals find their rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.client import BadCall, Client, Written
from ebb.errors import MOST_REFUSALS, DataError
from ebb.features.inputs import accept_row, encode
from ebb.postgres.loads import Checkpoint
from local.loading.accepting import Accepted
from local.loading.items import MOST_BYTES, MOST_ITEMS, Item, items_of, parcels, request_of
from local.loading.parcels import send
from local.loading.position import Position
from tests.unit.test_loading_rows import CONTRACT, SCHEMA, row
from training.dataset.batch import accept_batch


def _accepted(rows: Sequence[dict[str, Any]]) -> Accepted:
    table = pa.Table.from_pylist(list(rows), SCHEMA)
    batch = accept_batch(CONTRACT, table, "t", first=0, latest=2e9)
    times = np.linspace(1.7e9, 1.7e9 + 0.123456, len(rows))
    return Accepted(40, batch, times, [], Checkpoint(0, 0))


@settings(max_examples=60, deadline=None)
@given(st.lists(row, min_size=1, max_size=8))
def test_what_is_sent_is_accepted_there_to_the_last_bit(rows: list[dict[str, Any]]) -> None:
    accepted = _accepted(rows)
    items = items_of(CONTRACT, accepted)
    good = np.flatnonzero(accepted.batch.good)
    assert [item.row for item in items] == [41 + position for position in good]
    sent = [orjson.loads(item.text) for item in items]
    assert [each["entity_id"] for each in sent] == [item.entity_id for item in items]
    assert [each["event_time"] for each in sent] == accepted.event_times[good].tolist()
    inputs = encode(CONTRACT, [accept_row(CONTRACT, each["features"]) for each in sent])
    assert np.array_equal(inputs.numbers, accepted.batch.numbers[good] + np.float32(0), equal_nan=True)
    expected = [texts.values()[good].tolist() for texts in accepted.batch.categories]
    assert [list(column) for column in inputs.categories.T] == expected


def _item(number: int, size: int = 10) -> Item:
    return Item(number, f"e{number}", orjson.dumps({"n": "x" * size}).decode())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 1_500_000), max_size=12), st.integers(0, 2_500))
def test_parcels_hold_every_item_once_and_stay_in_bounds(sizes: list[int], small: int) -> None:
    items = [_item(n, size) for n, size in enumerate([*sizes, *([1] * small)])]
    found = list(parcels(items))
    assert [item for parcel in found for item in parcel] == items
    for parcel in found:
        assert 1 <= len(parcel) <= MOST_ITEMS
        assert len(parcel) == 1 or sum(len(item.text) for item in parcel) <= MOST_BYTES


def test_the_same_items_have_the_same_key_and_others_another() -> None:
    one, same, other = request_of("l", [_item(1)]), request_of("l", [_item(1)]), request_of("l", [_item(1, 11)])
    assert one == same
    assert one.headers != other.headers
    assert one.headers != request_of("m", [_item(1)]).headers
    assert orjson.loads(one.body) == {"entities": [{"n": "x" * 10}]}
    assert len(next(iter(one.headers.values()))) <= 128


class RefusingClient:
    """A client of a stage that refuses some rows, by their text."""

    def __init__(self, *bad: str, most: int = MOST_REFUSALS) -> None:
        self.bad, self.most, self.asked = bad, most, list[int]()

    def call(self, request: Any) -> Written:
        entities = [orjson.dumps(each).decode() for each in orjson.loads(request.body)["entities"]]
        self.asked.append(len(entities))
        wrong = [n for n, text in enumerate(entities) if text in self.bad][: self.most]
        if wrong:
            told = [{"feature": f"entities[{n}].n", "reason": "is wrong"} for n in wrong]
            raise BadCall("refused", status=422, refusals=told)
        return Written(len(entities) - 1, 1)


def test_rows_that_are_refused_there_are_named_and_the_others_written() -> None:
    items = [_item(n, n) for n in range(1, 7)]
    client = RefusingClient(items[1].text, items[4].text)
    sent = send(cast("Client", client), "l", items)
    assert (sent.erased, sent.rows_refused) == (1, 2)
    assert sent.refused == [(2, "e2", "n", "is wrong"), (5, "e5", "n", "is wrong")]
    assert client.asked == [6, 4]


def test_where_every_row_is_refused_nothing_is_sent_again() -> None:
    items = [_item(n, n) for n in range(1, 4)]
    sent = send(cast("Client", RefusingClient(*(item.text for item in items))), "l", items)
    assert (sent.erased, sent.rows_refused, len(sent.refused)) == (0, 3, 3)


def test_too_many_refusals_are_another_contract() -> None:
    items = [_item(n, n) for n in range(1, 200)]
    with pytest.raises(DataError, match=r"100 values of one batch .* the first one in row 1: n is wrong"):
        send(cast("Client", RefusingClient(*(item.text for item in items))), "l", items)


@pytest.mark.parametrize("named", ["body", "entities[7].n", "entities[x].n", None])
def test_a_refusal_that_names_no_row_is_told_as_it_came(named: str | None) -> None:
    class Elsewhere:
        def call(self, _request: Any) -> Written:
            raise BadCall("no such shape", status=422, refusals=[{"feature": named, "reason": "r"}])

    with pytest.raises(BadCall, match="no such shape"):
        send(cast("Client", Elsewhere()), "l", [_item(1)])


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"rows_done": -1, "rows_refused": 0}', '{"rows_done": "x"}'])
def test_a_position_that_says_nothing_is_a_beginning(tmp_path: Path, content: str) -> None:
    (tmp_path / "l.position.json").write_text(content)
    with Position(tmp_path, "l") as position:
        assert position.read() == Checkpoint(0, 0)
        position.advance(Checkpoint(2_000, 3))
        assert position.read() == Checkpoint(2_000, 3)
        position.finish()
        position.finish()
        assert position.read() == Checkpoint(0, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["l.lock"]
