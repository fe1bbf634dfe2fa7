"""LightGBM's trees, read from its own description of a model, with its rules for what is missing made explicit.

LightGBM decides as follows (`Tree::NumericalDecision` in include/LightGBM/tree.h): where a column had no missing value
in training its splits have the missing type None, and a missing value counts as 0; where it had some the type is NaN,
and the split itself says which way they go. Before that, rows of a table lose what is no farther from 0 than `ZERO`
(`RowPairFunctionFromDenseMatric` in src/c_api.cpp): it counts as 0 too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ebb.errors import Misuse

ZERO = float(np.float32(1e-35))
"""LightGBM's kZeroThreshold."""


@dataclass(frozen=True, slots=True)
class Read:
    """One node; see `training.export.trees.Trees`."""

    leaf: bool
    value: float = 0.0
    column: int = 0
    threshold: float = 0.0
    left: int = 0
    right: int = 0
    missing_left: bool = False


def nodes_of(model: dict[str, Any]) -> Iterator[list[Read]]:
    """Return the nodes of each tree, the root first.

    Args:
        model: what `Booster.dump_model` returns.

    Raises:
        Misuse: the model holds what a graph of Ebb's cannot say; names it.
    """
    if model["num_tree_per_iteration"] != 1:
        raise Misuse("a LightGBM model of several classes is not exported: Ebb answers one probability; fit it binary")
    if model["average_output"]:
        raise Misuse("a LightGBM forest is not exported: its trees are averaged; fit it with boosting=gbdt")
    for tree in model["tree_info"]:
        nodes: list[Read] = []
        _read(tree["tree_structure"], nodes)
        yield nodes


def _read(described: dict[str, Any], nodes: list[Read]) -> int:
    """Append a node and all below it; return its number."""
    number = len(nodes)
    if "leaf_coeff" in described:
        raise Misuse("LightGBM's linear trees are not exported: a leaf must be one value; fit with linear_tree=false")
    if "split_feature" not in described:
        nodes.append(Read(leaf=True, value=float(described["leaf_value"])))
        return number
    nodes.append(Read(leaf=False))
    left = _read(described["left_child"], nodes)
    right = _read(described["right_child"], nodes)
    threshold = _threshold(described)
    nodes[number] = Read(
        leaf=False,
        column=int(described["split_feature"]),
        threshold=threshold,
        left=left,
        right=right,
        missing_left=_missing_left(described, threshold),
    )
    return number


def _threshold(described: dict[str, Any]) -> float:
    if described["decision_type"] != "<=":
        raise Misuse(
            "LightGBM's categorical splits are not exported: a set is no threshold; encode categories as numbers"
        )
    threshold = float(described["threshold"])
    # A value of exactly -ZERO is 0 to LightGBM, and goes right of this threshold.
    return float(np.nextafter(threshold, -np.inf)) if threshold == -ZERO else threshold


def _missing_left(described: dict[str, Any], threshold: float) -> bool:
    kind = described["missing_type"]
    if kind == "NaN":
        return bool(described["default_left"])
    if kind == "None":
        return threshold >= 0
    raise Misuse(
        "LightGBM's missing type `Zero` is not exported: 0 and missing would go the same way, whatever the threshold; "
        "fit with zero_as_missing=false"
    )
