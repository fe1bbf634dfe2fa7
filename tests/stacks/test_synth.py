"""Synth depends on nothing but the checkout, runs on the wheel's Node where there is none, and says what is wrong."""

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from cdk.archives import MANIFEST, Entry, made_of, source_hash
from tests.home import ROOT
from tests.stacks.clean_run import (
    copy_of_the_checkout,
    inherited,
    surroundings,
    synth,
    templates_in,
    whole,
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
    assert templates_in(tmp_path / "out") == whole(synthesized.templates, "prod")
    assert "end-of-life" not in done.stderr.lower()


def test_the_same_templates_by_the_wheels_node(synthesized: Synthesized, tmp_path: Path) -> None:
    environment = surroundings(tmp_path / "machine", node=False)
    done = synth("dev", tmp_path / "out", ROOT, environment)
    assert done.returncode == 0, done.stderr
    assert templates_in(tmp_path / "out") == whole(synthesized.templates, "dev")
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


def test_what_is_not_packed_is_told_and_what_is_damaged_refused(tmp_path: Path) -> None:
    root = copy_of_the_checkout(tmp_path / "clone")
    shutil.rmtree(root / "dist", ignore_errors=True)
    done = synth("dev", tmp_path / "out", root, inherited())
    assert done.returncode == 0, done.stderr
    assert "cdk: not packed from what the sources are now: ebb, runtime, " in done.stderr
    assert "run `ebb package --arch arm64` before this is deployed" in done.stderr
    pack(root, "predict", b"another file")
    done = synth("dev", tmp_path / "out", root, inherited())
    assert done.returncode == 2
    assert "predict.zip is not what was packed" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_not_packed_never_has_the_name_of_what_is(tmp_path: Path) -> None:
    root = copy_of_the_checkout(tmp_path / "clone")
    shutil.rmtree(root / "dist", ignore_errors=True)
    names = [_asset_of_predict(root, tmp_path / "before")]
    pack(root, "predict")
    names.append(_asset_of_predict(root, tmp_path / "after"))
    assert names[0] != names[1]


def pack(root: Path, name: str, found: bytes = b"a zip") -> None:
    """Put an archive where the manifest says that it was packed from what the sources are."""
    made = made_of(root, name)
    made.packed.parent.mkdir(parents=True, exist_ok=True)
    made.packed.write_bytes(found)
    entry = Entry(source_hash(root, name), hashlib.sha256(b"a zip").hexdigest(), 5, 5)
    (root / "dist" / MANIFEST).write_text(json.dumps({name: asdict(entry)}))


def _asset_of_predict(root: Path, out: Path) -> str:
    done = synth("dev", out, root, inherited())
    assert done.returncode == 0, done.stderr
    resources = templates_in(out)["inference"]["Resources"]
    (found,) = (r for r in resources.values() if str(r["Properties"].get("Handler", "")).startswith("lambdas.predict."))
    return str(found["Properties"]["Code"]["S3Key"])


def test_values_that_cannot_work_are_one_sentence(tmp_path: Path) -> None:
    root = copy_of_the_checkout(tmp_path / "clone")
    values = root / "cdk/stages.py"
    values.write_text(values.read_text().replace("backup_days=35", "backup_days=36"))
    done = synth("prod", tmp_path / "out", root, inherited())
    assert done.returncode == 2
    assert done.stderr == "cdk: the stage 'prod': backups of 36 days; 1 to 35 can be had\n"
    assert not list((tmp_path / "out").glob("*.json"))
