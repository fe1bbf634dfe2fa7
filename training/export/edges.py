"""Where a model's answer turns: split thresholds of trees, ends of a line's columns, and where acting begins to pay."""

import math

import numpy as np
from numpy.typing import NDArray

from ebb.features.inputs import Inputs
from training.calibrate import Model
from training.export.trees import split_thresholds
from training.fit import Fitted, Logistic
from training.fit.logistic import FARTHEST


def edges(fitted: Fitted) -> dict[int, NDArray[np.float64]]:
    """Return, by column of what the estimator sees, the values at which it changes: thresholds, or clips and centre."""
    if isinstance(fitted, Logistic):
        steps = np.array([-FARTHEST, 0.0, FARTHEST])
        return {j: fitted.centre[j] + steps * fitted.scale[j] for j in range(len(fitted.weights))}
    return split_thresholds(fitted)


def at_decision(model: Model, inputs: Inputs, column: int, probability: float) -> NDArray[np.float32]:
    """Return the values of one number at which rows get a given probability, all else as it is.

    Args:
        model: a calibrated line; trees have no such value, but steps (see `edges`).
        inputs: N rows.
        column: of the number.
        probability: where acting begins to pay.

    Returns:
        float32 [N]; NaN where no value gives that probability.
    """
    fitted, platt = model.fitted, model.platt
    nowhere = np.full(len(inputs), np.nan, np.float32)
    if not isinstance(fitted, Logistic) or not 0.0 < probability < 1.0 or not platt.slope:
        return nowhere
    centre, scale, weight = fitted.centre[column], fitted.scale[column], fitted.weights[column]
    if weight == 0.0:
        return nowhere
    known = inputs.numbers.copy()
    known[:, column] = centre
    others = fitted.raw(Inputs(known, inputs.categories)) - weight * (float(np.float32(centre)) - centre) / scale
    wanted = (math.log(probability / (1 - probability)) - platt.offset) / platt.slope
    z = (wanted - others) / weight
    reached: NDArray[np.float32] = np.where(np.abs(z) <= FARTHEST, centre + scale * z, np.nan).astype(np.float32)
    return reached


def around(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return each value in float32 with its two neighbours, once each; what float32 cannot hold is left out."""
    limit = float(np.finfo(np.float32).max)
    near = values[np.abs(values) < limit].astype(np.float32)
    infinity = np.float32(np.inf)
    around = np.unique(np.concatenate([near, np.nextafter(near, -infinity), np.nextafter(near, infinity)]))
    finite: NDArray[np.float32] = around[np.isfinite(around)]
    return finite
