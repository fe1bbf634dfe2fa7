"""The image of training's jobs: its repository, its build, and the tag that follows from its sources alone."""

import json
import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import aws_cdk as aws
import pytest

from cdk.archives import ArchiveError
from cdk.image import DOCKERFILE, PARTS, copy_sources, image_sources, image_tag
from cdk.stages import STAGES
from stacks.training import TrainingStack
from tests.home import ROOT
from tests.stacks.conftest import CONTEXT, Synthesized
from tests.stacks.training_case import only, outputs, text_of

stages = pytest.mark.parametrize("stage", STAGES)


@stages
def test_an_image_is_scanned_and_its_tag_never_given_twice(synthesized: Synthesized, stage: str) -> None:
    images = only(synthesized, stage, "AWS::ECR::Repository")
    assert images["ImageTagMutability"] == "IMMUTABLE"
    assert images["ImageScanningConfiguration"] == {"ScanOnPush": True}
    rules = json.loads(images["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert [rule["selection"]["tagStatus"] for rule in rules] == ["untagged", "any"]
    assert rules[1]["selection"]["countNumber"] == 30


@stages
def test_the_build_takes_the_sources_of_its_tag_outside_of_the_network(synthesized: Synthesized, stage: str) -> None:
    project = only(synthesized, stage, "AWS::CodeBuild::Project")
    variables = {one["Name"]: one["Value"] for one in project["Environment"]["EnvironmentVariables"]}
    assert len(variables["TAG"]) == 64
    assert "VpcConfig" not in project
    assert project["Artifacts"] == {"Type": "NO_ARTIFACTS"}
    assert project["Source"]["Type"] == "S3"
    script = json.loads(project["Source"]["BuildSpec"])["phases"]["build"]["commands"][0].splitlines()
    assert script[0] == "set -eu"
    assert "describe-images" in script[1], "an image that is there is not built again"
    assert script[1].endswith("exit 0; fi")
    assert f"--file {DOCKERFILE} " in script[3]
    assert script[4] == 'docker push "$REPOSITORY:$TAG"'
    assert text_of(outputs(synthesized, stage)["ImageUri"]) == f"{text_of(variables['REPOSITORY'])}:{variables['TAG']}"


@stages
def test_every_deployment_of_the_stack_starts_the_build(synthesized: Synthesized, stage: str) -> None:
    rule = only(synthesized, stage, "AWS::Events::Rule")
    assert rule["EventPattern"]["source"] == ["aws.cloudformation"]
    assert rule["EventPattern"]["detail"]["stack-id"] == [{"Ref": "AWS::StackId"}]
    assert set(rule["EventPattern"]["detail"]["status-details"]["status"]) == {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    (project,) = synthesized.resources(stage, "training", "AWS::CodeBuild::Project")
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": [project, "Arn"]}
    assert synthesized.resources(stage, "training", "AWS::Lambda::Function") == {}, "nothing of ours runs for it"


def checkout(folder: Path) -> Path:
    """Copy what the image is built from."""
    copy_sources(ROOT, folder)
    return folder


def test_the_tag_is_the_same_in_every_folder_and_whatever_lies_beside(tmp_path: Path) -> None:
    root = checkout(tmp_path / "a")
    tag = image_tag(root)
    copy_sources(root, tmp_path / "b")
    assert image_tag(tmp_path / "b") == tag
    for name in ("training/__pycache__/a.pyc", "training/jobs/b.pyc", "local/c.py", "README.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("something")
    assert image_tag(root) == tag


@pytest.mark.parametrize(
    "name", [DOCKERFILE, f"{DOCKERFILE}.dockerignore", "requirements/jobs.txt", "layers/ebb/ebb/errors.py"]
)
def test_one_byte_of_a_source_is_another_tag(tmp_path: Path, name: str) -> None:
    root = checkout(tmp_path / "checkout")
    before = image_tag(root)
    (root / name).write_bytes((root / name).read_bytes() + b"\n")
    assert image_tag(root) != before


def test_the_template_names_the_tag_and_other_sources_for_another_one(tmp_path: Path) -> None:
    root, found = checkout(tmp_path / "checkout"), []
    for attempt in range(2):
        app = aws.App(outdir=str(tmp_path / f"out{attempt}"), context=CONTEXT)
        stack = TrainingStack(app, "ebb-dev-training", stage=STAGES["dev"], root=root)
        template = json.dumps(app.synth().get_stack_by_name(stack.stack_name).template)
        (asset,) = set(re.findall(r"/([0-9a-f]{64})\.zip", template))
        assert image_tag(root) in template
        assert (tmp_path / f"out{attempt}" / f"asset.{asset}" / DOCKERFILE).is_file(), "sources and nothing else"
        assert {one.name for one in (tmp_path / f"out{attempt}" / f"asset.{asset}").iterdir()} == {
            part.split("/")[0] for part in PARTS
        }
        found.append((image_tag(root), asset))
        (root / "training/jobs/train.py").write_bytes((root / "training/jobs/train.py").read_bytes() + b"\n")
    assert found[0][0] != found[1][0]
    assert found[0][1] != found[1][1], "what is uploaded has another name too"


def test_a_source_more_or_under_another_name_is_another_tag(tmp_path: Path) -> None:
    root = checkout(tmp_path / "checkout")
    tags = {image_tag(root)}
    (root / "training/new.py").write_text("")
    tags.add(image_tag(root))
    (root / "training/new.py").rename(root / "training/other.py")
    tags.add(image_tag(root))
    assert len(tags) == 3


def test_a_checkout_without_the_sources_is_one_sentence(tmp_path: Path) -> None:
    root = checkout(tmp_path / "checkout")
    shutil.rmtree(root / "layers")
    with pytest.raises(ArchiveError, match=r"the job image cannot be named: .* has no layers/ebb/ebb"):
        image_tag(root)


def test_the_sources_are_what_docker_is_let_see() -> None:
    lines = [line for line in (ROOT / f"{DOCKERFILE}.dockerignore").read_text().splitlines() if line[:1] != "#"]
    assert lines[0] == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == set(PARTS)
    hidden = [line for line in lines[1:] if not line.startswith("!")]
    assert set(hidden) == {"**/__pycache__", "**/*.pyc"}
    names = image_sources(ROOT)
    assert list(names) == sorted(names)
    assert DOCKERFILE in names
    assert not [name for name in names if fnmatch(name, "*.pyc") or "__pycache__" in name]


def run_build(synthesized: Synthesized, folder: Path, *, there: bool, fails: str = "") -> tuple[int, list[str]]:
    """Run the build's script with programs that write down how they are called; return its exit code and the calls.

    Args:
        synthesized: has the script.
        folder: empty.
        there: whether the repository has the tag.
        fails: a program and its first argument that end with an error.
    """
    project = only(synthesized, "dev", "AWS::CodeBuild::Project")
    (script,) = json.loads(project["Source"]["BuildSpec"])["phases"]["build"]["commands"]
    programs, calls = folder / "bin", folder / "calls"
    programs.mkdir()
    for name in ("aws", "docker"):
        program = programs / name
        program.write_text(
            f'#!/bin/sh\necho "{name} $*" >> {calls}\n[ "$1" = login ] && cat > {folder}/password\n'
            f'[ "$2" = describe-images ] && exit {0 if there else 254}\n'
            f'[ "{name} $1" = "{fails}" ] && exit 1\n[ "$2" = get-login-password ] && echo secret\nexit 0\n'
        )
        program.chmod(0o755)
    variables = {"NAME": "jobs", "REPOSITORY": "1.dkr.ecr.us-east-1.amazonaws.com/jobs", "TAG": "abc"}
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        env={"PATH": f"{programs}:/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "secret" not in done.stdout + done.stderr
    return done.returncode, calls.read_text().splitlines()


LOOK = "aws ecr describe-images --repository-name jobs --image-ids imageTag=abc"
IMAGE = "1.dkr.ecr.us-east-1.amazonaws.com/jobs:abc"


def test_an_image_that_is_there_is_not_built_again(synthesized: Synthesized, tmp_path: Path) -> None:
    assert run_build(synthesized, tmp_path, there=True) == (0, [LOOK])


def test_an_image_that_is_not_there_is_built_and_pushed(synthesized: Synthesized, tmp_path: Path) -> None:
    code, calls = run_build(synthesized, tmp_path, there=False)
    assert code == 0
    assert sorted(calls) == sorted(
        [
            LOOK,
            "aws ecr get-login-password",
            "docker login --username AWS --password-stdin 1.dkr.ecr.us-east-1.amazonaws.com",
            f"docker build --file {DOCKERFILE} --tag {IMAGE} .",
            f"docker push {IMAGE}",
        ]
    )
    assert calls[-1] == f"docker push {IMAGE}"
    assert (tmp_path / "password").read_text() == "secret\n"


@pytest.mark.parametrize("step", ["docker login", "docker build", "docker push"])
def test_a_build_that_fails_fails_and_pushes_nothing(synthesized: Synthesized, tmp_path: Path, step: str) -> None:
    code, calls = run_build(synthesized, tmp_path, there=False, fails=step)
    assert code != 0
    steps = ["docker login", "docker build", "docker push"]
    begun = {" ".join(call.split()[:2]) for call in calls if call.startswith("docker")}
    assert begun == set(steps[: steps.index(step) + 1]), "and nothing after it"
