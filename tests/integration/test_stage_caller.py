"""A caller is the same to commands whoever it calls: one suite, run on the local cloud and on a stage."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ebb.errors import EbbError, Misuse, Unavailable
from local.calling import Caller, caller_of
from local.calling.outputs import NotDeployed
from local.calling.sentences import Refused
from local.calling.stage import StageEntrance
from local.calling.stage_token import stage_token
from tests.integration.stage_case import Stage, empty_stage

pytestmark = pytest.mark.xdist_group("stage_caller")
NOBODY = "000000000000"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage that was deployed, and holds two releases and no routing table."""
    folder = tmp_path_factory.mktemp("stage")
    with empty_stage(folder) as stage:
        for bias in (0.0, 1.0):
            stage.publish(bias)
        yield stage


@pytest.fixture
def dev(stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    """The same, with an operator's shell around the test; no local cloud is up for it."""
    for name, value in stage.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("EBB_HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return stage


@pytest.fixture(params=["local cloud", "stage"])
def caller(request: pytest.FixtureRequest, dev: Stage, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """A caller of the same cloud by each way in."""
    if request.param == "stage":
        return caller_of("dev")
    monkeypatch.setenv("EBB_HOME", str(dev.home.state_home))
    return caller_of(None)


def test_before_the_first_promotion_nothing_serves_and_says_so(dev: Stage) -> None:
    assert dev.home.state.contract is None
    caller = caller_of("dev")
    with pytest.raises(Refused, match=r"503 there is no routing table yet: promote a release") as shown:
        caller.show_routing()
    assert (shown.value.status, shown.value.problem) == (503, "no-release")
    with pytest.raises(Refused, match=r"503 no release of 'synthetic' serves yet: .* promote it"):
        caller.score("somebody", explain=False)
    listed = caller.releases()
    assert [each["verified"] for each in listed["releases"]] == [True, True]
    assert listed["notes"] == ["there is no routing table yet: no release has a role"]
    with pytest.raises(Refused, match=r"422 .* cannot serve"):
        caller.promote(NOBODY)
    told = caller.promote(listed["releases"][0]["version"], based_on=0)
    assert (told["version"], told["changes"][0]["client"]) == (1, "operating")
    with pytest.raises(Refused, match=r"409 the routing table is at version 1 and not 0"):
        caller.promote(listed["releases"][1]["version"], based_on=0)


def test_routing_is_shown_changed_and_taken_back(caller: Caller) -> None:
    one, two = (each["version"] for each in caller.releases()["releases"])
    if caller.show_routing()["roles"][0]["release"] == one:
        caller.promote(two)
    before = caller.show_routing()["version"]
    with pytest.raises(Refused, match=rf"422 {two} is the champion already"):
        caller.promote(two)
    assert caller.promote(one)["version"] == before + 1
    changed = caller.set_routing({"challengers": [{"release": two, "weight": 0.25}]})
    assert [(role["role"], role["release"]) for role in changed["roles"]][:2] == [
        ("champion", one),
        ("challenger", two),
    ]
    roles = {each["version"]: each["roles"] for each in caller.releases()["releases"]}
    assert (roles[one], roles[two]) == (["champion"], ["challenger", "previous"])
    assert caller.set_routing({})["version"] == before + 3
    assert caller.roll_back()["roles"][0]["release"] == two


def test_a_subject_is_shown_and_erased(caller: Caller) -> None:
    who = f"no such/é in {caller.entrance.told}"
    with pytest.raises(Refused, match=r"404") as unknown:
        caller.show_subject(who, {})
    assert unknown.value.problem == "unknown-entity"
    assert caller.erase_subject(who)["durable_tier"] == "erased"
    held = caller.show_subject(who, {"event_time": 5.0})
    assert held["current"]["erased_at"] is not None
    assert "known_at" in held


def test_a_score_carries_reasons_where_they_are_asked_for(caller: Caller) -> None:
    with pytest.raises(Refused, match=r"404 no features are held"):
        caller.score("nobody", explain=True)


def test_each_purpose_has_its_own_client_and_scope(dev: Stage) -> None:
    dev.granted.clear()
    caller = caller_of("dev")
    caller.show_routing()
    caller.erase_subject("somebody")
    with pytest.raises(Refused):
        caller.score("nobody", explain=False)
    assert dev.granted == [
        ("operating", "ebb/admin"),
        ("privacy", "ebb/subjects"),
        ("scoring", "ebb/predict ebb/explain"),
    ]


def test_a_token_of_the_stage_can_be_had_and_used(dev: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    token = stage_token("dev", "operating", ())
    assert dev.granted[-1] == ("operating", "ebb/admin ebb/predict")
    monkeypatch.setenv("EBB_STAGE_TOKEN", token)
    monkeypatch.setenv("EBB_STAGE_URL", dev.home.state.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert caller_of("dev").show_routing()["contract"] == "synthetic"
    with pytest.raises(Refused, match=r"403 this call needs the scope 'subjects'.*the client 'privacy' of a stage has"):
        caller_of("dev").erase_subject("somebody")
    assert stage_token("dev", "operating", ()) == token


def test_a_client_of_an_issuer_of_its_own_needs_no_aws(dev: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    client, secret = next((id_, held[1]) for id_, held in dev.allowed.items() if held[0] == "operating")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    given = {
        "EBB_STAGE_URL": dev.home.state.url,
        "EBB_STAGE_TOKEN_URL": dev.token_url,
        "EBB_STAGE_CLIENT_ID": client,
        "EBB_STAGE_CLIENT_SECRET": secret,
    }
    own = Caller(StageEntrance.named("dev", {**given, "EBB_STAGE_SCOPE_PREFIX": "ebb/"}))
    assert own.show_routing()["contract"] == "synthetic"
    with pytest.raises(
        Unavailable, match=r"no token for the stage 'dev': .*400 \(invalid_scope\).*the scope 'subjects'"
    ):
        own.erase_subject("somebody")
    wrong = Caller(StageEntrance.named("dev", {**given, "EBB_STAGE_CLIENT_SECRET": "wrong"}))
    with pytest.raises(Unavailable, match=r"400 \(invalid_client\).*check its id and its secret") as refused:
        wrong.show_routing()
    assert secret not in str(refused.value)
    assert secret not in repr(own.entrance)


@pytest.mark.parametrize(
    ("given", "kind", "says"),
    [
        ({"EBB_STAGE_URL": "http://127.0.0.1:1"}, Unavailable, "the stage 'dev' at http://127.0.0.1:1 does not answer"),
        ({"EBB_STAGE_URL": "http://example.com"}, Misuse, "would send the token in plain text"),
        ({"EBB_STAGE_URL": "example.com"}, Misuse, "is no address"),
        ({"EBB_STAGE_TOKEN": "made-up"}, Refused, "401 .* does not take this token"),
    ],
)
def test_a_wrong_address_or_token_is_a_sentence(
    dev: Stage, given: dict[str, str], kind: type[EbbError], says: str
) -> None:
    assert dev.pool
    with pytest.raises(kind, match=says):
        Caller(StageEntrance.named("dev", given)).show_routing()


def test_what_answers_elsewhere_is_not_taken_for_a_gateway(dev: Stage) -> None:
    entrance = StageEntrance.named("dev", {"EBB_STAGE_URL": dev.aws, "EBB_STAGE_TOKEN": "t"})
    with pytest.raises(EbbError, match=r"404|not Ebb's gateway"):
        Caller(entrance).show_routing()


def test_a_stage_that_is_not_deployed_or_in_another_region_says_where_it_was_sought(dev: Stage) -> None:
    assert dev.pool
    with pytest.raises(
        NotDeployed, match=r"the stage 'prod' is not deployed: .* no stack ebb-prod-inference in us-east-1"
    ):
        caller_of("prod").show_routing()
    with pytest.raises(
        NotDeployed, match=r"no stack ebb-dev-inference in eu-west-1, the region that cdk/stages.py names"
    ):
        Caller(StageEntrance("dev", "eu-west-1", {})).show_routing()


def test_without_credentials_and_without_aws_there_is_a_way_out(dev: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert dev.pool
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(Unavailable, match=r"AWS cannot be asked for the outputs of ebb-dev-inference"):
        caller_of("dev").show_routing()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Unavailable, match=r"there are no AWS credentials .* EBB_STAGE_URL and EBB_STAGE_TOKEN"):
        caller_of("dev").show_routing()
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(Unavailable, match=r"there are no AWS credentials"):
        caller_of("dev").show_routing()
