"""A release's graph cut where scoring many rows can save work: texts in front, trees in the middle, the rest behind.

Texts are looked up once for each distinct one of a batch, by the graph's own nodes, and trees are walked by
`training.batch.forest`. A graph of another shape stays whole; the answers have the same bits either way.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from training.batch.forest import Forest, forest_of


@dataclass(frozen=True)
class Encoded:
    """One column that the graph makes of a category.

    Attributes:
        name: of the float32 tensor [N, 1]; also the name of the output of `Cut.texts`.
        category: position among the categories.
    """

    name: str
    category: int


@dataclass(frozen=True)
class Trees:
    """What is left when the trees are taken out.

    Attributes:
        forest: the trees.
        columns: what they see: `numbers`, or the name of an encoded column, in order.
        raw: name of the trees' result.
        behind: graph from that, float32 [N, 1], to `probability`.
    """

    forest: Forest
    columns: tuple[str, ...]
    raw: str
    behind: bytes


@dataclass(frozen=True)
class Cut:
    """A graph in parts.

    Attributes:
        encoded: the columns made of categories.
        texts: graph from `category_<name>` string [D] to `<name>` float32 [D], for each of `encoded`.
        behind: graph from `numbers` and the encoded columns to `probability`.
        trees: the same in finer parts; None where it holds no trees that Ebb walks itself.
    """

    encoded: tuple[Encoded, ...]
    texts: bytes | None
    behind: bytes
    trees: Trees | None


def source_of(name: str) -> str:
    """Return the name under which `Cut.texts` takes the texts of an encoded column."""
    return f"category_{name}"


def cut(model: bytes) -> Cut | None:
    """Cut a release's graph; None where its categories go anywhere but through lookups of their own."""
    proto = onnx.load_model_from_string(model)
    found = _lookups(proto.graph)
    if found is None:
        return None
    lookups, gathers = found
    encoded = tuple(Encoded(lookup.output[0], category) for lookup, category in lookups)
    nodes = [node for node, _ in lookups]
    taken = {node.output[0] for node in (*nodes, *gathers)}
    rest = [node for node in proto.graph.node if node.output[0] not in taken]
    given = [value for value in proto.graph.input if value.name == "numbers"]
    given += [helper.make_tensor_value_info(column.name, TensorProto.FLOAT, [None, 1]) for column in encoded]
    behind = _model(proto, rest, given)
    texts = _texts(proto, nodes, [column.name for column in encoded]) if encoded else None
    return Cut(encoded, texts, behind, _trees(proto, rest, [column.name for column in encoded]))


def _lookups(graph: GraphProto) -> tuple[list[tuple[NodeProto, int]], list[NodeProto]] | None:
    """Find the LabelEncoders of single categories, and the Gathers that pick these; None where there is more."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    lookups, gathers = [], []
    for gather in _readers(graph, "categories"):
        place = constants.get(gather.input[1]) if gather.op_type == "Gather" and len(gather.input) > 1 else None
        axis = [attribute.i for attribute in gather.attribute if attribute.name == "axis"]
        if place is None or axis != [1] or list(place.dims) != [1]:
            return None
        gathers.append(gather)
        for lookup in _readers(graph, gather.output[0]):
            if lookup.op_type != "LabelEncoder" or "values_floats" not in {a.name for a in lookup.attribute}:
                return None
            lookups.append((lookup, int(numpy_helper.to_array(place)[0])))
    return lookups, gathers


def _trees(proto: ModelProto, nodes: Sequence[NodeProto], encoded: Sequence[str]) -> Trees | None:
    """Take columns, one cast to double and one node of trees out of the rest of a graph."""
    kinds: dict[str, list[NodeProto]] = {}
    for node in nodes:
        kinds.setdefault(node.op_type, []).append(node)
    front = [kinds.get(kind, []) for kind in ("Concat", "Cast", "TreeEnsembleRegressor")]
    if any(len(found) != 1 for found in front):
        return None
    concat, cast, trees = (found[0] for found in front)
    linked = (list(cast.input), list(trees.input)) == (list(concat.output), list(cast.output))
    if not linked or not {"numbers", *encoded}.issuperset(concat.input) or not _is(cast, "to", TensorProto.DOUBLE):
        return None
    if not _is(concat, "axis", 1):
        return None
    taken = {node.output[0] for node in (concat, cast, trees)}
    behind = [node for node in nodes if node.output[0] not in taken]
    known = {trees.output[0], *(tensor.name for tensor in proto.graph.initializer)}
    known.update(name for node in behind for name in node.output)
    if any(name not in known for node in behind for name in node.input):
        return None
    wide = {value.name: value.type.tensor_type.shape.dim[1].dim_value for value in proto.graph.input}
    forest = forest_of(trees, sum(wide["numbers"] if name == "numbers" else 1 for name in concat.input))
    if forest is None:
        return None
    raw = helper.make_tensor_value_info(trees.output[0], TensorProto.FLOAT, [None, 1])
    return Trees(forest, tuple(concat.input), trees.output[0], _model(proto, behind, [raw]))


def _texts(proto: ModelProto, lookups: Sequence[NodeProto], names: Sequence[str]) -> bytes:
    nodes = []
    for lookup, name in zip(lookups, names, strict=True):
        node = NodeProto()
        node.CopyFrom(lookup)
        node.input[0] = source_of(name)
        nodes.append(node)
    given = [helper.make_tensor_value_info(source_of(name), TensorProto.STRING, [None]) for name in names]
    made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None]) for name in names]
    return _bytes(proto, helper.make_graph(nodes, "texts", given, made))


def _model(proto: ModelProto, nodes: Sequence[NodeProto], given: Sequence[onnx.ValueInfoProto]) -> bytes:
    used = {name for node in nodes for name in node.input}
    constants = [tensor for tensor in proto.graph.initializer if tensor.name in used]
    return _bytes(proto, helper.make_graph(nodes, "behind", given, proto.graph.output, constants))


def _bytes(proto: ModelProto, graph: GraphProto) -> bytes:
    made = helper.make_model(graph, opset_imports=proto.opset_import, ir_version=proto.ir_version)
    content: bytes = made.SerializeToString()
    return content


def _readers(graph: GraphProto, name: str) -> list[NodeProto]:
    return [node for node in graph.node if name in node.input]


def _is(node: NodeProto, name: str, value: int) -> bool:
    return any(attribute.name == name and attribute.i == value for attribute in node.attribute)
