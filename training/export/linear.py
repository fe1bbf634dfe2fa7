"""A logistic regression and its calibration as few nodes in double precision.

What is the same for every row is worked out here: standardising and weighing become one weight a column and one offset,
and what a missing number adds becomes the value at which that column adds as much. A column of no weight, such as one
with a single known value, is held at 0 and weighs 1, so that its being missing can still count.

The products are added by one MatMul: its kernel adds along a row in one order, however many rows there are. A ReduceSum
would not: its order depends on where a row lies in memory.
"""

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from training.calibrate import Platt
from training.export.parts import Parts
from training.fit import Logistic
from training.fit.logistic import FARTHEST


def add_line(parts: Parts, fitted: Logistic, platt: Platt, columns: str) -> str:
    """Add the nodes from columns to calibrated log-odds.

    Args:
        parts: the graph.
        fitted: the line.
        platt: its calibration.
        columns: name of the float32 tensor [N, n + c].

    Returns:
        The name of the calibrated log-odds, float32 [N].
    """
    counts = fitted.weights != 0.0
    weight = np.where(counts, fitted.weights / fitted.scale, 1.0)
    centre, reach = np.where(counts, fitted.centre, 0.0), np.where(counts, FARTHEST * fitted.scale, 0.0)
    adds = np.zeros(len(weight))
    adds[: len(fitted.missing_weights)] = fitted.missing_weights
    offset = fitted.offset - float(np.sum(centre * weight))
    doubles = parts.node("Cast", [columns], "doubles", to=TensorProto.DOUBLE)
    missing = parts.node("IsNaN", [doubles], "missing")
    raised = parts.node("Max", [doubles, _row(parts, "least", centre - reach)], "raised")
    near = parts.node("Min", [raised, _row(parts, "most", centre + reach)], "near")
    filled = parts.node("Where", [missing, _row(parts, "if_missing", centre + adds / weight), near], "filled")
    weights = parts.constant("weights", TensorProto.DOUBLE, [len(weight)], (platt.slope * weight).tolist())
    shift = parts.constant("shift", TensorProto.DOUBLE, [1], [platt.slope * offset + platt.offset])
    raw = parts.node("Add", [parts.node("MatMul", [filled, weights], "raw"), shift], "raw_calibrated")
    return parts.node("Cast", [raw], "calibrated", to=TensorProto.FLOAT)


def _row(parts: Parts, name: str, values: NDArray[np.float64]) -> str:
    return parts.constant(name, TensorProto.DOUBLE, [1, len(values)], values.tolist())
