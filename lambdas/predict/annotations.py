"""What a trace says of a prediction: which release answered, and from what; never whom, and no value."""

from collections.abc import Mapping
from typing import Any

import orjson

from ebb.trace import Annotation


def annotations(answer: Mapping[str, Any]) -> dict[str, Annotation]:
    """Read annotations off an answer as the gateway gets it; a problem, and what is no prediction, has none.

    Raises:
        KeyError, ValueError: it is none of this function's.
    """
    document = orjson.loads(answer["body"])
    if "predictions" in document:
        predictions = [one for one in document["predictions"] if "error" not in one]
        return {
            "entities": len(document["predictions"]),
            "failed": document["failed"],
            "degraded": any(one["degraded"] for one in predictions),
        }
    if "prediction_id" not in document:
        return {}
    told: dict[str, Annotation] = {
        "variant": document["variant"],
        "degraded": document["degraded"],
        "tier": document["features"]["tier"],
    }
    if document["release"] is not None:
        told["release"] = document["release"]
    return told
