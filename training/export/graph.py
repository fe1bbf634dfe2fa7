"""From a fitted model to one ONNX graph: encoding, estimator and calibration, with the same bytes every time."""

from typing import Any

from onnx import TensorProto

from ebb.errors import Misuse
from training.calibrate import Model, Platt
from training.export.encoded import add_columns
from training.export.linear import add_line
from training.export.parts import OUTPUT, Parts
from training.export.refused import refuse_float32_trees, refuse_wrong
from training.export.trees import flat_trees, tree_node
from training.fit import Boosted, Logistic
from training.fit.lightgbm import LightTrees

EXPORTED = (Boosted, LightTrees, Logistic)
"""What there is a writer for."""


def export(model: Model, numbers: int, categories: int) -> bytes:
    """Return the graph's bytes.

    Inputs `numbers` float32 [N, n] and `categories` string [N, c] (one with no column is left out), output
    `probability` float32 [N]. Missing is NaN or the empty string; a category that the training data did not have
    is encoded as the mean of the labels.

    Args:
        model: the fitted model, of any family.
        numbers: n.
        categories: c.

    Raises:
        Misuse: it is no model of Ebb's, or its conversion is known to be wrong; says which and why.
    """
    fitted = _known(model)
    parts = Parts()
    columns = add_columns(parts, fitted.encoding, numbers, categories)
    if isinstance(fitted, Logistic):
        parts.node("Sigmoid", [add_line(parts, fitted, model.platt, columns)], OUTPUT)
    else:
        doubles = parts.node("Cast", [columns], "doubles", to=TensorProto.DOUBLE)
        parts.nodes.append(tree_node(flat_trees(fitted), doubles, "raw"))
        _answer(parts, _calibrated(parts, model.platt))
    content = parts.to_bytes()
    refuse_float32_trees(content)
    return content


def _known(model: Any) -> Boosted | LightTrees | Logistic:
    fitted = model.fitted if isinstance(model, Model) else model
    if isinstance(model, Model) and isinstance(fitted, EXPORTED):
        return fitted
    refuse_wrong(fitted)
    raise Misuse(
        f"{type(fitted).__name__} is not exported: Ebb has writers for its own models alone, of the families boosted, "
        "lightgbm and logistic; fit one with `ebb train`"
    )


def _calibrated(parts: Parts, platt: Platt) -> str:
    slope = parts.constant("slope", TensorProto.FLOAT, [1], [platt.slope])
    offset = parts.constant("offset", TensorProto.FLOAT, [1], [platt.offset])
    return parts.node("Add", [parts.node("Mul", ["raw", slope], "scaled"), offset], "calibrated")


def _answer(parts: Parts, calibrated: str) -> None:
    flat = parts.constant("flat", TensorProto.INT64, [1], [-1])
    parts.node("Reshape", [parts.node("Sigmoid", [calibrated], "column"), flat], OUTPUT)
