"""Every route of the prediction function, from a call to a document; both doors lead here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ebb.contract.model import Contract
from ebb.errors import EbbError, NoRelease, ReleaseError, TooLarge
from ebb.http import scopes
from ebb.http.calls import Call
from ebb.http.compression import compressed
from ebb.http.doors import Report, Route
from ebb.http.problems import Answer, ok, problem_document
from ebb.serving.serving import Serving
from lambdas.predict.logic import Predictor
from lambdas.predict.prediction import Prediction
from lambdas.predict.request import Item, read_batch, read_one
from lambdas.predict.variant import Variant

_FITS = 6_000_000
"""Bytes of a body as Lambda takes it, a text within JSON; its own limit, 6 MiB and 100 bytes, counts the rest too."""

_ALWAYS_FITS = _FITS // 2
_NONE: Mapping[str, Route] = MappingProxyType({})


def _nothing() -> None:
    """Measure nothing."""


class PredictService:
    """The routes of the prediction function.

    Args:
        serving: the releases.
        predictor: scores with them.
        report: takes what happened and a correlation id, for the log.
        tick: called after each answer, for the metrics.
        failed: called for each answer with a status of 500 or more.
        direct: what is answered to who invokes the function past the gateway, by the key of its route.
    """

    def __init__(
        self,
        serving: Serving[Variant],
        predictor: Predictor,
        report: Report,
        tick: Callable[[], None] = _nothing,
        *,
        failed: Callable[[], None] = _nothing,
        direct: Mapping[str, Route] = _NONE,
    ) -> None:
        self._serving, self._predictor, self.report, self.tick = serving, predictor, report, tick
        self.failed, self.direct = failed, direct

    def warm(self) -> None:
        """Load the releases before the first call; without a usable one the function starts all the same."""
        try:
            self._serving.now()
        except NoRelease:
            return
        except EbbError as error:
            self.report(f"nothing can be served yet: {error}", "")

    def predict(self, call: Call) -> dict[str, Any]:
        """`POST /v1/predictions`."""
        call.require(scopes.PREDICT)
        return self._predictor.predict(*read_one(call)).document()

    def predict_batch(self, call: Call) -> Answer:
        """`POST /v1/predictions/batch`: up to 1,000 entities, each with its answer or the problem in its place.

        The answer is compressed where the caller takes that.

        Raises:
            TooLarge: a function could not hand on so large an answer, which a gateway would call an error of its own.
        """
        call.require(scopes.PREDICT)
        asked, items = read_batch(call)
        answers: list[Prediction | EbbError] = [item for item in items if isinstance(item, EbbError)]
        readable = [item for item in items if isinstance(item, Item)]
        if readable:
            scored = iter(self._predictor.predict_many(asked, readable))
            answers = [next(scored) if isinstance(item, Item) else item for item in items]
        else:
            self._predictor.admit(call.client, len(items))
        documents = [_document(item, answer, call) for item, answer in zip(items, answers, strict=True)]
        failed = sum(isinstance(answer, EbbError) for answer in answers)
        told = ok({"predictions": documents, "failed": failed}, call.correlation_id)
        packed = compressed(told, call.headers)
        if packed is told and _too_large(told.body):
            raise TooLarge(f"the answers of {len(items):,} entities do not fit into one: ask for fewer at once")
        return packed

    def releases(self, call: Call) -> dict[str, Any]:
        """`GET /v1/releases`: what serves, in which role, and what lies in the store."""
        call.require(scopes.PREDICT)
        self._predictor.admit(call.client)
        routed = self._serving.now()
        table, champion = routed.table, routed.champion
        release = champion.release
        return {
            "champion": {
                "release": champion.name,
                "sha256": champion.sha256,
                "created": release.manifest.created if release else None,
                "features": [feature.name for feature in champion.contract.features],
            },
            "challengers": [{"release": c.release, "weight": c.weight} for c in table.challengers],
            "cheap": {"release": table.cheap.release, "weight": table.cheap.weight} if table.cheap else None,
            "shadow": {"release": table.shadow.release} if table.shadow else None,
            "previous": table.previous,
            "routing": table.version,
            "missing": sorted(routed.missing),
            "versions": self._serving.versions(),
        }

    def contract(self) -> Contract | None:
        """Return the champion's contract, for the description of the API; None where nothing can be served."""
        try:
            return self._serving.now().champion.contract
        except EbbError:
            return None

    def health(self, _call: Call) -> dict[str, Any]:
        """`GET /v1/health`: the function runs; says which release is loaded."""
        try:
            champion = self._serving.now().champion
        except NoRelease:
            return {"status": "waiting for a release", "release": None}
        except ReleaseError as error:
            self.report(f"release refused: {error}", "")
            return {"status": "the release was refused", "release": None}
        if champion.release is None:
            return {"status": "the release was refused, its rules answer", "release": None}
        return {"status": "ok", "release": champion.name}


def _too_large(body: bytes) -> bool:
    return len(body) > _ALWAYS_FITS and len(body) + body.count(b'"') + body.count(b"\\") > _FITS


def _document(item: Item | EbbError, answer: Prediction | EbbError, call: Call) -> dict[str, Any]:
    if isinstance(answer, Prediction):
        return answer.document(provenance=False)
    entity_id = item.entity_id if isinstance(item, Item) else None
    return {"entity_id": entity_id, "error": problem_document(answer, call.correlation_id)}
