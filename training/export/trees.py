"""scikit-learn's boosted trees as the attributes of one ONNX TreeEnsembleRegressor, in double precision.

Float32 trees would send rows that lie on a split to the wrong side; in double every threshold keeps its bits.
Format: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html (version 3).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper


def tree_node(trees: Any, source: str, target: str) -> NodeProto:
    """Return the node that turns columns into log-odds.

    Args:
        trees: a fitted, binary HistGradientBoostingClassifier without categorical splits.
        source: name of the double tensor [N, k].
        target: name of the float32 result [N, 1].
    """
    ensemble = [predictors[0].nodes for predictors in trees._predictors]  # noqa: SLF001 - no public door
    nodes = np.concatenate(ensemble)
    sizes = [len(tree) for tree in ensemble]
    tree_ids = np.repeat(np.arange(len(ensemble)), sizes)
    node_ids = np.concatenate([np.arange(size) for size in sizes])
    leaf = nodes["is_leaf"].astype(bool)
    return helper.make_node(
        "TreeEnsembleRegressor",
        [source],
        [target],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function="SUM",
        post_transform="NONE",
        base_values_as_tensor=_doubles(trees._baseline_prediction.ravel()),  # noqa: SLF001 - as above
        nodes_treeids=_whole(tree_ids),
        nodes_nodeids=_whole(node_ids),
        nodes_featureids=_whole(np.where(leaf, 0, nodes["feature_idx"])),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_values_as_tensor=_doubles(np.where(leaf, 0.0, nodes["num_threshold"])),
        nodes_truenodeids=_whole(np.where(leaf, 0, nodes["left"])),
        nodes_falsenodeids=_whole(np.where(leaf, 0, nodes["right"])),
        nodes_missing_value_tracks_true=_whole(np.where(leaf, 0, nodes["missing_go_to_left"])),
        target_treeids=_whole(tree_ids[leaf]),
        target_nodeids=_whole(node_ids[leaf]),
        target_ids=_whole(np.zeros(int(leaf.sum()))),
        target_weights_as_tensor=_doubles(nodes["value"][leaf]),
    )


def split_thresholds(trees: Any) -> dict[int, NDArray[np.float64]]:
    """Return the distinct split thresholds by column of what the trees see."""
    nodes = np.concatenate([predictors[0].nodes for predictors in trees._predictors])  # noqa: SLF001 - as above
    splits = nodes[nodes["is_leaf"] == 0]
    columns = np.unique(splits["feature_idx"])
    return {int(j): np.unique(splits["num_threshold"][splits["feature_idx"] == j]) for j in columns}


def _doubles(values: NDArray[Any]) -> TensorProto:
    return helper.make_tensor("", TensorProto.DOUBLE, [len(values)], values.astype(np.float64).tolist())


def _whole(values: NDArray[Any]) -> list[int]:
    whole: list[int] = values.astype(np.int64).tolist()
    return whole
