"""Where a stage is found and how it is entered: what the environment may say, and what goes wrong as a sentence."""

import pytest

from cdk.stages import CLIENTS, STAGES
from ebb.client import ClientCredentials, errors
from ebb.errors import EbbError, Misuse, Unavailable
from local.calling import caller_of, stage
from local.calling.entrance import LOAD, ROUTE, SCORE, SUBJECT, Purpose
from local.calling.local_cloud import LocalCloud
from local.calling.sentences import Refused, sentence_of
from local.calling.stage import COGNITO_PREFIX, StageEntrance

URL = "https://scores.example.com"
OWN = {
    "EBB_STAGE_URL": URL,
    "EBB_STAGE_TOKEN_URL": "https://issuer.example.com/token",
    "EBB_STAGE_CLIENT_ID": "me",
    "EBB_STAGE_CLIENT_SECRET": "s3cret-4711",
}


@pytest.mark.parametrize("purpose", [SCORE, LOAD, SUBJECT, ROUTE])
def test_every_purpose_has_a_client_on_every_stage_that_may_do_it(purpose: Purpose) -> None:
    allowed = {client.name: set(client.scopes) for client in CLIENTS}
    assert set(purpose.scopes) <= allowed[purpose.program]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_entered_where_its_values_say(name: str) -> None:
    entrance = StageEntrance.named(name, {})
    assert (entrance.region, entrance.told) == (STAGES[name].region, f"the stage {name!r}")


def test_cognito_writes_the_resource_servers_name_before_a_scope() -> None:
    from stacks.constructs.access import RESOURCE_SERVER  # noqa: PLC0415 - imports the CDK

    assert f"{RESOURCE_SERVER}/" == COGNITO_PREFIX


def test_an_unknown_stage_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(Misuse, match="there is no stage 'moon': choose one of dev, staging, prod"):
        caller_of("moon")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"EBB_STAGE_CLIENT_ID": "me"}, "EBB_STAGE_CLIENT_ID alone gets no token: set EBB_STAGE_TOKEN_URL, EBB_STAGE_"),
        ({**OWN, "EBB_STAGE_TOKEN": "t"}, "EBB_STAGE_TOKEN and EBB_STAGE_CLIENT_ID are two ways to a token"),
    ],
)
def test_ways_to_a_token_by_halves_or_twice_are_refused(given: dict[str, str], says: str) -> None:
    with pytest.raises(Misuse, match=says):
        StageEntrance.named("dev", given)


def test_the_environment_says_where_and_how_without_aws() -> None:
    entrance = StageEntrance.named("prod", {**OWN, "EBB_STAGE_SCOPE_PREFIX": "urn:"})
    assert entrance.address == URL
    credentials = entrance.credentials(ROUTE)
    assert (credentials.url, credentials.client_id, credentials.scopes) == (
        OWN["EBB_STAGE_TOKEN_URL"],
        "me",
        ("urn:admin",),
    )
    assert StageEntrance.named("prod", OWN).credentials(SUBJECT).scopes == ("subjects",)
    assert StageEntrance.named("prod", {"EBB_STAGE_TOKEN": "t"}).token(SCORE) == "t"
    assert "EBB_STAGE_URL" in entrance.hint


def test_no_secret_stands_in_what_is_printed_of_an_entrance() -> None:
    entrance = StageEntrance.named("prod", OWN)
    credentials = entrance.token(ROUTE)
    assert isinstance(credentials, ClientCredentials)
    assert "s3cret-4711" not in f"{entrance!r} {credentials!r} {entrance.told} {entrance.hint}"


STAGE = StageEntrance.named("dev", OWN)


@pytest.mark.parametrize(
    ("failure", "kind", "says"),
    [
        (errors.Unreachable("no connection"), Unavailable, f"the stage 'dev' at {URL} does not answer (no connection)"),
        (errors.DeadlineExceeded("no answer within 29 s"), Unavailable, "does not answer (no answer within 29 s)"),
        (errors.OddAnswer("the answer is not JSON", status=200), Unavailable, "is not Ebb's gateway"),
        (errors.TokenUnavailable("it is silent"), Unavailable, "Check the address of the token endpoint"),
        (
            errors.TokenUnavailable("answered 400 (invalid_scope)", status=400),
            Unavailable,
            "The client may not have the scope 'admin': use the client 'operating'",
        ),
        (
            errors.TokenUnavailable("answered 401 (invalid_client)", status=401),
            Unavailable,
            "The client 'operating' asked for the scope 'admin': check its id and its secret",
        ),
        (errors.Unauthorized("the gateway answered 401 Unauthorized", status=401), Refused, "does not take this token"),
        (
            errors.Forbidden("needs 'admin'", status=403, problem="not-allowed"),
            Refused,
            "403 needs 'admin'; the client",
        ),
        (errors.NotFound("the gateway answered 404 Not Found", status=404), Refused, "has no such route"),
        (errors.UnknownEntity("no features", status=404, problem="unknown-entity"), Refused, "404 no features"),
        (errors.Conflict("somebody was first", status=409, problem="conflict"), Refused, "409 somebody was first"),
        (
            errors.Unavailable("away", status=503, problem="unavailable", correlation_id="c1"),
            Refused,
            "503 away (correlation id c1, for the function's log)",
        ),
        (
            errors.Unavailable("none yet", status=503, problem="no-release", correlation_id="c1"),
            Refused,
            "503 none yet",
        ),
    ],
)
def test_a_failed_call_is_a_sentence_with_a_way_on(failure: errors.CallFailed, kind: type[EbbError], says: str) -> None:
    told = sentence_of(failure, STAGE, ROUTE)
    assert type(told) is kind
    assert says in str(told)
    if isinstance(told, Refused):
        assert (told.status, told.problem) == (failure.status, failure.problem)


def test_a_local_cloud_that_is_gone_says_where_to_look() -> None:
    told = sentence_of(errors.Unreachable("no connection"), LocalCloud("http://127.0.0.1:9"), ROUTE)
    assert str(told) == "the local cloud at http://127.0.0.1:9 does not answer (no connection): see `ebb status`"


def test_the_key_is_the_one_given_else_the_stage_s_own_where_it_has_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LocalCloud("http://127.0.0.1:1").key(SCORE) == ""
    assert StageEntrance.named("dev", {"EBB_STAGE_API_KEY": "k"}).key(SCORE) == "k"
    assert StageEntrance.named("dev", {"EBB_STAGE_URL": URL}).key(SCORE) == "", "AWS is not asked"
    told = {"Address": URL, "ScoringKeyId": "k1"}
    monkeypatch.setattr(stage, "outputs_of", lambda _name, _region: told)
    monkeypatch.setattr(stage, "api_key", lambda key_id, region: f"{key_id} in {region}")
    entrance = StageEntrance.named("dev", {})
    assert entrance.key(SCORE) == "k1 in us-east-1"
    assert entrance.key(LOAD) == ""


def test_the_outputs_of_keys_are_named_by_the_programs_that_calls_are_made_as() -> None:
    from stacks.constructs.alarms import titled  # noqa: PLC0415 - imports the CDK

    for purpose in (SCORE, LOAD, SUBJECT, ROUTE):
        assert f"{purpose.program.capitalize()}KeyId" == f"{titled(purpose.program)}KeyId"
