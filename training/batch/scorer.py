"""Scores batches of accepted rows: the same bits as the release's own scorer, in a fraction of its time."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ebb.features.inputs import Inputs
from ebb.onnx import OnnxScorer, single_threaded, undisturbed
from ebb.ports import Scorer
from training.batch.cut import Cut, Trees, cut
from training.dataset.texts import Texts

WORTH_COMPILING = 200_000
"""Rows that ONNX Runtime scores in about the time that the compiler takes."""

_PROBABILITY = ["probability"]


class BatchScorer(Protocol):
    """Scores accepted rows."""

    def score(self, numbers: NDArray[np.float32], categories: Sequence[Texts]) -> NDArray[np.float32]:
        """Return the probability of the positive class, float32 [N].

        Args:
            numbers: float32 [N, n].
            categories: [c], of N rows each.
        """


def batch_scorer(scorer: Scorer, rows: int) -> BatchScorer:
    """Choose how a release's rows are scored.

    Args:
        scorer: the release's own.
        rows: how many are to be expected.
    """
    parts = cut(scorer.model) if isinstance(scorer, OnnxScorer) else None
    if parts is None:
        return Whole(scorer)
    if parts.trees is not None and rows >= WORTH_COMPILING and find_spec("numba") is not None:
        return Walked(parts, parts.trees)
    return Rest(parts)


class Whole:
    """Feeds the whole graph with a text a cell."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    def score(self, numbers: NDArray[np.float32], categories: Sequence[Texts]) -> NDArray[np.float32]:
        """See `BatchScorer.score`."""
        texts = np.empty((len(numbers), len(categories)), object)
        for j, column in enumerate(categories):
            texts[:, j] = column.values()
        return self._scorer.score(Inputs(numbers, texts))


class Rest:
    """Looks each distinct text up once; the rest of the graph runs as it is."""

    def __init__(self, parts: Cut) -> None:
        self._lookups = Lookups(parts)
        self._behind = single_threaded(parts.behind)
        self._numbers = any(node.name == "numbers" for node in self._behind.get_inputs())

    def score(self, numbers: NDArray[np.float32], categories: Sequence[Texts]) -> NDArray[np.float32]:
        """See `BatchScorer.score`."""
        feed = self._lookups.tensors(categories)
        if self._numbers:
            feed["numbers"] = numbers
        return _run(self._behind, feed)


class Walked:
    """Looks each distinct text up once, and walks the trees with compiled code."""

    def __init__(self, parts: Cut, trees: Trees) -> None:
        self._lookups = Lookups(parts)
        self._trees = trees
        self._behind = single_threaded(trees.behind)

    def score(self, numbers: NDArray[np.float32], categories: Sequence[Texts]) -> NDArray[np.float32]:
        """See `BatchScorer.score`."""
        given = {"numbers": numbers, **self._lookups.tensors(categories)}
        seen = np.empty((len(numbers), self._trees.forest.width), np.float32)
        np.concatenate([given[name] for name in self._trees.columns], axis=1, out=seen)
        raw = self._trees.forest.raw(seen)
        return _run(self._behind, {self._trees.raw: raw[:, np.newaxis]})


class Lookups:
    """The numbers that a graph makes of texts, asked for once for each distinct text of a batch."""

    def __init__(self, parts: Cut) -> None:
        self._encoded = parts.encoded
        self._session = None if parts.texts is None else single_threaded(parts.texts)

    def tensors(self, categories: Sequence[Texts]) -> dict[str, NDArray[np.float32]]:
        """Return the encoded tensors by name, float32 [N, w] each."""
        if self._session is None:
            return {}
        distinct = np.full((max(len(column.distinct) for column in categories), len(categories)), "", object)
        for j, column in enumerate(categories):
            distinct[: len(column.distinct), j] = column.distinct
        with undisturbed():
            tables = self._session.run([tensor.name for tensor in self._encoded], {"categories": distinct})
        return {
            tensor.name: np.stack([table[categories[j].codes, k] for k, j in enumerate(tensor.categories)], axis=1)
            for tensor, table in zip(self._encoded, tables, strict=True)
        }


def _run(session: Any, feed: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    probabilities: NDArray[np.float32] = session.run(_PROBABILITY, feed)[0]
    return probabilities
