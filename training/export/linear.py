"""A logistic regression and its calibration as nodes in double precision.

Each number's share of the log-odds is computed by itself and the shares are added by one product with the slope of the
calibration: its kernel adds along a row in one order, however many rows there are (a sum would not: its order depends
on where a row lies in memory).
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
        The name of the calibrated log-odds, float32 [N, 1].
    """
    width = len(fitted.weights)
    if_missing = np.zeros(width)
    if_missing[: len(fitted.missing_weights)] = fitted.missing_weights
    doubles = parts.node("Cast", [columns], "doubles", to=TensorProto.DOUBLE)
    missing = parts.node("IsNaN", [doubles], "missing")
    shifted = parts.node("Sub", [doubles, _row(parts, "centre", fitted.centre)], "shifted")
    scaled = parts.node("Div", [shifted, _row(parts, "scale", fitted.scale)], "scaled")
    low = parts.constant("low", TensorProto.DOUBLE, [], [-FARTHEST])
    high = parts.constant("high", TensorProto.DOUBLE, [], [FARTHEST])
    clipped = parts.node("Clip", [scaled, low, high], "clipped")
    weighted = parts.node("Mul", [clipped, _row(parts, "weights", fitted.weights)], "weighted")
    shares = parts.node("Where", [missing, _row(parts, "if_missing", if_missing), weighted], "shares")
    slope = parts.constant("slope", TensorProto.DOUBLE, [width, 1], [platt.slope] * width)
    offset = parts.constant("offset", TensorProto.DOUBLE, [1], [platt.slope * fitted.offset + platt.offset])
    raw = parts.node("Add", [parts.node("MatMul", [shares, slope], "raw"), offset], "raw_calibrated")
    return parts.node("Cast", [raw], "calibrated", to=TensorProto.FLOAT)


def _row(parts: Parts, name: str, values: NDArray[np.float64]) -> str:
    return parts.constant(name, TensorProto.DOUBLE, [1, len(values)], values.tolist())
