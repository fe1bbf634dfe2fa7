"""Conversions known to be wrong are refused by name, wherever in a pipeline they stand."""

import warnings
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from ebb.errors import Misuse
from tests.fakes.fitted import fit_family
from tests.fakes.tables import make_table
from training.calibrate import Model, Platt
from training.export import export
from training.export.lightgbm_trees import nodes_of
from training.export.refused import refuse_float32_trees, refuse_wrong
from training.fit import Boosted, TreeSize, fit_candidate

PLAIN = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
WRONG = [
    ("categorical_features", HistGradientBoostingClassifier(categorical_features=[0])),
    ("isotonic calibration", IsotonicRegression()),
    ("isotonic calibration", CalibratedClassifierCV(LogisticRegression(), method="isotonic")),
    ("calibration around a Pipeline", CalibratedClassifierCV(PLAIN)),
    ("calibration around a Pipeline", CalibratedClassifierCV(FrozenEstimator(PLAIN))),
    ("FrozenEstimator cannot be converted", FrozenEstimator(LogisticRegression())),
    ("FrozenEstimator cannot be converted", CalibratedClassifierCV(FrozenEstimator(LogisticRegression()))),
    ("indicators of missing values", MissingIndicator()),
    ("indicators of missing values", SimpleImputer(add_indicator=True)),
    ("indicators of missing values", FeatureUnion([("known", SimpleImputer()), ("missing", MissingIndicator())])),
    ("joining rare categories", OneHotEncoder(handle_unknown="infrequent_if_exist")),
    ("joining rare categories", OneHotEncoder(min_frequency=5)),
    ("joining rare categories", OrdinalEncoder(max_categories=9)),
]


def _in_a_pipeline(part: Any) -> Pipeline:
    table = ColumnTransformer([("some", make_pipeline(part), [0]), ("rest", "passthrough", [1])])
    return Pipeline([("columns", table), ("model", LogisticRegression())])


@pytest.mark.parametrize(("why", "estimator"), WRONG)
def test_a_wrong_one_is_refused_by_name(why: str, estimator: Any) -> None:
    with pytest.raises(Misuse, match=why) as refused:
        refuse_wrong(estimator)
    assert "is not exported: " in str(refused.value)


@pytest.mark.parametrize(("why", "estimator"), WRONG)
def test_a_wrong_one_deep_in_a_pipeline_is_found(why: str, estimator: Any) -> None:
    with pytest.raises(Misuse, match=why):
        refuse_wrong(_in_a_pipeline(estimator))


@pytest.mark.parametrize(("why", "estimator"), WRONG)
def test_the_front_door_refuses_them_too(why: str, estimator: Any) -> None:
    with pytest.raises(Misuse, match=why):
        export(estimator, 1, 1)
    with pytest.raises(Misuse, match=why):
        export(Model(estimator, Platt(1.0, 0.0)), 1, 1)


@pytest.mark.parametrize(
    "estimator",
    [
        PLAIN,
        HistGradientBoostingClassifier(),
        HistGradientBoostingClassifier(categorical_features=None),
        CalibratedClassifierCV(LogisticRegression()),
        OneHotEncoder(handle_unknown="ignore"),
        OrdinalEncoder(),
    ],
)
def test_what_is_not_known_to_be_wrong_is_only_none_of_ours(estimator: Any) -> None:
    refuse_wrong(estimator)
    with pytest.raises(
        Misuse, match="writers for its own models alone, of the families boosted, lightgbm and logistic"
    ):
        export(estimator, 1, 1)


def test_several_classes_are_refused_when_fitted() -> None:
    numbers = np.arange(60.0)[:, None]
    refuse_wrong(LogisticRegression().fit(numbers, np.arange(60) % 2))
    several = LogisticRegression(max_iter=500).fit(numbers, np.arange(60) % 3)
    with pytest.raises(Misuse, match="several classes, and Ebb one probability"):
        refuse_wrong(several)
    with pytest.raises(Misuse, match="several classes"):
        refuse_wrong(make_pipeline(several))


def test_categories_that_scikit_learn_took_from_a_table_are_found_after_the_fit() -> None:
    inputs, labels = make_table(200, 2, 0)
    codes = np.nan_to_num(np.abs(np.round(inputs.numbers)))
    fitted = HistGradientBoostingClassifier(max_iter=3, categorical_features=[1]).fit(codes, labels)
    fitted.categorical_features = None
    with pytest.raises(Misuse, match=r"up to 0\.93 off"):
        refuse_wrong(fitted)


