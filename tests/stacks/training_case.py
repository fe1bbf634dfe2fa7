"""What a template says of training, as plain values."""

from typing import Any

from tests.stacks.conftest import Synthesized, Template


def only(synthesized: Synthesized, stage: str, kind: str) -> dict[str, Any]:
    """Return the properties of the one resource of a type."""
    (found,) = synthesized.resources(stage, "training", kind).values()
    return dict(found["Properties"])


def bucket(synthesized: Synthesized, stage: str, name: str) -> Template:
    """Return a bucket's properties."""
    found = synthesized.resources(stage, "training", "AWS::S3::Bucket")
    (one,) = [resource for logical, resource in found.items() if logical.startswith(name)]
    return dict(one["Properties"])


def outputs(synthesized: Synthesized, stage: str) -> dict[str, Any]:
    """Return what the stack tells, without what other stacks import."""
    told = synthesized.templates[stage]["training"]["Outputs"]
    return {name: output["Value"] for name, output in told.items() if not name.startswith("Export")}


def text_of(value: Any) -> str:
    """Return a value with each reference as its name."""
    match value:
        case {"Fn::Join": [mark, parts]}:
            return str(mark).join(text_of(part) for part in parts)
        case {"Fn::Select": [place, {"Fn::Split": [_, {"Fn::GetAtt": _}]}]}:
            return {4: "123456789012", 3: "us-east-1"}[int(place)]
        case {"Ref": "AWS::URLSuffix"}:
            return "amazonaws.com"
        case {"Ref": name}:
            return str(name)
        case {"Fn::GetAtt": [name, _]}:
            return str(name)
        case _:
            return str(value)
