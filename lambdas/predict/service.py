"""Every route of the prediction function, from a call to a document; both doors lead here."""

from collections.abc import Callable
from typing import Any

from ebb.errors import BadShape, NoRelease, ReleaseError
from ebb.http.calls import Call, entity_id_of, feature_values, only
from ebb.http.doors import Report
from ebb.serving import ServedRelease
from lambdas.predict.logic import PredictionRequest, Predictor

BODY_LIMIT = 65_536
"""Bytes of one prediction request."""

_KNOWN = frozenset({"entity_id", "features", "explain"})


def _nothing() -> None:
    """Measure nothing."""


class PredictService:
    """The routes of the prediction function.

    Args:
        served: the release.
        predictor: scores with it.
        report: takes what happened and a correlation id, for the log.
        tick: called after each answer, for the metrics.
    """

    def __init__(
        self, served: ServedRelease, predictor: Predictor, report: Report, tick: Callable[[], None] = _nothing
    ) -> None:
        self._served, self._predictor, self.report, self.tick = served, predictor, report, tick

    def warm(self) -> None:
        """Load the release before the first call; without a usable one the function starts all the same."""
        try:
            self._served.get()
        except NoRelease:
            return
        except ReleaseError as error:
            self.report(f"release refused: {error}", "")

    def predict(self, call: Call) -> dict[str, Any]:
        """`POST /v1/predictions`."""
        call.require("predict")
        request = read_request(call)
        if request.explain:
            call.require("explain")
        return self._predictor.predict(self._served.get(), request).document()

    def releases(self, call: Call) -> dict[str, Any]:
        """`GET /v1/releases`."""
        call.require("predict")
        release = self._served.get()
        return {
            "champion": {
                "release": release.name,
                "sha256": release.sha256,
                "created": release.manifest.created,
                "features": [feature.name for feature in release.contract.features],
            },
            "versions": self._served.versions(),
        }

    def health(self, _call: Call) -> dict[str, Any]:
        """`GET /v1/health`: the function runs; says whether a release is loaded."""
        try:
            return {"status": "ok", "release": self._served.get().name}
        except NoRelease:
            return {"status": "waiting for a release", "release": None}
        except ReleaseError as error:
            self.report(f"release refused: {error}", "")
            return {"status": "the release was refused", "release": None}


def read_request(call: Call) -> PredictionRequest:
    """Read the body of a prediction request.

    Raises:
        BadRequest: it is too large, no JSON, or of another shape; says what is wrong.
    """
    document = call.document(BODY_LIMIT)
    only(document, _KNOWN)
    explain = document.get("explain", False)
    if not isinstance(explain, bool):
        raise BadShape("`explain` must be true or false")
    overrides = feature_values(document.get("features", {}))
    return PredictionRequest(call.client, entity_id_of(document.get("entity_id")), overrides, explain)
