"""What `ebb ... --stage` reads of a stage: where it is, where tokens are had, which clients there are; no secret."""

import json

import pytest

from cdk.stages import CLIENTS, STAGES
from local.calling.entrance import LOAD, ROUTE, SCORE, SUBJECT
from tests.stacks.conftest import Synthesized

READ = {"Address", "TokenUrl", "UserPoolId"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_says_where_it_is_and_who_may_call(synthesized: Synthesized, stage: str) -> None:
    template = synthesized.templates[stage]["inference"]
    outputs = template["Outputs"]
    assert READ | {f"Client{client.name.capitalize()}" for client in CLIENTS} <= outputs.keys()
    assert {f"Client{purpose.program.capitalize()}" for purpose in (SCORE, LOAD, SUBJECT, ROUTE)} <= outputs.keys()
    pool = outputs["UserPoolId"]["Value"]["Ref"]
    assert template["Resources"][pool]["Type"] == "AWS::Cognito::UserPool"
    for client in CLIENTS:
        named = template["Resources"][outputs[f"Client{client.name.capitalize()}"]["Value"]["Ref"]]
        assert named["Type"] == "AWS::Cognito::UserPoolClient"
        scopes = {each["Fn::Join"][1][-1] for each in named["Properties"]["AllowedOAuthScopes"]}
        assert scopes == {f"/{scope}" for scope in client.scopes}
    joined = "".join(each for each in outputs["TokenUrl"]["Value"]["Fn::Join"][1] if isinstance(each, str))
    assert joined.startswith("https://")
    assert joined.endswith(".amazoncognito.com/oauth2/token")
    assert "ClientSecret" not in json.dumps(template)