def test_ours_with_wrong_trees_inside_is_refused() -> None:
    inputs, labels = make_table(200, 2, 0)
    model = fit_family("boosted", inputs, labels)
    codes = np.nan_to_num(np.abs(np.round(inputs.numbers)))
    wrong = HistGradientBoostingClassifier(max_iter=3, categorical_features=[1]).fit(codes, labels)
    with pytest.raises(Misuse, match="HistGradientBoostingClassifier is not exported"):
        export(Model(Boosted(model.fitted.encoding, wrong), model.platt), 2, 0)


def test_trees_in_float32_are_refused_and_ours_are_not() -> None:
    inputs, labels = make_table(200, 2, 1)
    ours = export(fit_family("boosted", inputs, labels), 2, 1)
    refuse_float32_trees(ours)
    refuse_float32_trees(export(fit_family("lightgbm", inputs, labels), 2, 1))
    graph = onnx.load_from_string(ours)
    trees = next(node for node in graph.graph.node if node.op_type == "TreeEnsembleRegressor")
    doubles = next(a for a in trees.attribute if a.name == "nodes_values_as_tensor")
    values = list(doubles.t.double_data)
    trees.attribute.remove(doubles)
    trees.attribute.append(helper.make_attribute("nodes_values", values))
    with pytest.raises(Misuse, match="TreeEnsembleRegressor with float32 thresholds is not exported"):
        refuse_float32_trees(graph.SerializeToString())


def _lightgbm(**parameters: Any) -> dict[str, Any]:
    import lightgbm  # noqa: PLC0415 - a second

    rng = np.random.default_rng(0)
    numbers = np.abs(np.round(rng.normal(size=(400, 2)) * 2))
    labels = (numbers.sum(axis=1) % 3 if parameters.get("num_class") else numbers[:, 0] > 1).astype(np.int8)
    common = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 2, "num_leaves": 4}
    categorical = parameters.pop("categorical_feature", "auto")
    data = lightgbm.Dataset(numbers, label=labels, categorical_feature=categorical)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        booster = lightgbm.train({**common, **parameters}, data, 3)
    model: dict[str, Any] = booster.dump_model()
    return model


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"zero_as_missing": True}, "missing type `Zero`"),
        ({"categorical_feature": [0], "min_data_per_group": 1}, "categorical splits"),
        ({"linear_tree": True}, "linear trees"),
        ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "forest"),
        ({"objective": "multiclass", "num_class": 3}, "several classes"),
    ],
)
def test_what_lightgbm_can_say_and_a_graph_of_ours_cannot(parameters: dict[str, Any], why: str) -> None:
    with pytest.raises(Misuse, match=why):
        list(nodes_of(_lightgbm(**parameters)))


def test_lightgbm_as_ebb_fits_it_is_read_whole() -> None:
    trees = list(nodes_of(_lightgbm()))
    assert len(trees) == 3
    for nodes in trees:
        assert sum(node.leaf for node in nodes) == sum(not node.leaf for node in nodes) + 1
        for number, node in enumerate(nodes):
            assert node.leaf or number < node.left < node.right < len(nodes)


def test_every_sentence_says_what_to_do() -> None:
    for _, estimator in WRONG:
        with pytest.raises(Misuse) as refused:
            refuse_wrong(estimator)
        assert any(word in str(refused.value) for word in ("encode", "calibrat", "export what", "weighs")), (
            refused.value
        )


def test_a_float_tensor_elsewhere_is_no_tree() -> None:
    node = helper.make_node("Identity", ["numbers"], ["probability"])
    numbers = helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [None])
    answer = helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None])
    refuse_float32_trees(helper.make_model(helper.make_graph([node], "g", [numbers], [answer])).SerializeToString())


def test_a_family_nobody_wrote_for_is_refused() -> None:
    inputs, labels = make_table(100, 1, 0)
    fitted = fit_candidate(TreeSize("t", 2, 0.1, 2), inputs, labels, seed=0)
    with pytest.raises(Misuse, match="Boosted is not exported"):
        export(fitted, 1, 0)  # type: ignore[arg-type]
