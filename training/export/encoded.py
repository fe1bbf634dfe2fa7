"""The columns that every estimator sees, as nodes: numbers, then each category by what its rows were worth.

Two layouts with the same values. One by one: each column is picked and looked up by itself. At once: each text gets its
column's number in front and all are looked up in one table, which takes a third off a small graph's time (8 texts:
15.0 us one by one, 10.5 at once) and keeps the cheap release cheap.
"""

import numpy as np
from onnx import TensorProto

from training.export.parts import Parts
from training.fit.encoding import TargetEncoding

_OPSET_OF_STRING_CONCAT = 20


def add_columns(parts: Parts, encoding: TargetEncoding, numbers: int, categories: int, *, at_once: bool) -> str:
    """Add inputs and encoding.

    Args:
        parts: the graph.
        encoding: of the categories.
        numbers: n.
        categories: c.
        at_once: which layout.

    Returns:
        The name of the columns, float32 [N, n + c].
    """
    columns: list[str] = []
    if numbers:
        columns.append(parts.fed("numbers", TensorProto.FLOAT, numbers))
    if categories:
        parts.fed("categories", TensorProto.STRING, categories)
        columns.extend(_at_once(parts, encoding, categories) if at_once else _one_by_one(parts, encoding, categories))
    return parts.node("Concat", columns, "columns", axis=1)


def _one_by_one(parts: Parts, encoding: TargetEncoding, categories: int) -> list[str]:
    encoded = []
    for j in range(categories):
        index = parts.constant(f"index_{j}", TensorProto.INT64, [1], [j])
        column = parts.node("Gather", ["categories", index], f"category_{j}", axis=1)
        encoded.append(_lookup(parts, column, f"encoded_{j}", encoding.learned(j), encoding.mean))
    return encoded


def _at_once(parts: Parts, encoding: TargetEncoding, categories: int) -> list[str]:
    parts.opset = max(parts.opset, _OPSET_OF_STRING_CONCAT)
    marks = [f"{j}:" for j in range(categories)]
    front = parts.constant("mark", TensorProto.STRING, [1, categories], [text.encode() for text in marks])
    marked = parts.node("StringConcat", [front, "categories"], "marked")
    learned = {mark + text: value for j, mark in enumerate(marks) for text, value in encoding.learned(j).items()}
    return [_lookup(parts, marked, "encoded", learned, encoding.mean)]


def _lookup(parts: Parts, texts: str, target: str, learned: dict[str, float], mean: float) -> str:
    return parts.node(
        "LabelEncoder",
        [texts],
        target,
        domain="ai.onnx.ml",
        keys_strings=list(learned),
        values_floats=np.array(list(learned.values()), np.float32).tolist(),
        default_float=float(np.float32(mean)),
    )
