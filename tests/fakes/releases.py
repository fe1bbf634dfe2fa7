"""A real, tiny release: a hand-made ONNX graph for the small contract, with everything a release needs."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from ebb.contract import Contract, Value
from ebb.features.inputs import accept_row, encode
from ebb.onnx import OnnxScorer
from ebb.release import manifest as m
from ebb.release.golden import GoldenExample, golden_to_bytes, instruction_set
from ebb.release.reference import make_reference
from tests.fakes.contracts import ROW, TEXT, tiny_contract

WEIGHTS = (-0.05, 0.02, 0.4)


def tiny_model(bias: float = 0.0) -> bytes:
    """Sigmoid of bias + weighted numbers (missing counts 0) + 1 for plan "basic"."""
    nodes = [
        helper.make_node("IsNaN", ["numbers"], ["absent"]),
        helper.make_node("Where", ["absent", "zero", "numbers"], ["known"]),
        helper.make_node("MatMul", ["known", "weights"], ["weighted"]),
        helper.make_node("Gather", ["categories", "first"], ["plan"], axis=1),
        helper.make_node(
            "LabelEncoder",
            ["plan"],
            ["coded"],
            domain="ai.onnx.ml",
            keys_strings=["basic", "plus"],
            values_floats=[1.0, -1.0],
            default_float=0.0,
        ),
        helper.make_node("Sum", ["weighted", "coded", "bias"], ["sum"]),
        helper.make_node("Sigmoid", ["sum"], ["p"]),
        helper.make_node("Reshape", ["p", "flat"], ["probability"]),
    ]
    initializers = [
        helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0]),
        helper.make_tensor("weights", TensorProto.FLOAT, [3, 1], WEIGHTS),
        helper.make_tensor("first", TensorProto.INT64, [1], [0]),
        helper.make_tensor("bias", TensorProto.FLOAT, [1], [bias]),
        helper.make_tensor("flat", TensorProto.INT64, [1], [-1]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [None, 3]),
            helper.make_tensor_value_info("categories", TensorProto.STRING, [None, 2]),
        ],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None])],
        initializers,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    content: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
    return content


def tiny_metrics(**changes: Any) -> dict[str, Any]:
    """Return metrics whose gates passed, as a training writes them."""
    gates = (
        ("min_auc", 0.8, 0.6, True),
        ("max_calibration_error", 0.01, 0.1, False),
        ("max_parity", 1e-7, 1e-6, False),
    )
    told = [{"name": n, "value": v, "limit": x, "at_least": up, "rows": 4} for n, v, x, up in gates]
    return {"auc": 0.8, "profit": 1.5, "rows": 4, "parity": {"largest": 1e-7}, "gates": told, "notes": []} | changes


def tiny_release(bias: float = 0.0, text: str = TEXT, **metrics: Any) -> dict[str, bytes]:
    """Return the files of a complete release that verifies, loads, answers its golden examples and passed its gates."""
    contract = tiny_contract()
    model = tiny_model(bias)
    scorer = OnnxScorer(model)
    rows: list[Mapping[str, Value]] = [ROW, {**ROW, "spend": None}, {**ROW, "city": "nowhere"}, {**ROW, "plan": "plus"}]
    inputs = encode(contract, [accept_row(contract, row) for row in rows])
    scores = scorer.score(inputs)
    examples = [GoldenExample("typical", row, float(p)) for row, p in zip(rows, scores, strict=True)]
    labels = np.array([1, 0, 1, 0], np.int8)
    files = {
        m.MODEL: model,
        m.CONTRACT: text.encode(),
        m.REFERENCE: make_reference(contract, inputs, labels, scores).to_bytes(),
        m.GOLDEN: golden_to_bytes(examples),
        m.METRICS: json.dumps(tiny_metrics(**metrics)).encode(),
        m.CARD: b"<!doctype html>\n",
    }
    return with_manifest(files, contract)


def with_manifest(files: Mapping[str, bytes], contract: Contract) -> dict[str, bytes]:
    """Add a manifest that fits the files."""
    manifest = m.Manifest(
        contract=contract.name,
        version=m.version_of(files),
        files={name: m.digest(content) for name, content in files.items()},
        data_sha256="0" * 64,
        git_commit="",
        libraries={},
        instruction_set=instruction_set(),
        created="2026-01-01T00:00:00+00:00",
        run_id="",
    )
    return {**files, m.MANIFEST: manifest.to_bytes()}


def version_in(files: Mapping[str, bytes]) -> str:
    """Return the version of a release's files."""
    return m.version_of(files)
