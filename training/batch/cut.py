"""A release's graph cut where scoring many rows can save work: texts in front, trees in the middle, the rest behind.

Texts are looked up once for each distinct one of a batch, by the graph's own nodes, and trees are walked by
`training.batch.forest`. A graph of another shape stays whole; the answers have the same bits either way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from training.batch.forest import Forest, forest_of


@dataclass(frozen=True)
class Encoded:
    """A tensor that the graph makes of categories, cell by cell.

    Attributes:
        name: of the float32 tensor [N, w].
        categories: the category that each of its w columns is made of.
    """

    name: str
    categories: tuple[int, ...]


@dataclass(frozen=True)
class Trees:
    """What is left when the trees are taken out.

    Attributes:
        forest: the trees.
        columns: what they see: `numbers` and the names of encoded tensors, in order.
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
        encoded: the tensors made of categories.
        texts: graph from `categories` to these; None where there are none.
        behind: graph from `numbers` and the encoded tensors to `probability`.
        trees: the same in finer parts; None where it holds no trees that Ebb walks itself.
    """

    encoded: tuple[Encoded, ...]
    texts: bytes | None
    behind: bytes
    trees: Trees | None


def cut(model: bytes) -> Cut | None:
    """Cut a release's graph; None where it makes anything of its categories but lookups of single cells."""
    proto = onnx.load_model_from_string(model)
    found = _lookups(proto.graph)
    if found is None:
        return None
    front, encoded = found
    rest = _without(proto.graph.node, front)
    widths = {value.name: _width(value) for value in proto.graph.input}
    widths |= {tensor.name: len(tensor.categories) for tensor in encoded}
    made = [helper.make_tensor_value_info(t.name, TensorProto.FLOAT, [None, len(t.categories)]) for t in encoded]
    given = [value for value in proto.graph.input if value.name != "categories"]
    texts = [value for value in proto.graph.input if value.name == "categories"]
    return Cut(
        encoded=tuple(encoded),
        texts=_model(proto, front, texts, made) if encoded else None,
        behind=_model(proto, rest, [*given, *made], proto.graph.output),
        trees=_trees(proto, rest, widths),
    )


def _lookups(graph: GraphProto) -> tuple[list[NodeProto], list[Encoded]] | None:
    """Follow the categories to where they become numbers; None where a row's cells could meet on the way."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    cells: dict[str, tuple[int, ...]] = {
        value.name: tuple(range(_width(value))) for value in graph.input if value.name == "categories"
    }
    front: list[NodeProto] = []
    encoded: list[Encoded] = []
    for node in graph.node:
        read = [name for name in node.input if name in cells]
        if not read:
            continue
        kept = _cells(node, cells[read[0]], constants) if len(read) == 1 else None
        if kept is None:
            return None
        front.append(node)
        if node.op_type == "LabelEncoder":
            encoded.append(Encoded(node.output[0], kept))
        else:
            cells[node.output[0]] = kept
    return front, encoded


def _cells(node: NodeProto, cells: tuple[int, ...], constants: Mapping[str, TensorProto]) -> tuple[int, ...] | None:
    """Return the category behind each column of what a node makes of texts [N, w], cell by cell; else None."""
    others = [constants[name] for name in node.input if name in constants]
    if len(others) != len(node.input) - 1:
        return None
    if node.op_type == "LabelEncoder":
        return cells if any(attribute.name == "values_floats" for attribute in node.attribute) else None
    if node.op_type == "StringConcat":
        return cells if list(others[0].dims) in ([], [1], [len(cells)], [1, len(cells)]) else None
    if node.op_type == "Gather" and _is(node, "axis", 1) and len(others[0].dims) == 1:
        return tuple(cells[place] for place in numpy_helper.to_array(others[0]).tolist())
    return None


def _trees(proto: ModelProto, nodes: Sequence[NodeProto], widths: Mapping[str, int]) -> Trees | None:
    """Take columns, one cast to double and one node of trees out of the rest of a graph."""
    kinds: dict[str, list[NodeProto]] = {}
    for node in nodes:
        kinds.setdefault(node.op_type, []).append(node)
    front = [kinds.get(kind, []) for kind in ("Concat", "Cast", "TreeEnsembleRegressor")]
    if any(len(found) != 1 for found in front):
        return None
    concat, cast, trees = (found[0] for found in front)
    linked = (list(cast.input), list(trees.input)) == (list(concat.output), list(cast.output))
    if not linked or not _is(cast, "to", TensorProto.DOUBLE) or not _is(concat, "axis", 1):
        return None
    if not set(widths).issuperset(concat.input):
        return None
    behind = _without(nodes, [concat, cast, trees])
    known = {trees.output[0], *(tensor.name for tensor in proto.graph.initializer)}
    known.update(name for node in behind for name in node.output)
    forest = forest_of(trees, sum(widths[name] for name in concat.input))
    if forest is None or any(name not in known for node in behind for name in node.input):
        return None
    raw = helper.make_tensor_value_info(trees.output[0], TensorProto.FLOAT, [None, 1])
    return Trees(forest, tuple(concat.input), trees.output[0], _model(proto, behind, [raw], proto.graph.output))


def _model(
    proto: ModelProto,
    nodes: Sequence[NodeProto],
    given: Sequence[ValueInfoProto],
    made: Sequence[ValueInfoProto],
) -> bytes:
    used = {name for node in nodes for name in node.input}
    constants = [tensor for tensor in proto.graph.initializer if tensor.name in used]
    graph = helper.make_graph(nodes, "part", given, made, constants)
    content: bytes = helper.make_model(
        graph, opset_imports=proto.opset_import, ir_version=proto.ir_version
    ).SerializeToString()
    return content


def _without(nodes: Iterable[NodeProto], taken: Iterable[NodeProto]) -> list[NodeProto]:
    gone = {node.output[0] for node in taken}
    return [node for node in nodes if node.output[0] not in gone]


def _width(value: ValueInfoProto) -> int:
    width: int = value.type.tensor_type.shape.dim[1].dim_value
    return width


def _is(node: NodeProto, name: str, value: int) -> bool:
    return any(attribute.name == name and attribute.i == value for attribute in node.attribute)
