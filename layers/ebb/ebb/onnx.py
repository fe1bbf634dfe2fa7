"""A release's graph in ONNX Runtime."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

# ONNX Runtime's wheels tell their maker of each process, and later than here they have done so already.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime
from numpy.typing import NDArray

from ebb.errors import ReleaseError
from ebb.features.inputs import Inputs

_OUTPUTS = ["probability"]
_FEW = 1_000
"""Rows that take well under a millisecond a hundred: no need to guard them."""
_ROWS = 10_000
"""Rows scored at once, so that Ctrl-C never waits long."""


def single_threaded(model: bytes) -> Any:
    """Return a session of ONNX Runtime as every graph of Ebb runs in.

    Raises:
        ReleaseError: the bytes are no graph that it can load.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - ONNX Runtime raises its own types, unrelated to each other
        raise ReleaseError(f"ONNX Runtime cannot load the graph: {type(error).__name__}") from None


class OnnxScorer:
    """Scores with one thread, so that any batch size gives the bits that single rows give.

    Args:
        model: the graph's bytes; inputs `numbers` float32 [N, n] and `categories` string [N, c] (an input that
            no feature uses is absent), output `probability` float32 [N].

    Attributes:
        model: as given; the session holds these bytes anyway.

    Raises:
        ReleaseError: the bytes are no graph of Ebb.
    """

    def __init__(self, model: bytes) -> None:
        self.model = model
        self._session = single_threaded(model)
        # Its Python shell validates what is known here, and takes as long as a third of a small graph.
        self._native = self._session._sess  # noqa: SLF001 - the library offers no other way
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
        if len(inputs) <= _FEW:
            return self._run(feed)
        parts = []
        for start in range(0, len(inputs), _ROWS):
            with undisturbed():
                parts.append(self._run({name: tensor[start : start + _ROWS] for name, tensor in feed.items()}))
        return np.concatenate(parts)

    def _run(self, feed: dict[str, Any]) -> NDArray[np.float32]:
        probabilities: NDArray[np.float32] = self._native.run(_OUTPUTS, feed, None)[0]
        return probabilities


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold Ctrl-C back until the block is done: ONNX Runtime 1.32 crashes when it comes while texts are converted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)
    if came:
        signal.raise_signal(signal.SIGINT)
