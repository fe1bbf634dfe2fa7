"""A graph's trees as flat arrays that `training.batch.kernel` walks, with the bits of ONNX Runtime's own answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, numpy_helper

_NARROW, _WIDEST = 32, 64


@dataclass(frozen=True)
class Forest:
    """S splits and L leaves of T trees.

    A row goes right at a split when its column is not at most the threshold. Columns count twice: in the second
    half, at j + k, missing values of column j stand as minus infinity, so that they go left.

    Attributes:
        sources: int32 [S], position among the 2 k columns.
        thresholds: float32 [S], rounded down: what a float32 exceeds is the same as before.
        masks: uint32 or uint64 [S]; bit i says whether leaf i of the tree can still be reached when the row goes right.
        splits: int32 [T + 1], each tree's first split.
        leaves: float64 [L], from left to right in each tree.
        firsts: int32 [T], each tree's first leaf.
        base: added to the sum.
        width: k.
    """

    sources: NDArray[np.int32]
    thresholds: NDArray[np.float32]
    masks: NDArray[Any]
    splits: NDArray[np.int32]
    leaves: NDArray[np.float64]
    firsts: NDArray[np.int32]
    base: float
    width: int

    def raw(self, columns: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the sum of each row's leaves, float32 [N].

        Args:
            columns: float32 [N, k].

        Raises:
            ImportError: there is no compiler (numba) here.
        """
        from training.batch.kernel import raw  # noqa: PLC0415 - takes half a second, and may be absent

        out = np.empty(len(columns), np.float32)
        arrays = (self.sources, self.thresholds, self.masks, self.splits, self.leaves, self.firsts)
        raw(np.ascontiguousarray(columns), *arrays, self.base, out)
        return out


def forest_of(node: NodeProto, width: int) -> Forest | None:
    """Read the trees of a TreeEnsembleRegressor.

    Args:
        node: whose format is https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html, version 3.
        width: columns that it sees.

    Returns:
        None where it is anything but a sum of double trees of at most 64 leaves whose splits ask "at most?".
    """
    said = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    try:
        return _Reader(said, width).forest()
    except _OtherTreesError:
        return None


class _OtherTreesError(Exception):
    """The trees are of a kind that ONNX Runtime alone shall walk."""


class _Reader:
    def __init__(self, said: Mapping[str, Any], width: int) -> None:
        usual = (said.get("n_targets"), said.get("aggregate_function", b"SUM"), said.get("post_transform", b"NONE"))
        if usual != (1, b"SUM", b"NONE") or any(said.get("target_ids", [])):
            raise _OtherTreesError
        self._said, self._width = said, width
        self._modes, self._columns = said["nodes_modes"], said["nodes_featureids"]
        count = len(self._modes)
        self._thresholds = _doubles(said.get("nodes_values_as_tensor"), count)
        weights = _doubles(said.get("target_weights_as_tensor"), len(said["target_nodeids"]))
        self._base = _base(said.get("base_values_as_tensor"))
        self._places = {key: i for i, key in enumerate(zip(said["nodes_treeids"], said["nodes_nodeids"], strict=True))}
        targets = list(zip(said["target_treeids"], said["target_nodeids"], strict=True))
        self._values = dict(zip(targets, weights.tolist(), strict=True))
        self._track = said.get("nodes_missing_value_tracks_true") or [0] * count
        if len(self._places) != count or len(self._values) != len(targets):
            raise _OtherTreesError
        self._seen: set[int] = set()
        self._sources: list[int] = []
        self._cuts: list[float] = []
        self._masks: list[int] = []
        self._leaves: list[float] = []

    def forest(self) -> Forest:
        trees = self._said["nodes_treeids"]
        roots = [i for i, tree in enumerate(trees) if i == 0 or trees[i - 1] != tree]
        splits, firsts = [0], []
        most = 0
        for root in roots:
            firsts.append(len(self._leaves))
            self._walk(root, firsts[-1], 0)
            splits.append(len(self._sources))
            most = max(most, len(self._leaves) - firsts[-1])
        if len({trees[root] for root in roots}) < len(roots) or len(self._sources) + len(self._leaves) != len(trees):
            raise _OtherTreesError
        if most > _WIDEST:
            raise _OtherTreesError
        whole = 2**_NARROW - 1 if most <= _NARROW else 2**_WIDEST - 1
        return Forest(
            sources=np.array(self._sources, np.int32),
            thresholds=_rounded_down(np.array(self._cuts, np.float64)),
            masks=np.array([whole & ~mask for mask in self._masks], np.uint32 if most <= _NARROW else np.uint64),
            splits=np.array(splits, np.int32),
            leaves=np.array(self._leaves, np.float64),
            firsts=np.array(firsts, np.int32),
            base=self._base,
            width=self._width,
        )

    def _walk(self, place: int, first: int, depth: int) -> None:
        """Take a node and what hangs below it, from left to right; the tree's leaves begin at `first`."""
        if depth > _WIDEST or place in self._seen:
            raise _OtherTreesError
        self._seen.add(place)
        key = (self._said["nodes_treeids"][place], self._said["nodes_nodeids"][place])
        if self._modes[place] == b"LEAF":
            self._leaves.append(self._values.get(key, float("nan")))
            if key not in self._values or len(self._leaves) - first > _WIDEST:
                raise _OtherTreesError
            return
        threshold, column = float(self._thresholds[place]), self._columns[place]
        if self._modes[place] != b"BRANCH_LEQ" or np.isnan(threshold) or not 0 <= column < self._width:
            raise _OtherTreesError
        split, before = len(self._sources), len(self._leaves) - first
        self._sources.append(column + (self._width if self._track[place] else 0))
        self._cuts.append(threshold)
        self._masks.append(0)
        self._walk(self._below(key[0], "nodes_truenodeids", place), first, depth + 1)
        after = len(self._leaves) - first
        self._masks[split] = (1 << after) - (1 << before)
        self._walk(self._below(key[0], "nodes_falsenodeids", place), first, depth + 1)

    def _below(self, tree: int, side: str, place: int) -> int:
        below = self._places.get((tree, self._said[side][place]))
        if below is None:
            raise _OtherTreesError
        return below


def _doubles(tensor: TensorProto | None, count: int) -> NDArray[np.float64]:
    if tensor is None or tensor.data_type != TensorProto.DOUBLE:
        raise _OtherTreesError
    values: NDArray[np.float64] = numpy_helper.to_array(tensor)
    if values.shape != (count,):
        raise _OtherTreesError
    return values


def _base(tensor: TensorProto | None) -> float:
    if tensor is None:
        raise _OtherTreesError
    return float(_doubles(tensor, 1)[0])


def _rounded_down(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the largest float32 that is not above each value: the same float32 are at most it."""
    with np.errstate(over="ignore"):
        near = values.astype(np.float32)
        below = np.nextafter(near, np.float32(-np.inf))
    return np.where(near.astype(np.float64) > values, below, near)
