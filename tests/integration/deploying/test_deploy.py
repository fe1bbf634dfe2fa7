"""From nothing to a stage that scores, by the steps of `ebb deploy`; again, and interrupted behind each effect."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ebb.errors import EbbError
from ebb.folder import FolderReleases
from local import cli
from local.calling import caller_of
from local.deploying import run
from local.deploying.deployment import Workshop
from local.deploying.words import AwsRefused
from local.servers.process_id import ProcessId
from tests.home import ROOT
from tests.integration.deploying.case import Site, running_site
from tests.integration.deploying.front import DEADLINE
from tests.integration.deploying.take_steps import deployment
from tests.process_group import ended
from tests.tiny_home import write_table

pytestmark = pytest.mark.xdist_group("deploy")
STEPS = ("check", "cdk", "users", "migrate", "release", "routing", "features", "verify")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A stage of which only the account stands, and an operator's shell in a folder with one release."""
    with running_site(tmp_path) as site:
        for name, value in site.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        site.release(0.0)
        yield site


def started(site: Site, *arguments: str) -> subprocess.Popen[str]:
    """Start the steps in a process of their own."""
    command = [sys.executable, "-m", "tests.integration.deploying.take_steps", str(site.assembly), *arguments]
    environment = {**os.environ, **site.environment, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command,
        cwd=site.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finished(site: Site, *arguments: str) -> tuple[int, dict[str, str], str]:
    """Let the steps run to their end, whatever that is: exit code, states by step, and the last words."""
    with ended(started(site, *arguments)) as process:
        out, err = process.communicate(timeout=170)
        told = [json.loads(line) for line in out.splitlines()]
        assert process.returncode is not None
        return process.returncode, {each["step"]: each["state"] for each in told}, out + err


def states(site: Site, table: Path | None = None) -> dict[str, tuple[str, str]]:
    """Take all steps here."""
    return {
        each.name: (each.outcome.state, each.outcome.sentence) for each in run.take(deployment(site.assembly, table))
    }


def test_from_nothing_to_a_stage_that_scores_and_again(site: Site) -> None:
    table = write_table(site.folder / "table.csv", [{"id": f"c-{n}"} for n in range(5)])
    site.data.resuming = 3
    planned = {each.name: each.outcome for each in run.look(deployment(site.assembly, table))}
    assert [planned[name].state for name in STEPS] == ["already", *["would"] * 7]
    assert "ebb-dev-inference: new, 1 resource" in planned["cdk"].sentence
    assert site.objects() == []

    first = states(site, table)
    assert [first[name][0] for name in STEPS] == ["already", *["done"] * 7], json.dumps(first, indent=1)
    assert first["check"][1] == "account 123456789012, us-east-1"
    assert first["migrate"][1].startswith("the schema went from base to 0")
    (version,) = FolderReleases(Path("releases")).versions("synthetic")
    assert f"releases/synthetic/{version}.zip" in site.objects()
    assert first["routing"][1] == f"{version} is the champion of routing table 1"
    assert f"{version} answers 7 entities as it should" in first["verify"][1]
    assert caller_of("dev").score("c-3", explain=False)["release"] == f"synthetic/{version}"

    second = states(site, table)
    assert [second[name][0] for name in STEPS[:6]] == ["already"] * 6, second
    assert second["verify"][0] == "done"
    looked = {each.name: each.outcome.state for each in run.look(deployment(site.assembly))}
    assert [looked[name] for name in STEPS] == [*["already"] * 6, "skipped", "would"]


def test_typed_it_says_how_far_it_is_and_what_is_next(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = deployment(site.assembly).workshop
    monkeypatch.setattr(Workshop.__init__, "__defaults__", (made.templates, made.unpacked, made.pack))
    assert cli.run(["deploy", "--stage", "dev"]) == 0
    out, err = capsys.readouterr()
    assert "users     made the users ebb and ebb_reader" in err
    assert "Stack ebb-dev-registry" in err
    assert "dev stands in us-east-1, account 123456789012: http://127.0.0.1" in out
    assert "ebb route show --stage dev" in out
    later = site.release(1.0)
    assert cli.run(["deploy", "--stage", "dev", "--only", "release", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(each["step"], each["state"]) for each in told["steps"]] == [("check", "already"), ("release", "done")]
    assert f"releases/synthetic/{later.name}.zip" in site.objects()


def test_a_later_release_is_published_and_never_promoted(site: Site) -> None:
    assert states(site)["verify"][0] == "done"
    champion = caller_of("dev").show_routing()["roles"][0]["release"]
    later = site.release(1.0)
    told = states(site)
    assert told["release"] == ("done", f"published synthetic/{later.name}, 7 files of 0.0 MB as one object")
    assert told["routing"][0] == "skipped"
    assert f"{champion} stays the champion; `ebb route promote {later.name} --stage dev`" in told["routing"][1]
    assert told["verify"][0] == "done"
    assert caller_of("dev").show_routing()["version"] == 1

    (later / "card.html").chmod(0o644)
    manifest = later / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text(manifest.read_text().replace("2026-01-01", "2026-01-02"))
    state, sentence = states(site)["release"]
    assert state == "failed"
    assert f"holds other files under synthetic/{later.name}: manifest.json" in sentence


def test_killed_behind_each_effect_the_same_command_goes_on(site: Site) -> None:
    table = write_table(site.folder / "table.csv", [{"id": f"c-{n}"} for n in range(5)])
    for number, effect in enumerate(STEPS[1:-1], 1):
        code, told, said = finished(site, effect, str(table))
        assert code == -signal.SIGKILL, said
        assert list(told) == list(STEPS[:number]), said
        assert set(told.values()) == {"already"}, said
    code, told, said = finished(site, "", str(table))
    assert code == 0, said
    assert [told[name] for name in STEPS[:6]] == ["already"] * 6, said
    assert told["verify"] == "done"
    assert caller_of("dev").show_routing()["version"] == 1
    assert len([key for key in site.objects() if key.endswith(".zip")]) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_ended_while_cdk_works_nothing_goes_on_here_and_the_next_run_deploys(
    site: Site, number: signal.Signals
) -> None:
    held = site.folder / "cdk.pid"
    site.stand_in(hold=str(held))
    with ended(started(site)) as process:
        wait_for(held.exists)
        cdk = ProcessId.of(int(held.read_text()))
        assert cdk is not None
        process.send_signal(number)
        process.communicate(timeout=DEADLINE)
        assert cdk.wait_gone(DEADLINE)
    site.stand_in()
    code, told, said = finished(site)
    assert (code, told["cdk"], told["verify"]) == (0, "done", "done"), said


def test_a_stack_that_fails_is_named_and_the_rest_goes_on_next_time(site: Site) -> None:
    site.stand_in(fail="ebb-dev-registry")
    state, sentence = states(site)["cdk"]
    assert state == "failed"
    assert "CDK could not deploy: ❌  ebb-dev-registry failed: ToolkitError" in sentence
    log = site.folder / "home/cdk.log"
    assert sentence.endswith(f"All that CDK said is in {log}")
    assert "ebb-dev-feature-store | 1/1" in log.read_text()
    site.stand_in()
    told = states(site)
    assert told["cdk"][0] == "done"
    assert "feature-store" not in told["cdk"][1]
    assert told["verify"][0] == "done"


def test_what_is_missing_is_said_before_anything_is_changed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.stacks.delete_stack(StackName="CDKToolkit")
    told = states(site)
    assert list(told) == ["check"]
    assert (
        "CDKToolkit is missing in us-east-1 of account 123456789012: run `npx aws-cdk@2.1148.1 bootstrap"
        in (told["check"][1])
    )
    shutil.rmtree("releases")
    assert "there is no local release of 'synthetic' to publish" in states(site)["check"][1]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(site.folder / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(site.folder / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    at = deployment(site.assembly)
    assert "there are no AWS credentials" in at.offline
    with pytest.raises(AwsRefused):
        assert at.account
    assert issubclass(AwsRefused, EbbError)


def wait_for(met: object) -> None:
    """Poll until something holds."""
    until = time.monotonic() + DEADLINE
    assert callable(met)
    while not met():
        assert time.monotonic() < until
        time.sleep(0.02)
