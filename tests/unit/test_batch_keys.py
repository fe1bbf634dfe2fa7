"""Keys of many rows at once are spelled and judged as one by one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.entity_id import LONGEST, is_entity_id
from training.batch.keys import read_keys, row_keys
from training.dataset.texts import as_texts

_ODD = st.sampled_from(
    [None, "", " ", "\t", "  \u3000", "a b", " a", "x" * LONGEST, "x" * (LONGEST + 1), "é", "\ufffd"]
)
_TEXTS = st.lists(st.one_of(_ODD, st.text(max_size=6), st.text("az09-_", min_size=1, max_size=8)), max_size=30)


def spelled(column: pa.ChunkedArray) -> tuple[list[str], list[int], list[int]]:
    """Judge each key by itself."""
    texts = as_texts(column).values().tolist()
    fit = [text if is_entity_id(text) else "" for text in texts]
    missing = [row for row, text in enumerate(texts) if text == ""]
    return fit, missing, [row for row, text in enumerate(texts) if text and not is_entity_id(text)]


def found(column: pa.ChunkedArray) -> tuple[list[str], list[int], list[int]]:
    keys = read_keys(column)
    assert keys.texts.type == pa.string()
    return keys.texts.to_pylist(), keys.missing.tolist(), keys.unfit.tolist()


@given(_TEXTS, st.sampled_from(["string", "large", "dictionary", "chunks"]))
def test_texts(values: list[str | None], how: str) -> None:
    plain = pa.array(values, pa.large_string() if how == "large" else pa.string())
    chunks = [plain[: len(plain) // 2], plain[len(plain) // 2 :]] if how == "chunks" else [plain]
    column = pa.chunked_array([chunk.dictionary_encode() if how == "dictionary" else chunk for chunk in chunks])
    assert found(column) == spelled(column)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, None, -3], pa.int8()),
        pa.array([2**63, 7, None], pa.uint64()),
        pa.array([5.0, 5.5, float("nan"), None]),
        pa.array([True, None, False]),
        pa.array([b"abc", None, b"\xc3\xa9"]),
        pa.array([18000, None], pa.date32()),
        pa.nulls(3),
        pa.array([], pa.string()),
        pa.array([], pa.int64()),
    ],
)
def test_other_kinds(column: pa.Array) -> None:
    assert found(pa.chunked_array([column])) == spelled(pa.chunked_array([column]))


@pytest.mark.parametrize("column", [pa.array([[1]]), pa.array([b"\xff"])])
def test_what_is_no_key(column: pa.Array) -> None:
    with pytest.raises(TypeError, match="holds"):
        read_keys(pa.chunked_array([column]))


def test_bytes_in_a_text_column_that_are_no_text() -> None:
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff\xfe"]).buffers())
    with pytest.raises(TypeError, match="not UTF-8"):
        read_keys(pa.chunked_array([broken]))


def test_rows_are_numbered_from_one() -> None:
    keys = row_keys(9, 3)
    assert (keys.texts.to_pylist(), len(keys.missing), len(keys.unfit)) == (["10", "11", "12"], 0, 0)


@given(_TEXTS, st.lists(st.text("az09-_", min_size=1, max_size=3), max_size=3))
def test_rows_of_some_keys(values: Sequence[Any], some: list[str]) -> None:
    keys = read_keys(pa.chunked_array([pa.array(values, pa.string())]))
    expected = [row for row, text in enumerate(keys.texts.to_pylist()) if text in some]
    assert keys.among(frozenset(some)).tolist() == np.array(expected, int).tolist()
