"""The resolver: references become symbols, the same thing is the same text, and what is unknown fails."""

from typing import Any

import pytest

from tests.stacks.references import References, UnknownReference, readable

BUCKET = "arn:aws:s3:::<one.Bucket>"
TEMPLATES: dict[str, dict[str, Any]] = {
    "one": {
        "Resources": {
            "Bucket0123ABCD": {"Type": "AWS::S3::Bucket"},
            "Proxy89ABCDEF": {"Type": "AWS::RDS::DBProxy"},
            "Call01234567": {"Type": "AWS::Lambda::Function"},
            "Live01234567": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "Call01234567"}}},
            "Odd01234567": {"Type": "AWS::Odd::Thing"},
        },
        "Outputs": {
            "A": {"Value": {"Fn::GetAtt": ["Bucket0123ABCD", "Arn"]}, "Export": {"Name": "one:bucket"}},
            "B": {"Value": "not exported"},
        },
    },
    "other": {"Resources": {}},
}


def resolve(value: Any, stack: str = "one") -> Any:
    return References(TEMPLATES, "eu-west-1").resolve(stack, value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (7, 7),
        ({"Ref": "Bucket0123ABCD"}, "<one.Bucket>"),
        ({"Fn::GetAtt": ["Bucket0123ABCD", "Arn"]}, BUCKET),
        ({"Fn::GetAtt": "Bucket0123ABCD.Arn"}, BUCKET),
        ({"Fn::GetAtt": ["Bucket0123ABCD", "DomainName"]}, "<one.Bucket.DomainName>"),
        ({"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::", {"Ref": "Bucket0123ABCD"}]]}, BUCKET),
        ({"Fn::Sub": "arn:${AWS::Partition}:s3:::${Bucket0123ABCD}"}, BUCKET),
        ({"Fn::Sub": ["${Name}/${!kept}/${Bucket0123ABCD.Arn}", {"Name": "x"}]}, f"x/${{kept}}/{BUCKET}"),
        ({"Fn::ImportValue": "one:bucket"}, BUCKET),
        ({"Fn::Select": [1, {"Fn::Split": [":", "a:b:c"]}]}, "b"),
        (
            {"Fn::Select": [6, {"Fn::Split": [":", {"Fn::GetAtt": ["Proxy89ABCDEF", "DBProxyArn"]}]}]},
            "<one.Proxy>",
        ),
        ({"Ref": "Live01234567"}, "arn:aws:lambda:eu-west-1:<account>:function:<one.Call>:live"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Key": [{"Ref": "AWS::AccountId"}]}, {"Key": ["<account>"]}),
    ],
)
def test_references_are_resolved(value: Any, expected: Any) -> None:
    assert resolve(value) == expected


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"Fn::Base64": "text"}, "Fn::Base64"),
        ({"Fn::If": ["A", "b", "c"]}, "Fn::If"),
        ({"Ref": "Nobody"}, "Nobody is no resource"),
        ({"Ref": "AWS::NotificationARNs"}, "no pseudo parameter"),
        ({"Fn::GetAtt": ["Odd01234567", "Arn"]}, "AWS::Odd::Thing is not known here"),
        ({"Fn::ImportValue": "nobody:exports"}, "no stack of the stage exports"),
        ({"Fn::Join": ["", "text"]}, "is no list"),
        ({"Fn::Split": [".", {"Ref": "Bucket0123ABCD"}]}, "would cut a symbol"),
    ],
)
def test_what_is_unknown_fails(value: Any, told: str) -> None:
    with pytest.raises(UnknownReference, match=told):
        resolve(value)


def test_an_unexported_output_is_no_import() -> None:
    with pytest.raises(UnknownReference):
        resolve({"Fn::ImportValue": "B"}, "other")


def test_names_are_short_where_they_stay_different() -> None:
    versions = ["CurrentVersion0123ABCD" + "0" * 32, "Key0123ABCD", "Key4567ABCD", "Plain", "DEADBEEF"]
    assert readable(dict.fromkeys(versions)) == {
        versions[0]: "CurrentVersion",
        "Key0123ABCD": "Key0123ABCD",
        "Key4567ABCD": "Key4567ABCD",
        "Plain": "Plain",
        "DEADBEEF": "DEADBEEF",
    }
