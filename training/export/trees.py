"""Boosted trees as the attributes of one ONNX TreeEnsembleRegressor, in double precision.

Float32 trees would send rows that lie on a split to the wrong side; in double every threshold keeps its bits.
Format: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html (version 3).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from ebb.errors import Misuse
from training.export.lightgbm_trees import Read, nodes_of
from training.export.refused import refuse_wrong
from training.fit import Boosted, Fitted
from training.fit.lightgbm import LightTrees


@dataclass(frozen=True)
class Trees:
    """The nodes of all trees, one after the other; a row goes left where its value is at most the threshold.

    Attributes:
        tree, number: the tree that each of M nodes belongs to and its number in it, int64 [M].
        leaf: whether it is one, bool [M].
        column: that a split looks at, int64 [M].
        threshold: float64 [M].
        left, right: the numbers of a split's children, int64 [M].
        missing_left: whether a missing value goes left, bool [M].
        value: of a leaf, float64 [M].
        base: added to every row's sum.
    """

    tree: NDArray[np.int64]
    number: NDArray[np.int64]
    leaf: NDArray[np.bool_]
    column: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float64]
    base: float


def flat_trees(fitted: Fitted) -> Trees:
    """Return the nodes of a fitted ensemble.

    Raises:
        Misuse: it has no trees, or ones that the format cannot say: categorical splits, several classes, linear leaves.
    """
    if isinstance(fitted, LightTrees):
        return _of_lightgbm(fitted.booster)
    if isinstance(fitted, Boosted):
        return _of_scikit_learn(fitted.trees)
    raise Misuse(f"a model of the family {fitted.family} has no trees: ask for them of boosted or lightgbm alone")


def tree_node(trees: Trees, source: str, target: str) -> NodeProto:
    """Return the node that turns columns into log-odds.

    Args:
        trees: all of them.
        source: name of the double tensor [N, k].
        target: name of the float32 result [N, 1].
    """
    leaf = trees.leaf
    return helper.make_node(
        "TreeEnsembleRegressor",
        [source],
        [target],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function="SUM",
        post_transform="NONE",
        base_values_as_tensor=_doubles(np.array([trees.base])),
        nodes_treeids=_whole(trees.tree),
        nodes_nodeids=_whole(trees.number),
        nodes_featureids=_whole(np.where(leaf, 0, trees.column)),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_values_as_tensor=_doubles(np.where(leaf, 0.0, trees.threshold)),
        nodes_truenodeids=_whole(np.where(leaf, 0, trees.left)),
        nodes_falsenodeids=_whole(np.where(leaf, 0, trees.right)),
        nodes_missing_value_tracks_true=_whole(np.where(leaf, 0, trees.missing_left)),
        target_treeids=_whole(trees.tree[leaf]),
        target_nodeids=_whole(trees.number[leaf]),
        target_ids=_whole(np.zeros(int(leaf.sum()))),
        target_weights_as_tensor=_doubles(trees.value[leaf]),
    )


def split_thresholds(fitted: Fitted) -> dict[int, NDArray[np.float64]]:
    """Return the distinct split thresholds by column of what the trees see."""
    trees = flat_trees(fitted)
    column, threshold = trees.column[~trees.leaf], trees.threshold[~trees.leaf]
    return {int(j): np.unique(threshold[column == j]) for j in np.unique(column)}


def _of_scikit_learn(estimator: Any) -> Trees:
    refuse_wrong(estimator)
    ensemble = [predictors[0].nodes for predictors in estimator._predictors]  # noqa: SLF001 - no public door
    nodes = np.concatenate(ensemble)
    sizes = [len(tree) for tree in ensemble]
    return Trees(
        tree=np.repeat(np.arange(len(ensemble)), sizes),
        number=np.concatenate([np.arange(size) for size in sizes]),
        leaf=nodes["is_leaf"].astype(bool),
        column=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"],
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        value=nodes["value"],
        base=float(estimator._baseline_prediction.ravel()[0]),  # noqa: SLF001 - as above
    )


def _of_lightgbm(booster: Any) -> Trees:
    read: list[tuple[int, int, Read]] = []
    for tree, nodes in enumerate(nodes_of(booster.dump_model())):
        read.extend((tree, number, node) for number, node in enumerate(nodes))
    each = [node for _, _, node in read]
    return Trees(
        tree=np.array([tree for tree, _, _ in read], np.int64),
        number=np.array([number for _, number, _ in read], np.int64),
        leaf=np.array([node.leaf for node in each], bool),
        column=np.array([node.column for node in each], np.int64),
        threshold=np.array([node.threshold for node in each], np.float64),
        left=np.array([node.left for node in each], np.int64),
        right=np.array([node.right for node in each], np.int64),
        missing_left=np.array([node.missing_left for node in each], bool),
        value=np.array([node.value for node in each], np.float64),
        base=0.0,  # LightGBM adds it to the leaves of the first tree
    )


def _doubles(values: NDArray[Any]) -> TensorProto:
    return helper.make_tensor("", TensorProto.DOUBLE, [len(values)], values.astype(np.float64).tolist())


def _whole(values: NDArray[Any]) -> list[int]:
    whole: list[int] = values.astype(np.int64).tolist()
    return whole
