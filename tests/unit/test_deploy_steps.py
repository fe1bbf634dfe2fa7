"""The steps behind the stacks: what each decides, by what the world says."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdk.stages import stage_named
from ebb.client.answers import Prediction
from ebb.errors import EbbError, Misuse, Unavailable
from ebb.folder import FolderReleases
from local.calling.sentences import Refused
from local.deploying.database import run_statement
from local.deploying.features import Features
from local.deploying.migrate import Migrate, NotMigrated
from local.deploying.route import Route
from local.deploying.run import NAMES, STEPS, chosen, look, take
from local.deploying.users import Users
from local.deploying.verify import Trial, _wrong
from local.deploying.words import AwsRefused
from tests.fakes.deploying import ACCOUNT, STORE, FakeAws, FakeCaller, deployment, refused, stacks
from tests.fakes.releases import tiny_release, version_in

OURS = {"records": [[{"stringValue": "ebb"}], [{"stringValue": "ebb_reader"}]]}
RESUMING = refused("DatabaseResumingException", "resuming")


def store(**answers: Any) -> FakeAws:
    return FakeAws({"get_caller_identity": {"Account": ACCOUNT}, "describe_stacks": stacks(**STORE), **answers})


def payload(document: Any, **more: str) -> dict[str, Any]:
    return {"Payload": io.BytesIO(json.dumps(document).encode()), **more}


def test_users_are_made_once_and_their_rights_granted_each_time(tmp_path: Path) -> None:
    fake = store(execute_statement=[{"records": []}, {}, OURS, {}])
    at = deployment(tmp_path, aws=fake)
    assert [Users().take(at).state for _ in range(2)] == ["done", "already"]
    sent = [given for operation, given in fake.asked if operation == "execute_statement"]
    assert [("do $$" in each["sql"], each["database"], each["resourceArn"], each["secretArn"]) for each in sent] == [
        (False, "ebb", "cluster", "secret"),
        (True, "ebb", "cluster", "secret"),
    ] * 2


def test_a_database_that_starts_is_waited_for_and_not_for_ever(tmp_path: Path) -> None:
    at = deployment(tmp_path, aws=store(execute_statement=[RESUMING, RESUMING, OURS, {}]))
    assert Users().take(at).state == "already"
    with pytest.raises(Unavailable, match=r"has not started within 0 s .DatabaseResumingException."):
        Users().take(deployment(tmp_path, aws=store(execute_statement=RESUMING)))
    with pytest.raises(AwsRefused, match="AccessDenied"):
        Users().take(deployment(tmp_path, aws=store(execute_statement=refused("AccessDeniedException"))))


def test_cells_are_values(tmp_path: Path) -> None:
    row = [{"stringValue": "a"}, {"isNull": True}, {"longValue": 3}]
    at = deployment(tmp_path, aws=store(execute_statement={"records": [row]}))
    assert run_statement(at, "select") == [["a", None, 3]]


def test_a_plan_asks_the_database_only_where_there_is_one(tmp_path: Path) -> None:
    at = deployment(tmp_path, aws=store(execute_statement=OURS))
    assert Users().look(at).state == "already"
    nowhere = FakeAws({"get_caller_identity": {"Account": ACCOUNT}, "describe_stacks": stacks()})
    assert Users().look(deployment(tmp_path, aws=nowhere)).state == "would"
    assert Migrate().look(deployment(tmp_path, aws=nowhere)).sentence.startswith("would bring the schema to 0")


def test_the_schema_is_told_from_where_to_where(tmp_path: Path) -> None:
    newest = max(path.name[1:5] for path in Path(__file__).parents[2].glob("lambdas/migrate/versions/v[0-9]*.py"))
    version = {"records": [[{"stringValue": newest}]]}
    absent = refused("DatabaseErrorException", 'ERROR: relation "alembic_version" does not exist; SQLState: 42P01')
    for answer, says in (
        (version, f"the schema is at {newest}"),
        ({"records": [[{"stringValue": "0001"}]]}, f"would bring the schema from 0001 to {newest}"),
        (absent, f"would bring the schema from base to {newest}"),
    ):
        assert Migrate().look(deployment(tmp_path, aws=store(execute_statement=answer))).sentence == says
    with pytest.raises(AwsRefused):
        Migrate().look(deployment(tmp_path, aws=store(execute_statement=refused("AccessDenied"))))


def test_the_function_migrates_and_another_migration_is_waited_for(tmp_path: Path) -> None:
    busy = refused("TooManyRequestsException", "Rate Exceeded.")
    at = deployment(tmp_path, aws=store(invoke=[busy, payload({"from": "0001", "to": "0003"})]))
    assert Migrate().take(at).sentence == "the schema went from 0001 to 0003"
    at = deployment(tmp_path, aws=store(invoke=[payload({"from": "0003", "to": "0003"})]))
    assert Migrate().take(at).state == "already"
    with pytest.raises(AwsRefused):
        Migrate().take(deployment(tmp_path, aws=store(invoke=busy)))


def test_a_migration_that_fails_is_told_in_its_own_words(tmp_path: Path) -> None:
    failed = payload({"errorMessage": "the migration to 0003 failed."}, FunctionError="Unhandled")
    with pytest.raises(NotMigrated, match="the function migrate failed: the migration to 0003 failed; its log"):
        Migrate().take(deployment(tmp_path, aws=store(invoke=[failed])))


def tiny(folder: Path, caller: FakeCaller, aws: FakeAws | None = None) -> Any:
    """Return a deployment of a stage that serves the tiny contract, with its release."""
    files, releases = tiny_release(), FolderReleases(folder / "releases")
    releases.write("tiny", version_in(files), files)
    releases.set_champion("tiny", version_in(files))
    stage = replace(stage_named("dev"), contract="tiny")
    return deployment(folder, caller=caller, aws=aws, stage=stage, release=folder / "releases/tiny")


def test_the_first_table_is_made_and_no_other_ever_changed(tmp_path: Path) -> None:
    caller = FakeCaller()
    at = tiny(tmp_path, caller)
    assert Route().take(at).sentence == f"{at.version} is the champion of routing table 1"
    assert Route().take(at).state == "already"
    caller.champion = "0123456789ab"
    told = Route().take(at)
    assert told.state == "skipped"
    assert told.sentence.startswith(f"0123456789ab stays the champion; `ebb route promote {at.version} --stage dev`")
    assert caller.promoted == [at.version]


def test_a_stage_that_was_just_made_is_waited_for_and_a_refusal_is_not(tmp_path: Path) -> None:
    away = [Unavailable("does not answer"), Refused("502 broken", 502)]
    assert Route().take(tiny(tmp_path, FakeCaller(failures=list(away)))).state == "done"
    with pytest.raises(Refused, match="401"):
        Route().take(tiny(tmp_path, FakeCaller(failures=[Refused("401 no token", 401)])))
    with pytest.raises(Unavailable):
        Route().take(tiny(tmp_path, FakeCaller(failures=[Unavailable("does not answer")] * 100_000)))


def test_features_are_loaded_only_where_a_table_is_named(tmp_path: Path) -> None:
    at = deployment(tmp_path)
    assert (Features().look(at).state, Features().take(at).state) == ("skipped", "skipped")


def answer(**changes: Any) -> Prediction:
    usual: dict[str, Any] = dict.fromkeys(Prediction.__dataclass_fields__, "")
    usual |= {"probability": 0.25, "release": "tiny/abc", "variant": "champion", "degraded": False}
    return Prediction(**{**usual, "degraded_because": (), "stale": (), **changes})


@pytest.mark.parametrize(
    ("trial", "changes", "says"),
    [
        (Trial("x", {}, 0.25), {}, ""),
        (Trial("x", {}, 0.25), {"probability": 0.25 + 5e-7}, ""),
        (Trial("x", {}, 0.25), {"probability": 0.26}, "answers 0.26 where the release gave 0.25"),
        (Trial("x", {}, 0.25), {"variant": "challenger", "probability": 0.9, "release": "tiny/def"}, ""),
        (Trial("x"), {"release": "tiny/def"}, "answers with def, and abc is the champion"),
        (Trial("x"), {"degraded": True, "degraded_because": ("no store",)}, "'x' from the rules (no store)"),
        (Trial("x"), {"degraded": True, "stale": ("tenure",)}, ""),
        (Trial("x", {}, 0.25), {"degraded": True, "stale": ("tenure",)}, "from the rules"),
    ],
)
def test_an_answer_is_judged_by_what_the_release_would_say(trial: Trial, changes: dict[str, Any], says: str) -> None:
    told = _wrong(trial, "abc", answer(**changes))
    assert says in told
    assert bool(told) == bool(says)


def test_steps_are_chosen_by_name_and_check_is_always_first() -> None:
    assert chosen(None) == frozenset(NAMES)
    assert chosen(["release"]) == {"release"}
    with pytest.raises(Misuse, match="there is no step moon: the steps are check, cdk, users, migrate, release"):
        chosen(["release", "moon"])
    assert [step.name for step in STEPS] == list(NAMES)


def test_a_step_that_fails_ends_the_walk_and_not_the_plan(tmp_path: Path) -> None:
    fake = FakeAws({"get_caller_identity": refused("ExpiredToken")})
    at = deployment(tmp_path, aws=fake, chosen=frozenset({"users", "features", "release"}))
    taken = list(take(at))
    assert [(each.name, each.outcome.state) for each in taken] == [("check", "failed")]
    assert isinstance(taken[0].error, EbbError)
    looked = {each.name: each.outcome.state for each in look(at)}
    assert looked == {"check": "failed", "users": "would", "release": "failed", "features": "skipped"}
