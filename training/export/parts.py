"""The parts of a graph while it is written: inputs, nodes and constants, each named once."""

from dataclasses import dataclass, field
from typing import Any

import onnx
from onnx import NodeProto, TensorProto, ValueInfoProto, helper

OPSET, ML_OPSET, IR = 20, 3, 9
OUTPUT = "probability"


@dataclass
class Parts:
    """A graph that is being written.

    Attributes:
        inputs: what it is fed, in their order.
        nodes: in the order in which they run.
        constants: in the order in which they were named.
    """

    inputs: list[ValueInfoProto] = field(default_factory=list)
    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def fed(self, name: str, kind: int, width: int) -> str:
        """Add an input [N, width]; return its name."""
        self.inputs.append(helper.make_tensor_value_info(name, kind, [None, width]))
        return name

    def constant(self, name: str, kind: int, shape: list[int], values: Any) -> str:
        """Add a constant; return its name."""
        self.constants.append(helper.make_tensor(name, kind, shape, values))
        return name

    def node(self, operator: str, sources: list[str], target: str, **attributes: Any) -> str:
        """Add a node with one result; return the result's name."""
        self.nodes.append(helper.make_node(operator, sources, [target], **attributes))
        return target

    def to_bytes(self) -> bytes:
        """Return the whole graph's bytes, checked; the same parts give the same bytes."""
        output = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [None])
        graph = helper.make_graph(self.nodes, "ebb", self.inputs, [output], self.constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
        proto = helper.make_model(graph, opset_imports=opsets, ir_version=IR, producer_name="ebb")
        onnx.checker.check_model(proto, full_check=True)
        content: bytes = proto.SerializeToString(deterministic=True)
        return content
