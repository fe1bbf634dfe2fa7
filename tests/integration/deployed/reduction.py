"""The rule by which a stage's templates are made smaller until an emulator can take them.

Left out is a resource whose type the emulator does not know, or a property of which it refuses, and whatever needs one
that is left out: its properties name it, in the same template or by an import. What only waits for it (`DependsOn`) or
is updated by it (`UpdatePolicy`) stays without that. Everything else stays as it is: logical ids, properties, outputs.
What a stand-in outside the templates gives in place of a resource is written where the resource's attribute was asked
for, and does not count as needing it.
"""

import copy
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Template = dict[str, Any]
StandIns = Mapping[tuple[str, str], str]
"""What stands in for an attribute: its value by the resource's type and the attribute's name; `Ref` names itself."""

Refused = Collection[tuple[str, str]]
"""What an emulator refuses of types that it knows: the type and the property."""

_PLACE = re.compile(r"\$\{(!?)([^}]+)\}")
_WAITING = ("DependsOn", "UpdatePolicy", "CreationPolicy")
"""Attributes of a resource that say when or how, not what."""


@dataclass(frozen=True, order=True)
class Left:
    """A resource that is left out.

    Attributes:
        stack: its stack's short name.
        logical_id: of the resource.
        type: of the resource.
        refused: the property that is refused; empty where it is another reason.
        needs: the logical id, with its stack where that is another, of what it needs and is left out; empty where it
            is another reason. With neither, the type is not known.
    """

    stack: str
    logical_id: str
    type: str
    refused: str = ""
    needs: str = ""


@dataclass(frozen=True)
class Reduced:
    """What came of it.

    Attributes:
        templates: by the stack's short name, without what is left out.
        left: every resource that is left out, in order.
    """

    templates: Mapping[str, Template]
    left: tuple[Left, ...]


class UnreadableReference(ValueError):
    """A reference of a form that this rule does not know: leaving out by it would be guessing."""


def reduce(
    templates: Mapping[str, Template], unknown: Collection[str], refused: Refused, stand_ins: StandIns
) -> Reduced:
    """Return the templates of a stage without what an emulator cannot take.

    Args:
        templates: by the stack's short name.
        unknown: types that the emulator does not know.
        refused: see `Refused`.
        stand_ins: see `StandIns`.

    Raises:
        UnreadableReference: names the stack and what it says.
    """
    answered = {stack: _answered(template, stand_ins) for stack, template in templates.items()}
    exports = {name: place for stack, template in answered.items() for name, place in _exports(stack, template)}
    left: dict[tuple[str, str], Left] = {}
    for stack, logical_id, resource in _resources(answered):
        kind = resource["Type"]
        properties = [name for name in resource.get("Properties", {}) if (kind, name) in refused]
        if kind in unknown:
            left[stack, logical_id] = Left(stack, logical_id, kind)
        elif properties:
            left[stack, logical_id] = Left(stack, logical_id, kind, refused=properties[0])
    while more := _dependent(answered, exports, left):
        left.update(more)
    return Reduced({stack: _without(stack, template, left) for stack, template in answered.items()}, _ordered(left))


def _ordered(left: Mapping[tuple[str, str], Left]) -> tuple[Left, ...]:
    return tuple(sorted(left.values()))


