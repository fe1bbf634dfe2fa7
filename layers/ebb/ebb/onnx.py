"""A release's graph in ONNX Runtime."""

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ebb.errors import ReleaseError
from ebb.features.inputs import Inputs


class OnnxScorer:
    """Scores with one thread, so that any batch size gives the bits that single rows give.

    Args:
        model: the graph's bytes; inputs `numbers` float32 [N, n] and `categories` string [N, c] (an input that
            no feature uses is absent), output `probability` float32 [N].

    Raises:
        ReleaseError: the bytes are no graph of Ebb.
    """

    def __init__(self, model: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - ONNX Runtime raises its own types, unrelated to each other
            raise ReleaseError(f"ONNX Runtime cannot load the graph: {type(error).__name__}") from None
        self._names = {node.name for node in self._session.get_inputs()}
        if not self._names <= {"numbers", "categories"}:
            raise ReleaseError(f"the graph's inputs are {sorted(self._names)}, but Ebb knows numbers and categories")

    def score(self, inputs: Inputs) -> NDArray[np.float32]:
        """Return the probability of the positive class, float32 [N]."""
        feed: dict[str, Any] = {}
        if "numbers" in self._names:
            feed["numbers"] = inputs.numbers
        if "categories" in self._names:
            feed["categories"] = inputs.categories
        probabilities: NDArray[np.float32] = self._session.run(["probability"], feed)[0]
        return probabilities
