"""The release's graph as every peer scores it: ONNX Runtime with one thread, the two tensors as they come."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime

MODEL = "EBB_PEER_MODEL"
"""The environment variable that names the graph's file."""


class Graph:
    """The graph, loaded from the file that the environment names."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        model = os.environ[MODEL]
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run(self, numbers: Any, categories: Any) -> Any:
        """Return probabilities, float32 [N], of float32 [N, n] and object (str) [N, c]."""
        return self._session.run(["probability"], {"numbers": numbers, "categories": categories})[0]

    def one(self, numbers: Sequence[float], categories: Sequence[str]) -> float:
        """Return the probability of one row."""
        return float(self.run(np.array([numbers], np.float32), np.array([categories], object))[0])
