"""From a fitted model to one ONNX graph: encoding, trees and calibration, with the same bytes every time."""

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, ValueInfoProto, helper

from training.calibrate import Model
from training.export.trees import tree_node

_OPSET, _ML_OPSET, _IR = 18, 3, 9


def export(model: Model, numbers: int, categories: int) -> bytes:
    """Return the graph's bytes.

    Inputs `numbers` float32 [N, n] and `categories` string [N, c] (one with no column is left out), output
    `probability` float32 [N]. Missing is NaN or the empty string; a category that the training data did not have
    is encoded as the mean of the labels.

    Args:
        model: the fitted model.
        numbers: n.
        categories: c.
    """
    inputs: list[ValueInfoProto] = []
    columns: list[str] = []
    nodes: list[NodeProto] = []
    constants: list[TensorProto] = []
    if numbers:
        inputs.append(helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [None, numbers]))
        columns.append("numbers")
    if categories:
        inputs.append(helper.make_tensor_value_info("categories", TensorProto.STRING, [None, categories]))
        for j in range(categories):
            constants.append(helper.make_tensor(f"index_{j}", TensorProto.INT64, [1], [j]))
            nodes.extend(_encode(model, j))
            columns.append(f"encoded_{j}")
    nodes.append(helper.make_node("Concat", columns, ["columns"], axis=1))
    nodes.append(helper.make_node("Cast", ["columns"], ["doubles"], to=TensorProto.DOUBLE))
    nodes.append(tree_node(model.fitted.trees, "doubles", "raw"))
    nodes.extend(_calibrate())
    constants.append(helper.make_tensor("slope", TensorProto.FLOAT, [1], [model.platt.slope]))
    constants.append(helper.make_tensor("offset", TensorProto.FLOAT, [1], [model.platt.offset]))
    constants.append(helper.make_tensor("flat", TensorProto.INT64, [1], [-1]))
    output = helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None])
    graph = helper.make_graph(nodes, "ebb", inputs, [output], constants)
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("ai.onnx.ml", _ML_OPSET)]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=_IR, producer_name="ebb")
    onnx.checker.check_model(proto, full_check=True)
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def _encode(model: Model, column: int) -> list[NodeProto]:
    encoding = model.fitted.encoding
    learned = encoding.learned(column)
    return [
        helper.make_node("Gather", ["categories", f"index_{column}"], [f"category_{column}"], axis=1),
        helper.make_node(
            "LabelEncoder",
            [f"category_{column}"],
            [f"encoded_{column}"],
            domain="ai.onnx.ml",
            keys_strings=list(learned),
            values_floats=np.array(list(learned.values()), np.float32).tolist(),
            default_float=float(np.float32(encoding.mean)),
        ),
    ]


def _calibrate() -> list[NodeProto]:
    return [
        helper.make_node("Mul", ["raw", "slope"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["calibrated"]),
        helper.make_node("Sigmoid", ["calibrated"], ["column"]),
        helper.make_node("Reshape", ["column", "flat"], ["probability"]),
    ]
