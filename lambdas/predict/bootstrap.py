"""The prediction function's composition: which adapter stands behind which port."""

import os
import time
from collections.abc import Mapping

from ebb.connect import QUICK, connect_fast, connect_postgres, connect_store, make_metrics
from ebb.folder import FolderReleases
from ebb.http.doors import report_to_log
from ebb.onnx import OnnxScorer
from ebb.ports import ReleaseStore
from ebb.serving import ServedRelease
from ebb.settings import Settings
from ebb.store.store import FeatureStore
from lambdas.predict.logic import Predictor
from lambdas.predict.service import PredictService


def bootstrap(
    environment: Mapping[str, str],
    *,
    releases: ReleaseStore | None = None,
    store: FeatureStore | None = None,
) -> PredictService:
    """Wire the function; every port may be overridden.

    Raises:
        Misuse: a variable of the environment is missing.
    """
    settings = Settings.from_environment(environment)
    served = ServedRelease(releases or FolderReleases(settings.releases), settings.contract, OnnxScorer)
    metrics = make_metrics(settings, "predict")
    if store is None:
        fast = connect_fast(settings, metrics)
        fast.warm()  # an encrypted connection takes longer to open than a prediction may wait
        store = connect_store(settings, metrics, fast, connect_postgres(settings, QUICK))
    predictor = Predictor(store, time.time, _new_id)
    return PredictService(served, predictor, report_to_log, metrics.tick)


def _new_id() -> str:
    return os.urandom(12).hex()
