"""What calls answer, typed; what a newer server says beyond it is kept in `document`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ebb.client.errors import CallFailed, OddAnswer
from ebb.client.problems import failure_of_item


@dataclass(frozen=True)
class Reason:
    """One feature's signed share of the difference to the reference score.

    Attributes:
        feature: its name.
        contribution: in probability; positive raises the score.
        text: for people; empty where the server has none.
    """

    feature: str
    contribution: float
    text: str = ""


@dataclass(frozen=True)
class Prediction:
    """One scored entity.

    Attributes:
        prediction_id: names the prediction event.
        entity_id: who was scored.
        probability: of the positive class.
        decision: `act` or `hold`.
        threshold: the probability at and above which acting pays.
        expected_profit: of acting, in `currency`.
        release: the release, as CONTRACT/VERSION, that answered; None where the rules did.
        rules_version: the rules that answered; None where a release did.
        variant: `champion`, `challenger`, `cheap` or `rules`.
        degraded: whether the rules answered.
        degraded_because: why.
        tier: where stored values came from.
        stale: features older than their `max_age`.
        reasons: the largest contribution first; None where they were not asked for.
        document: the whole answer.
    """

    prediction_id: str
    entity_id: str
    probability: float
    decision: str
    threshold: float
    expected_profit: float
    currency: str
    release: str | None
    rules_version: str | None
    variant: str
    degraded: bool
    degraded_because: tuple[str, ...]
    tier: str
    stale: tuple[str, ...]
    reasons: tuple[Reason, ...] | None
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Written:
    """What a write of features did.

    Attributes:
        written: values of one entity, or entities of a batch, that are now the newest.
        not_written: entities of a batch whose values were older than their erasure.
        note: why something was not written.
    """

    written: int
    not_written: int = 0
    note: str = ""


@dataclass(frozen=True)
class Erasure:
    """What an erasure did.

    Attributes:
        entity_id: who was erased.
        erased_at: epoch seconds; no event up to then is ever held again.
        pending: whether the fast tier is still to be told.
        caches_clear_at: epoch seconds by when every cache has forgotten; None while `pending`.
    """

    entity_id: str
    erased_at: float
    pending: bool
    caches_clear_at: float | None


@dataclass(frozen=True)
class SubjectExport:
    """Everything that is held of one subject, or one part of it.

    Attributes:
        entity_id: who.
        exported_at: epoch seconds.
        history_next: the `history_from` of the next part; None after the last.
        document: the whole answer.
    """

    entity_id: str
    exported_at: float
    history_next: int | None
    document: Mapping[str, Any]


def read_prediction(document: Any, _request_id: str = "") -> Prediction:
    """Read the answer of `POST /v1/predictions`.

    Raises:
        OddAnswer: it is none; so for every reader here.
    """
    try:
        reasons = document.get("reasons")
        return Prediction(
            **{name: document[name] for name in _PLAIN},
            probability=float(document["probability"]),
            degraded_because=tuple(document["degraded_because"]),
            tier=document["features"]["tier"],
            stale=tuple(document["features"]["stale"]),
            reasons=None if reasons is None else tuple(_reason(each) for each in reasons),
            document=document,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _odd("prediction", error) from None


_PLAIN = (
    *("prediction_id", "entity_id", "decision", "threshold", "expected_profit", "currency"),
    *("release", "rules_version", "variant", "degraded"),
)


def read_predictions(document: Any, request_id: str) -> list[Prediction | CallFailed]:
    """Read the answer of `POST /v1/predictions/batch`: a prediction for each item, or the exception in its place."""
    try:
        return [
            read_prediction(item) if "probability" in item else failure_of_item(item["error"], request_id)
            for item in document["predictions"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise _odd("batch of predictions", error) from None


def read_written(document: Any, _request_id: str = "") -> Written:
    """Read the answer of a write of features."""
    try:
        return Written(int(document["written"]), int(document.get("not_written", 0)), document.get("note", ""))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _odd("write", error) from None


def read_erasure(document: Any, _request_id: str = "") -> Erasure:
    """Read the answer of `DELETE /v1/subjects/{entity_id}`."""
    try:
        erased_at = float(document["erased_at"])
        pending = document["fast_tier"] == "pending"
        return Erasure(document["entity_id"], erased_at, pending, document["caches_clear_at"])
    except (KeyError, TypeError, ValueError) as error:
        raise _odd("erasure", error) from None


def read_export(document: Any, _request_id: str = "") -> SubjectExport:
    """Read the answer of `GET /v1/subjects/{entity_id}`."""
    try:
        return SubjectExport(document["entity_id"], float(document["exported_at"]), document["history_next"], document)
    except (KeyError, TypeError, ValueError) as error:
        raise _odd("export", error) from None


def _reason(item: Mapping[str, Any]) -> Reason:
    return Reason(item["feature"], float(item["contribution"]), item.get("text") or "")


def _odd(what: str, error: Exception) -> OddAnswer:
    missing = f": it lacks {error}" if isinstance(error, KeyError) else ""
    return OddAnswer(f"what came as the answer of a {what} is none{missing}")
