"""A problem with as many features as asked for: contract, table and a release with a small graph over all of them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from onnx import TensorProto, helper

from ebb.contract import parse_contract
from ebb.features.inputs import accept_row, encode
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release import manifest as m
from ebb.release.golden import GoldenExample, golden_to_bytes
from ebb.release.reference import make_reference
from tests.fakes.made_contracts import contract_text
from tests.fakes.releases import version_in, with_manifest

ENTITIES = 100


def write_wide(folder: Path, features: int) -> list[str]:
    """Write `releases/` and `data/customers.parquet` into a folder; return the entities of the table.

    Args:
        folder: the home of a local cloud.
        features: numbers of the contract, any of which may be missing.
    """
    name, names = f"wide{features}", [f"number_{i:04d}" for i in range(features)]
    described = [f'name = "{n}"; kind = "number"; missing = true' for n in names]
    text = contract_text(*described, name=name, entity="customer_id", label="left")
    contract, model = parse_contract(text), _graph(features)
    rng = np.random.default_rng(0)
    columns = {n: np.round(rng.normal(size=ENTITIES), 3) for n in names}
    rows = [{n: float(columns[n][i]) for n in names} for i in range(4)]
    inputs = encode(contract, [accept_row(contract, row) for row in rows])
    scores = OnnxScorer(model).score(inputs)
    examples = [GoldenExample("typical", row, float(score)) for row, score in zip(rows, scores, strict=True)]
    files = {
        m.MODEL: model,
        m.CONTRACT: text.encode(),
        m.REFERENCE: make_reference(contract, inputs, np.array([1, 0, 1, 0], np.int8), scores).to_bytes(),
        m.GOLDEN: golden_to_bytes(examples),
        m.METRICS: b"{}\n",
        m.CARD: b"<!doctype html>\n",
    }
    release, store = with_manifest(files, contract), FolderReleases(folder / "releases")
    store.write(name, version_in(release), release)
    store.set_champion(name, version_in(release))
    entities = [f"c-{i:06d}" for i in range(ENTITIES)]
    (folder / "data").mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"customer_id": entities, **columns}), folder / "data/customers.parquet")
    return entities


def _graph(features: int) -> bytes:
    """Return the sigmoid of a weighted sum, in which what is missing counts nothing."""
    weights = np.linspace(-1.0, 1.0, features) / features
    nodes = [
        helper.make_node("IsNaN", ["numbers"], ["absent"]),
        helper.make_node("Where", ["absent", "zero", "numbers"], ["known"]),
        helper.make_node("MatMul", ["known", "weights"], ["sum"]),
        helper.make_node("Sigmoid", ["sum"], ["p"]),
        helper.make_node("Reshape", ["p", "flat"], ["probability"]),
    ]
    initializers = [
        helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0]),
        helper.make_tensor("weights", TensorProto.FLOAT, [features, 1], weights),
        helper.make_tensor("flat", TensorProto.INT64, [1], [-1]),
    ]
    numbers = helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [None, features])
    probability = helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None])
    graph = helper.make_graph(nodes, "wide", [numbers], [probability], initializers)
    opsets = [helper.make_opsetid("", 18)]
    content: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
    return content
