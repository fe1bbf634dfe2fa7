"""Synth depends on nothing but the checkout, runs on the wheel's Node where there is none, and says what is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.home import ROOT
from tests.stacks.clean_run import (
    copy_of_the_checkout,
    inherited,
    surroundings,
    synth,
    templates_in,
    without_network,
)
from tests.stacks.conftest import Synthesized


def test_the_same_templates_elsewhere_by_somebody_else_and_without_a_network(
    synthesized: Synthesized, tmp_path: Path
) -> None:
    root = copy_of_the_checkout(tmp_path / "clone")
    environment = {**surroundings(tmp_path / "machine"), **without_network(tmp_path / "refusing")}
    checked = {"CDK_VALIDATION": "true"}  # once, CDK's own rules are asked as well
    done = synth("prod", tmp_path / "out", root, {**environment, **checked})
    assert done.returncode == 0, done.stderr
    assert templates_in(tmp_path / "out") == synthesized.templates["prod"]
    assert "end-of-life" not in done.stderr.lower()


def test_the_same_templates_by_the_wheels_node(synthesized: Synthesized, tmp_path: Path) -> None:
    environment = surroundings(tmp_path / "machine", node=False)
    done = synth("dev", tmp_path / "out", ROOT, environment)
    assert done.returncode == 0, done.stderr
    assert templates_in(tmp_path / "out") == synthesized.templates["dev"]
    assert "end-of-life" not in done.stderr.lower()


def test_the_network_would_have_been_noticed(tmp_path: Path) -> None:
    environment = {**surroundings(tmp_path / "machine"), **without_network(tmp_path / "refusing")}
    for program in (
        [sys.executable, "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9')"],
        [str(tmp_path / "machine/bin/node"), "-e", "require('http').get('http://127.0.0.1:9')"],
    ):
        if Path(program[0]).exists():
            done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode != 0
            assert "the network was asked for" in done.stderr


@pytest.mark.parametrize("stage", ["", "production", "Dev", "../dev"])
def test_a_stage_that_is_none_is_one_sentence(stage: str, tmp_path: Path) -> None:
    done = synth(stage, tmp_path / "out", ROOT, inherited())
    assert done.returncode == 2
    assert done.stderr == f"cdk: there is no stage {stage!r}: choose one of dev, staging, prod with `-c stage=...`\n"
    assert done.stdout == ""


def test_values_that_cannot_work_are_one_sentence(tmp_path: Path) -> None:
    root = copy_of_the_checkout(tmp_path / "clone")
    values = root / "cdk/stages.py"
    values.write_text(values.read_text().replace("backup_days=35", "backup_days=36"))
    done = synth("prod", tmp_path / "out", root, inherited())
    assert done.returncode == 2
    assert done.stderr == "cdk: the stage 'prod': backups of 36 days; 1 to 35 can be had\n"
    assert not list((tmp_path / "out").glob("*.json"))
