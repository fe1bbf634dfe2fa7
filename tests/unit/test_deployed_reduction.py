"""The rule that makes templates smaller for an emulator: nothing dangles, nothing is touched, nothing is silent."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.deployed.reduction import Left, Template, UnreadableReference, reduce, references

UNKNOWN, KNOWN = "AWS::Un::Known", "AWS::Is::Known"


def resource(kind: str = KNOWN, **more: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": more.pop("properties", {}), **more}


def template(resources: dict[str, Any], **outputs: Any) -> Template:
    return {"Description": "d", "Resources": resources, "Outputs": outputs}


def export(name: str, value: Any) -> dict[str, Any]:
    return {"Value": value, "Export": {"Name": name}}


@pytest.mark.parametrize(
    "reference",
    [
        {"Ref": "Gone"},
        {"Fn::GetAtt": ["Gone", "Arn"]},
        {"Fn::GetAtt": "Gone.Arn"},
        {"Fn::Sub": "arn:${Gone.Arn}/*"},
        {"Fn::Sub": ["${Named}", {"Named": {"Ref": "Gone"}}]},
        {"Fn::Join": ["", ["a", {"Ref": "Gone"}]]},
        {"Fn::ImportValue": "told"},
    ],
)
def test_whatever_names_it_is_left_out_too(reference: dict[str, Any]) -> None:
    needs = resource(properties={"Deep": [{"In": reference}]})
    further = resource(properties={"Of": {"Ref": "Needs"}})
    first = template({"Gone": resource(UNKNOWN), "Kept": resource()}, told=export("told", {"Ref": "Gone"}))
    there = {"Needs": needs, "Further": further}
    imported = "Fn::ImportValue" in reference
    whole = {"first": first, "second": template(there if imported else {"Other": resource()})}
    if not imported:
        first["Resources"].update(there)
    stack, named = ("second", "first/Gone") if imported else ("first", "Gone")
    reduced = reduce(whole, {UNKNOWN}, (), {})
    assert set(reduced.left) == {
        Left("first", "Gone", UNKNOWN),
        Left(stack, "Needs", KNOWN, needs=named),
        Left(stack, "Further", KNOWN, needs="Needs"),
    }
    assert reduced.templates["first"]["Resources"] == {"Kept": resource()}
    assert reduced.templates["first"]["Outputs"] == {}


@pytest.mark.parametrize("text", ["${!Gone}", "${AWS::Region} Gone", "Gone", "${Named}"])
def test_what_only_looks_like_its_name_is_no_reference(text: str) -> None:
    kept = resource(properties={"Text": {"Fn::Sub": [text, {"Named": "x"}]}, "Gone": "Gone"})
    reduced = reduce({"one": template({"Gone": resource(UNKNOWN), "Kept": kept})}, {UNKNOWN}, (), {})
    assert reduced.templates["one"]["Resources"] == {"Kept": kept}


def test_what_waits_stays_and_waits_no_more() -> None:
    resources = {
        "Gone": resource(UNKNOWN),
        "One": resource(DependsOn="Gone", UpdatePolicy={"Shift": {"Group": {"Ref": "Gone"}}}),
        "Two": resource(DependsOn=["Gone", "One"], UpdatePolicy={"By": {"Ref": "One"}}),
    }
    reduced = reduce({"one": template(resources)}, {UNKNOWN}, (), {})
    by = {"By": {"Ref": "One"}}
    assert reduced.templates["one"]["Resources"] == {
        "One": resource(),
        "Two": resource(DependsOn=["One"], UpdatePolicy=by),
    }


def test_a_refused_property_leaves_out_those_that_have_it() -> None:
    resources = {"Has": resource(properties={"Bad": 1, "Good": 1}), "HasNot": resource(properties={"Good": 1})}
    reduced = reduce({"one": template(resources)}, (), {(KNOWN, "Bad")}, {})
    assert reduced.left == (Left("one", "Has", KNOWN, refused="Bad"),)


def test_a_stand_in_answers_for_what_is_left_out_and_for_what_is_not() -> None:
    given_in_place = {(UNKNOWN, "Endpoint"): "there", (UNKNOWN, "Ref"): "named", (KNOWN, "Port"): "1"}
    asks = {"Host": {"Fn::GetAtt": ["Gone", "Endpoint"]}, "Name": {"Ref": "Gone"}, "Port": {"Fn::GetAtt": "Kept.Port"}}
    resources = {"Gone": resource(UNKNOWN), "Kept": resource(), "Asks": resource(properties=asks)}
    first = template(resources, told=export("told", {"Fn::GetAtt": ["Gone", "Endpoint"]}))
    imports = template({"Imports": resource(properties={"Host": {"Fn::ImportValue": "told"}})})
    reduced = reduce({"first": first, "second": imports}, {UNKNOWN}, (), given_in_place)
    assert reduced.left == (Left("first", "Gone", UNKNOWN),)
    made = reduced.templates["first"]
    assert made["Resources"]["Asks"]["Properties"] == {"Host": "there", "Name": "named", "Port": "1"}
    assert made["Outputs"]["told"]["Value"] == "there"
    assert reduced.templates["second"] == imports
    without = reduce({"first": first, "second": imports}, {UNKNOWN}, (), {(UNKNOWN, "Ref"): "named"})
    assert {one.logical_id for one in without.left} == {"Gone", "Asks", "Imports"}


def test_references_that_cannot_be_read_are_no_guess() -> None:
    with pytest.raises(UnreadableReference, match="one imports nowhere"):
        reduce({"one": template({"A": resource(properties={"B": {"Fn::ImportValue": "nowhere"}})})}, (), (), {})
    with pytest.raises(UnreadableReference, match="names nothing by a text"):
        list(references({"Fn::ImportValue": {"Fn::Sub": "x"}}))


NAMES = [f"R{number}" for number in range(8)]


@st.composite
def stages(draw: st.DrawFn) -> dict[str, Template]:
    """Return two stacks whose resources name each other, the second's also the first's."""
    outputs = {f"O{name}": export(f"first:{name}", {"Ref": name}) for name in NAMES}
    made = {}
    for stack in ("first", "second"):
        resources = {}
        for name in NAMES:
            refs: list[dict[str, str]] = [
                {"Ref": other} for other in draw(st.lists(st.sampled_from(NAMES), max_size=2))
            ]
            if stack == "second":
                refs += [{"Fn::ImportValue": f"first:{n}"} for n in draw(st.lists(st.sampled_from(NAMES), max_size=1))]
            kind = draw(st.sampled_from([KNOWN, KNOWN, KNOWN, UNKNOWN]))
            resources[name] = resource(kind, properties={"Refs": refs}, DependsOn=draw(st.sampled_from(NAMES)))
        made[stack] = template(resources, **(outputs if stack == "first" else {}))
    return made


@given(stages())
def test_nothing_dangles_nothing_is_touched_and_nothing_is_silent(whole: dict[str, Template]) -> None:
    before = copy.deepcopy(whole)
    reduced = reduce(whole, {UNKNOWN}, (), {})
    assert whole == before
    exports = {out["Export"]["Name"] for out in reduced.templates["first"]["Outputs"].values()}
    for stack, made in reduced.templates.items():
        kept, left = made["Resources"], {one.logical_id for one in reduced.left if one.stack == stack}
        assert kept.keys() | left == whole[stack]["Resources"].keys()
        assert kept.keys().isdisjoint(left)
        for name, one in kept.items():
            assert one["Properties"] == whole[stack]["Resources"][name]["Properties"]
            assert set(one.get("DependsOn", [])) <= kept.keys()
            for kind, named in references(one["Properties"]):
                assert named in (exports if kind == "Fn::ImportValue" else kept)
    assert reduce(reduced.templates, {UNKNOWN}, (), {}).left == ()
