"""Conversions that are known to be wrong, refused by name.

Each was measured with skl2onnx 1.20 against scikit-learn 1.9 on 100,000 rows of numbers and texts, largest difference
in probability: `categorical_features` of HistGradientBoosting 0.93, silently; isotonic calibration 0.017 to 1.0,
silently; float32 thresholds 0.27 for rows on a split, and 1.4e-6 at 400 trees even where none is. The others do not
convert at all, or only to a graph that lacks them.
"""

from collections.abc import Callable, Iterator
from typing import Any

import onnx
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator
from sklearn.isotonic import IsotonicRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from ebb.errors import Misuse

_BINARY = 2


def refuse_wrong(estimator: Any) -> None:
    """Refuse an estimator, or anything inside it, whose conversion to ONNX is known to be wrong.

    Args:
        estimator: of scikit-learn or in its manner, fitted or not; pipelines are walked.

    Raises:
        Misuse: names the part, why, and what to do instead.
    """
    for part in _parts(estimator):
        for known, why in _WRONG:
            if known(part):
                raise Misuse(f"{type(part).__name__} is not exported: {why}")


def refuse_float32_trees(graph: bytes) -> None:
    """Refuse a graph whose trees split at float32 thresholds.

    Args:
        graph: of any writer.

    Raises:
        Misuse: names the node.
    """
    for node in onnx.load_from_string(graph).graph.node:
        if node.op_type.startswith("TreeEnsemble") and any(a.name == "nodes_values" for a in node.attribute):
            raise Misuse(
                f"{node.op_type} with float32 thresholds is not exported: rows on a split go to its wrong side, and "
                "answers were up to 0.27 off; write the trees in double (`nodes_values_as_tensor`)"
            )


def _parts(estimator: Any) -> Iterator[Any]:
    """Return an estimator and all that it was made of, itself first."""
    yield estimator
    if not isinstance(estimator, BaseEstimator):
        return
    for value in estimator.get_params(deep=False).values():
        yield from _inside(value)


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, BaseEstimator):
        yield from _parts(value)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _inside(each)


def _splits_on_categories(part: Any) -> bool:
    if not isinstance(part, HistGradientBoostingClassifier | HistGradientBoostingRegressor):
        return False
    fitted = getattr(part, "is_categorical_", None)
    asked = part.categorical_features
    return fitted is not None or (asked is not None and not (isinstance(asked, str) and asked == "from_dtype"))


def _isotonic(part: Any) -> bool:
    calibrated = isinstance(part, CalibratedClassifierCV) and part.method == "isotonic"
    return calibrated or isinstance(part, IsotonicRegression)


def _calibrates_a_pipeline(part: Any) -> bool:
    return isinstance(part, CalibratedClassifierCV) and any(isinstance(p, Pipeline) for p in _parts(part.estimator))


def _joins_the_rare(part: Any) -> bool:
    if not isinstance(part, OneHotEncoder | OrdinalEncoder):
        return False
    joins = part.min_frequency is not None or part.max_categories is not None
    return joins or part.handle_unknown == "infrequent_if_exist"


_WRONG: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (
        _splits_on_categories,
        (
            "splits on `categorical_features` are converted silently as if codes were sizes, and answers were up to "
            "0.93 off; encode the categories by their target mean and leave `categorical_features` out"
        ),
    ),
    (
        _isotonic,
        (
            "isotonic calibration is converted silently with other steps than it learned, and answers were 0.017 to "
            "1.0 off; calibrate by Platt's sigmoid"
        ),
    ),
    (
        _calibrates_a_pipeline,
        "a calibration around a Pipeline cannot be converted; put the calibration behind the last step",
    ),
    (
        lambda part: isinstance(part, FrozenEstimator),
        "a FrozenEstimator cannot be converted; export what it wraps, and its calibration behind it",
    ),
    (
        lambda part: isinstance(part, MissingIndicator) or bool(getattr(part, "add_indicator", False)),
        (
            "indicators of missing values inside a pipeline cannot be converted; the family logistic weighs what is "
            "missing by itself"
        ),
    ),
    (
        _joins_the_rare,
        (
            "joining rare categories (`min_frequency`, `max_categories`, `infrequent_if_exist`) cannot be converted; "
            "encode categories by their target mean, which shrinks the rare ones"
        ),
    ),
    (
        lambda part: len(getattr(part, "classes_", ())) > _BINARY,
        "it answers several classes, and Ebb one probability; make the label binary",
    ),
)