def _resources(templates: Mapping[str, Template]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for stack, template in templates.items():
        for logical_id, resource in template["Resources"].items():
            yield stack, logical_id, resource


def _dependent(
    templates: Mapping[str, Template], exports: Mapping[str, tuple[str, Any]], left: Mapping[tuple[str, str], Left]
) -> dict[tuple[str, str], Left]:
    """Return what needs something that is left out, and is not yet."""
    found = {}
    for stack, logical_id, resource in _resources(templates):
        if (stack, logical_id) in left:
            continue
        for place in _needed(stack, resource.get("Properties", {}), exports):
            if place in left:
                name = place[1] if place[0] == stack else "/".join(place)
                found[stack, logical_id] = Left(stack, logical_id, resource["Type"], needs=name)
                break
    return found


def _needed(stack: str, value: Any, exports: Mapping[str, tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield where each reference leads: the stack and the logical id (or a parameter's name, which is no resource)."""
    for kind, name in references(value):
        if kind != "Fn::ImportValue":
            yield stack, name
            continue
        if name not in exports:
            raise UnreadableReference(f"{stack} imports {name}, which no stack of the stage exports")
        yield from _needed(*exports[name], exports)


def _exports(stack: str, template: Template) -> Iterator[tuple[str, tuple[str, Any]]]:
    for output in template.get("Outputs", {}).values():
        if "Export" in output:
            yield output["Export"]["Name"], (stack, output["Value"])


def references(value: Any) -> Iterator[tuple[str, str]]:
    """Yield each reference in a value: the intrinsic, and whom or which export it names.

    Raises:
        UnreadableReference: an import, or an attribute's owner, is not named by a text.
    """
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, dict):
        for key, given in value.items():
            if key in {"Ref", "Fn::ImportValue"} and len(value) == 1:
                yield key, _named(given)
            elif key == "Fn::GetAtt" and len(value) == 1:
                yield key, _named(given).split(".")[0]
            elif key == "Fn::Sub" and len(value) == 1:
                yield from _substituted(given)
            else:
                yield from references(given)


def _named(given: Any) -> str:
    named = given[0] if isinstance(given, list) else given
    if not isinstance(named, str):
        raise UnreadableReference(f"{given} names nothing by a text")
    return named


def _substituted(given: Any) -> Iterator[tuple[str, str]]:
    text, names = (given, {}) if isinstance(given, str) else given
    for literal, name in _PLACE.findall(text):
        if not literal and name not in names:
            yield "Fn::Sub", name.split(".")[0]
    yield from references(list(names.values()))


def _answered(template: Template, stand_ins: StandIns) -> Template:
    """Return a template in which whatever asks a stand-in has its answer."""
    types = {logical_id: resource["Type"] for logical_id, resource in template["Resources"].items()}

    def answer(value: Any) -> Any:
        if isinstance(value, list):
            return [answer(one) for one in value]
        if not isinstance(value, dict):
            return value
        asked = _asked(value)
        if asked is not None and (types.get(asked[0], ""), asked[1]) in stand_ins:
            return stand_ins[types[asked[0]], asked[1]]
        return {key: answer(one) for key, one in value.items()}

    answered: Template = answer(template)
    return answered


def _asked(value: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return which resource's attribute is asked for; None where none is."""
    if set(value) == {"Ref"}:
        return value["Ref"], "Ref"
    if set(value) == {"Fn::GetAtt"}:
        given = value["Fn::GetAtt"]
        name, attribute = given.split(".", 1) if isinstance(given, str) else given
        return name, attribute
    return None


def _without(stack: str, template: Template, left: Mapping[tuple[str, str], Left]) -> Template:
    """Return a template without what is left out, without outputs that told of it, and with nothing that waits for it.

    An output that another stack imports goes only with all who import it: they need what it tells of.
    """
    gone = {logical_id for of, logical_id in left if of == stack}
    made = copy.deepcopy(template)
    for name in gone:
        del made["Resources"][name]
    made["Outputs"] = {
        name: output for name, output in made.get("Outputs", {}).items() if not _names(output["Value"], gone)
    }
    for resource in made["Resources"].values():
        _wait_for_none(resource, gone)
    return made


def _wait_for_none(resource: dict[str, Any], gone: Collection[str]) -> None:
    for attribute in _WAITING:
        said = resource.get(attribute)
        if attribute == "DependsOn" and said is not None:
            waits = [name for name in ([said] if isinstance(said, str) else said) if name not in gone]
            if waits:
                resource[attribute] = waits
            else:
                del resource[attribute]
        elif said is not None and _names(said, gone):
            del resource[attribute]


def _names(value: Any, gone: Collection[str]) -> bool:
    return any(kind != "Fn::ImportValue" and name in gone for kind, name in references(value))
