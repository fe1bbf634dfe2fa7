"""A contract's features as JSON Schema, for the description of the API."""

from typing import Any

from ebb.contract.model import Contract, Feature, Kind, Unseen
from ebb.features.values import LONGEST_CATEGORY

_SHOWN = 20
"""Categories that are named as examples, where others are scored too."""

_ANY: dict[str, Any] = {"type": ["number", "integer", "boolean", "string", "null"]}


def features_schema(contract: Contract | None) -> dict[str, Any]:
    """Return the schema of `features`: those of the contract, beside which a release under way may know others.

    Args:
        contract: the champion's; None where there is none yet.
    """
    schema: dict[str, Any] = {
        "type": "object",
        "title": "Features",
        "description": "Values by feature name; what the served contract knows",
        "additionalProperties": _ANY,
    }
    if contract is not None:
        schema["properties"] = {feature.name: feature_schema(feature) for feature in contract.features}
    return schema


def feature_schema(feature: Feature) -> dict[str, Any]:
    """Return the schema of one feature's values; whatever fits it is accepted, rounding and overflow apart."""
    schema = _kind(feature)
    if feature.missing:
        schema = {"anyOf": [schema, {"type": "null"}]}
    told = " ".join(filter(None, (feature.description, f"({feature.unit})" if feature.unit else "")))
    return {**schema, **({"description": told} if told else {})}


def _kind(feature: Feature) -> dict[str, Any]:
    if feature.kind is Kind.FLAG:
        return {"enum": [True, False, 1, 0]}
    if feature.kind is Kind.CATEGORY:
        if feature.unseen is Unseen.REFUSE:
            return {"type": "string", "enum": list(feature.categories)}
        shown = list(feature.categories[:_SHOWN])
        text = {"type": "string", "minLength": 1, "maxLength": LONGEST_CATEGORY}
        return {**text, **({"examples": shown} if shown else {})}
    bounds = {"minimum": feature.minimum, "maximum": feature.maximum}
    kept = {name: bound for name, bound in bounds.items() if bound is not None}
    return {"type": "integer" if feature.kind is Kind.INTEGER else "number", **kept}
