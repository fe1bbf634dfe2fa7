"""`ebb deploy` as it is typed: what it asks, what it prints, and what it leaves behind when it is ended."""

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.cli import run
from local.deploying.command_line import follow, running_command
from local.deploying.run import NAMES, STEPS


@pytest.fixture(autouse=True)
def nobody_is_signed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator's shell without credentials, in an empty folder; the templates are small."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "EBB_"))]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("EBB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    out, err = capsys.readouterr()
    return out, re.sub(r"\s+", " ", err)


def test_misuse_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, sentence in (
        (["--stage", "moon"], "there is no stage 'moon': choose one of dev, staging, prod with `--stage`"),
        (["--stage", "dev", "--only", "moon"], "there is no step moon: the steps are check, cdk"),
        (["--stage", "prod"], "the stage 'prod' keeps its data: look at `--plan`, then say --yes"),
    ):
        assert run(["deploy", *arguments]) == 2
        assert sentence in said(capsys)[1]


def test_help_names_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["deploy", "--help"]) == 0
    told = re.sub(r"\s+", " ", said(capsys)[0])
    assert ", ".join(NAMES) in told
    assert [step.name for step in STEPS] == list(NAMES)


def test_a_plan_without_an_account_tells_what_is_known_and_the_price(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = [word for step in ("users", "migrate", "features") for word in ("--only", step)]
    assert run(["deploy", "--stage", "dev", "--plan", "--json", "--rps", "5", *chosen]) == 0
    told = json.loads(said(capsys)[0])
    assert (told["account"], told["address"], told["region"]) == (None, None, "us-east-1")
    states = {each["step"]: each["state"] for each in told["steps"]}
    assert states == {"check": "would", "users": "would", "migrate": "would", "features": "skipped"}
    assert "there are no AWS credentials" in told["steps"][0]["sentence"]
    assert 0 < told["usd_a_month"]["idle"] < told["usd_a_month"]["loaded"]
    assert told["usd_a_month"]["rps"] == 5


def test_nobody_signed_in_is_a_sentence_and_the_step_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["deploy", "--stage", "dev", "--only", "users"]) == 1
    out, err = said(capsys)
    assert "failed check there are no AWS credentials: sign in" in err
    assert "check" in out
    assert run(["deploy", "--stage", "dev", "--only", "users", "--json"]) == 1
    assert [each["state"] for each in json.loads(said(capsys)[0])["steps"]] == ["failed"]


def test_one_deployment_of_a_stage_at_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from local.servers.lock import FolderLock  # noqa: PLC0415 - the other one's

    folder = tmp_path / "home/deploy/dev"
    folder.mkdir(parents=True)
    lock = FolderLock.take(folder, "another")
    try:
        assert run(["deploy", "--stage", "dev", "--only", "users"]) == 2
    finally:
        lock.release()
    assert "is already in the hands of process" in said(capsys)[1]


class Heard:
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.bars: list[tuple[str, int, int]] = []

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[object]:
        """Count what is done of a step."""
        done = 0

        def advance(more: int) -> None:
            nonlocal done
            done += more

        yield advance
        self.bars.append((title, done, total))


def test_the_command_line_is_shown_stack_by_stack(tmp_path: Path) -> None:
    script = tmp_path / "cdk.py"
    script.write_text(
        "print('synth'); print('ebb-dev-a |  0/12 | 1:00:00 PM | CREATE_IN_PROGRESS | T | a')\n"
        "print('ebb-dev-a | 12/12 | 1:00:00 PM | CREATE_COMPLETE | T | a')\n"
        "print('ebb-dev-b | 1/3 | 1:00:00 PM | UPDATE_COMPLETE | T | b', flush=True)\n"
        "raise SystemExit(3)\n"
    )
    heard, told = Heard(), {**os.environ, "EBB_CDK": f"{sys.executable} {script}"}
    with running_command(["deploy"], tmp_path / "log", told, tmp_path) as child:
        assert follow(child, heard) == 3  # type: ignore[arg-type]
    assert heard.bars == [("Stack ebb-dev-a", 12, 12), ("Stack ebb-dev-b", 1, 3)]
