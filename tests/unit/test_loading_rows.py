"""The text that Postgres copies says exactly what was accepted, to the last bit, whatever the texts hold."""

import numpy as np
import orjson
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.entity_id import is_entity_id
from ebb.features.inputs import accept_row, encode
from ebb.features.values import FLOAT32_MAX
from local.loading.cells import layout
from local.loading.rows import copy_parts, occurrence
from tests.fakes.made_contracts import contract_of
from training.dataset.batch import Batch, accept_batch

CONTRACT = contract_of(
    'name = "plan"; kind = "category"; missing = true',
    'name = "charge"; kind = "number"; missing = true',
    'name = "months"; kind = "integer"; missing = true',
    'name = "paper"; kind = "flag"; missing = true',
    'name = "city"; kind = "category"; missing = true',
    entity="id",
)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
numbers = finite | st.sampled_from([FLOAT32_MAX, -FLOAT32_MAX, None])
ids = st.text(max_size=8).filter(lambda text: is_entity_id(text) and bool(text.strip()))
row = st.fixed_dictionaries(
    {
        "id": ids | st.sampled_from(["a", "b\\", "\\n", "é"]),
        "plan": texts,
        "charge": numbers,
        "months": st.integers(-(2**40), 2**40) | st.none(),
        "paper": st.booleans() | st.none(),
        "city": st.sampled_from(['"', "\\", "\\.", "tab\t", "line\n", "\r\n", "{}", "null"]),
    }
)
KINDS = {"id": pa.string(), "plan": pa.string(), "charge": pa.float32(), "months": pa.int64(), "paper": pa.bool_()}
SCHEMA = pa.schema({**KINDS, "city": pa.string()})


def batch_of(rows: list[dict[str, object]]) -> Batch:
    return accept_batch(CONTRACT, pa.Table.from_pylist(rows, SCHEMA), "t.csv", first=0, latest=2e9)


def unescaped(text: bytes) -> str:
    assert b"\t" not in text
    return text.decode().replace("\\\\", "\\")


def rows_of(part: memoryview) -> list[list[str]]:
    found = [[unescaped(cell) for cell in line.split(b"\t")] for line in bytes(part).split(b"\n")]
    assert found.pop() == [""]
    return found


@settings(max_examples=200, deadline=None)
@given(st.lists(row, min_size=1, max_size=12))
def test_copied_rows_are_the_accepted_rows(rows: list[dict[str, object]]) -> None:
    batch = batch_of(rows)
    times = np.arange(len(rows), dtype=np.float64) + 1_700_000_000.25
    copied = [line for part in copy_parts(CONTRACT, batch, times, 7) for line in rows_of(part)]
    by_time = sorted(copied, key=lambda line: float(line[1]))
    assert [line[0] for line in by_time] == batch.entities.values().tolist()
    assert [float(line[1]) for line in by_time] == times.tolist()
    for i, (_, _, values, layout_id, compact) in enumerate(by_time):
        record = orjson.loads(values)
        assert layout_id == "7"
        assert orjson.loads(compact) == [record[name] for name in layout(CONTRACT)]
        served = encode(CONTRACT, [accept_row(CONTRACT, record)])
        # Postgres keeps no minus zero.
        assert (served.numbers + 0).tobytes() == (batch.numbers[i : i + 1] + 0).tobytes()
        assert served.categories[0].tolist() == [texts.values()[i] for texts in batch.categories]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_no_part_holds_an_entity_twice_and_its_rows_keep_their_order(entities: list[int]) -> None:
    rows: list[dict[str, object]] = [{"id": f"e{who}", "city": "x"} for who in entities]
    parts = copy_parts(CONTRACT, batch_of(rows), np.arange(1.0, len(rows) + 1), 1)
    seen: list[tuple[str, float]] = []
    for part in parts:
        ids = [line[0] for line in rows_of(part)]
        assert len(set(ids)) == len(ids)
        seen += [(line[0], float(line[1])) for line in rows_of(part)]
    for who in set(entities):
        assert [at for name, at in seen if name == f"e{who}"] == [i + 1.0 for i, e in enumerate(entities) if e == who]


def test_refused_rows_are_not_copied() -> None:
    batch = batch_of([{"id": "a"}, {"id": ""}, {"id": "c"}])
    (part,) = copy_parts(CONTRACT, batch, np.ones(3), 1)
    assert [line[0] for line in rows_of(part)] == ["a", "c"]
    assert copy_parts(CONTRACT, batch_of([{"id": ""}]), np.ones(1), 1) == []


def test_numbers_are_short_and_integers_have_no_point() -> None:
    batch = batch_of([{"id": "a", "charge": 0.1, "months": 24, "paper": True, "plan": "é", "city": ""}])
    (part,) = copy_parts(CONTRACT, batch, np.array([1.5]), 3)
    assert bytes(part).decode() == (
        'a\t1.5\t{"charge":0.1,"months":24,"paper":1,"plan":"é","city":""}\t3\t[0.1,24,1,"é",""]\n'
    )


def test_occurrences_count_from_zero() -> None:
    assert occurrence(np.array([1, 2, 1, 1, 2, 3], np.int32)).tolist() == [0, 0, 1, 2, 1, 0]
