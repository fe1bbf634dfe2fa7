"""The first step refuses what could only fail later, and changes nothing but archives."""

from dataclasses import replace
from pathlib import Path

import pytest

from cdk.stage import Stage
from cdk.stage_parts import Access, Domain, Watch
from cdk.stages import stage_named
from ebb.errors import NoRelease, ReleaseError, Unavailable
from ebb.folder import FolderReleases
from local.deploying.check import Check, NotReady
from local.deploying.command_line import command_line
from tests.fakes.deploying import ACCOUNT, TOOLKIT, FakeAws, deployment, refused, stacks
from tests.fakes.releases import tiny_release, version_in

DEV = stage_named("dev")
CDK = frozenset({"cdk"})


def aws(**by_name: dict[str, str]) -> FakeAws:
    return FakeAws({"get_caller_identity": {"Account": ACCOUNT}, "describe_stacks": stacks(**{**TOOLKIT, **by_name})})


@pytest.fixture(autouse=True)
def a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No release lies here, and CDK's command line is somebody else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EBB_CDK", "cdk")


def test_all_is_here(tmp_path: Path) -> None:
    at = deployment(tmp_path, aws=aws(), chosen=CDK)
    assert Check().take(at).sentence == f"account {ACCOUNT}, us-east-1"
    assert Check().look(at).state == "already"


def test_stale_archives_are_packed_and_never_by_a_plan(tmp_path: Path) -> None:
    stale = ["predict", "ebb"]
    at = deployment(tmp_path, aws=aws(), chosen=CDK, stale=stale)
    assert Check().look(at).sentence == f"would pack predict, ebb; account {ACCOUNT}, us-east-1"
    assert stale
    told = Check().take(at)
    assert (told.state, told.sentence) == ("done", f"packed predict, ebb; account {ACCOUNT}, us-east-1")
    assert not stale


def test_a_plan_goes_on_without_an_account(tmp_path: Path) -> None:
    at = deployment(tmp_path, aws=FakeAws({"get_caller_identity": refused("ExpiredToken", "gone")}), chosen=CDK)
    told = Check().look(at)
    assert (told.state, told.sentence) == ("would", "AWS was not asked: AWS refuses (ExpiredToken): gone")


@pytest.mark.parametrize(
    ("stage", "says"),
    [
        (replace(DEV, domain=Domain("scores.example.com", "Z1", "example.com")), "the domain scores.example.com"),
        (replace(DEV, domain=Domain("scores.ours.eu", "Z1", "example.org")), "the zone example.org"),
        (
            replace(DEV, access=Access((), "https://login.example.com/x", ("ebb",))),
            "the issuer login.example.com, which is only an example",
        ),
        (
            replace(DEV, watch=Watch(page=("me@example.com",))),
            "the address for alarms me@example.com, on example.com, which is only an example",
        ),
    ],
)
def test_values_that_are_examples_are_refused(stage: Stage, says: str, tmp_path: Path) -> None:
    at = deployment(tmp_path, aws=aws(), stage=stage)
    with pytest.raises(NotReady, match=says) as told:
        Check().take(at)
    assert str(told.value).endswith("write your own into cdk/stages.py")
    assert at.aws.asked == []  # type: ignore[attr-defined]


def test_names_that_only_look_like_examples_are_taken(tmp_path: Path) -> None:
    stage = replace(DEV, domain=Domain("example.company.eu", "Z1", "company.eu"))
    assert Check().take(deployment(tmp_path, aws=aws(), stage=stage)).state == "already"


@pytest.mark.parametrize("status", [None, "ROLLBACK_COMPLETE"])
def test_an_account_without_bootstrap_is_told_the_command(status: str | None, tmp_path: Path) -> None:
    fake = aws() if status is None else aws(CDKToolkit={"status": status})
    if status is None:
        fake.answers["describe_stacks"] = stacks()
    at = deployment(tmp_path, aws=fake, chosen=CDK)
    with pytest.raises(NotReady, match=rf"`npx aws-cdk@2.1148.1 bootstrap aws://{ACCOUNT}/us-east-1` once"):
        Check().take(at)


def test_only_what_the_chosen_steps_need_is_looked_at(tmp_path: Path) -> None:
    at = deployment(tmp_path, aws=FakeAws({"get_caller_identity": {"Account": ACCOUNT}}), chosen=frozenset({"users"}))
    assert Check().take(at).state == "already"


def test_the_release_must_be_there_and_of_the_stage_s_contract(tmp_path: Path) -> None:
    wanted = frozenset({"release"})
    with pytest.raises(NoRelease, match="no local release of 'synthetic' to publish: train one"):
        Check().take(deployment(tmp_path, aws=aws(), chosen=wanted))
    files, store = tiny_release(), FolderReleases(tmp_path / "releases")
    store.write("tiny", version_in(files), files)
    store.set_champion("tiny", version_in(files))
    with pytest.raises(ReleaseError, match=r"the stage 'dev' serves the contract 'synthetic', and .* is of 'tiny'"):
        Check().take(deployment(tmp_path, aws=aws(), chosen=wanted))
    tiny = replace(DEV, contract="tiny")
    assert Check().take(deployment(tmp_path, aws=aws(), stage=tiny, chosen=wanted)).state == "already"


def test_a_table_that_is_not_there_is_told_before_anything(tmp_path: Path) -> None:
    at = deployment(tmp_path, aws=aws(), features=tmp_path / "none.csv")
    with pytest.raises(NotReady, match=r"there is no table .*none.csv: check --features"):
        Check().take(at)


def test_the_command_line_is_node_s_npx_or_what_is_named(tmp_path: Path) -> None:
    assert command_line({"EBB_CDK": "node 'my cdk'"}) == ["node", "my cdk"]
    npx = tmp_path / "npx"
    npx.touch(0o755)
    assert command_line({"PATH": str(tmp_path)}) == [str(npx), "--yes", "aws-cdk@2.1148.1"]


def test_without_npx_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.deploying.command_line.find_spec", lambda _name: None)
    with pytest.raises(Unavailable, match="needs Node's npx, which is not on PATH"):
        command_line({"PATH": "/nowhere"})
