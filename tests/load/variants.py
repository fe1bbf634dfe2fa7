"""Releases of one contract that answer differently: the champion's graph with other leaves, and with fewer trees."""

from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, helper, numpy_helper

from ebb.contract import parse_contract
from ebb.features.inputs import accept_row, encode
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release import manifest as m
from ebb.release.golden import GoldenExample, golden_from_bytes, golden_to_bytes
from tests.fakes.releases import version_in, with_manifest

_TREES, _OPERATOR = "nodes_", "TreeEnsembleRegressor"
_LEAVES = ("target_treeids", "target_nodeids", "target_ids", "target_weights_as_tensor")
_NOISE = 0.02
"""Of a leaf's value."""


def write_variants(source: Path, contract: str, version: str, count: int, target: Path) -> list[str]:
    """Write a release and others made from its graph into a store; the first is the champion.

    Every other one has leaves of its own (seeded), and each lacks some more of the last trees, so that their sizes
    differ. Golden examples are answered anew by each graph; contract and reference stay.

    Args:
        source: the store that holds the release.
        contract: its name.
        version: the release.
        count: how many to write, the release itself included.
        target: the store to write.

    Returns:
        The versions, the release's own first.
    """
    files = dict(FolderReleases(source).read(contract, version))
    store = FolderReleases(target)
    store.write(contract, version, files)
    store.set_champion(contract, version)
    versions = [version]
    for seed in range(1, count):
        made = _variant(files, seed)
        versions.append(version_in(made))
        store.write(contract, versions[-1], made)
    return versions


def _variant(files: dict[str, bytes], seed: int) -> dict[str, bytes]:
    contract = parse_contract(files[m.CONTRACT].decode())
    graph = other_trees(files[m.MODEL], seed)
    examples = golden_from_bytes(files[m.GOLDEN])
    scores = OnnxScorer(graph).score(encode(contract, [accept_row(contract, e.features) for e in examples]))
    answered = [GoldenExample(e.why, e.features, float(p)) for e, p in zip(examples, scores, strict=True)]
    kept = {name: content for name, content in files.items() if name != m.MANIFEST}
    return with_manifest({**kept, m.MODEL: graph, m.GOLDEN: golden_to_bytes(answered)}, contract)


def other_trees(model: bytes, seed: int) -> bytes:
    """Return the graph with other leaves, and without its last `seed` per cent of trees (at most half of them)."""
    graph = onnx.load_from_string(model)
    node = next(node for node in graph.graph.node if node.op_type == _OPERATOR)
    rng = np.random.default_rng(seed)
    ids = np.array(_attribute(node, "nodes_treeids"))
    last = int((ids.max() + 1) * (1 - min(seed, 50) / 100))
    nodes, leaves = ids < last, np.array(_attribute(node, "target_treeids")) < last
    for attribute in list(node.attribute):
        if attribute.name.startswith(_TREES) or attribute.name in _LEAVES:
            mask = leaves if attribute.name in _LEAVES else nodes
            value = np.array(_attribute(node, attribute.name))[mask]
            if attribute.name == "target_weights_as_tensor":
                value *= 1 + _NOISE * rng.standard_normal(len(value))
            node.attribute.remove(attribute)
            made = numpy_helper.from_array(value) if attribute.name.endswith("_as_tensor") else value.tolist()
            node.attribute.append(helper.make_attribute(attribute.name, made))
    content: bytes = graph.SerializeToString()
    return content


def _attribute(node: NodeProto, name: str) -> object:
    """Return an attribute's value: an array, or a list."""
    value = helper.get_attribute_value(next(a for a in node.attribute if a.name == name))
    return numpy_helper.to_array(value) if name.endswith("_as_tensor") else value
