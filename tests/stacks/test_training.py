"""The stack of training: what it keeps and for how long, the image and its tag, batch scoring, queries, tracking."""

import json
import shutil
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from cdk.archives import ArchiveError
from cdk.image import DOCKERFILE, PARTS, copy_sources, image_sources, image_tag
from cdk.stages import STAGES
from local.jobs.cloud.settings import SageMakerSettings
from stacks.constructs.batch_scoring import DEFINITION
from stacks.constructs.training_places import CHECKPOINTS, JOBS
from tests.home import ROOT
from tests.stacks.batch_definition import written
from tests.stacks.conftest import Synthesized, Template

stages = pytest.mark.parametrize("stage", STAGES)
GIGABYTE = 10**9


def only(synthesized: Synthesized, stage: str, kind: str) -> dict[str, Any]:
    """Return the properties of the one resource of a type."""
    (found,) = synthesized.resources(stage, "training", kind).values()
    return dict(found["Properties"])


def bucket(synthesized: Synthesized, stage: str, name: str) -> Template:
    """Return a bucket's properties."""
    found = synthesized.resources(stage, "training", "AWS::S3::Bucket")
    (one,) = [resource for logical, resource in found.items() if logical.startswith(name)]
    return dict(one["Properties"])


def outputs(synthesized: Synthesized, stage: str) -> dict[str, Any]:
    """Return what the stack tells, without what other stacks import."""
    told = synthesized.templates[stage]["training"]["Outputs"]
    return {name: output["Value"] for name, output in told.items() if not name.startswith("Export")}


def text_of(value: Any) -> str:
    """Return a value with each reference as its name."""
    match value:
        case {"Fn::Join": [mark, parts]}:
            return str(mark).join(text_of(part) for part in parts)
        case {"Fn::Select": [place, {"Fn::Split": [_, {"Fn::GetAtt": _}]}]}:
            return {4: "123456789012", 3: "us-east-1"}[int(place)]
        case {"Ref": "AWS::URLSuffix"}:
            return "amazonaws.com"
        case {"Ref": name}:
            return str(name)
        case {"Fn::GetAtt": [name, _]}:
            return str(name)
        case _:
            return str(value)


@stages
def test_tables_and_artefacts_stay_and_what_can_be_had_again_leaves(synthesized: Synthesized, stage: str) -> None:
    lives = {
        name: {
            rule.get("Prefix", ""): rule["ExpirationInDays"]
            for rule in bucket(synthesized, stage, name)["LifecycleConfiguration"]["Rules"]
            if "ExpirationInDays" in rule
        }
        for name in ("Data", "Artefacts", "Results")
    }
    assert lives == {"Data": {}, "Artefacts": {f"{CHECKPOINTS}/": 30}, "Results": {"": 30}}
    for name in lives:
        rules = bucket(synthesized, stage, name)["LifecycleConfiguration"]["Rules"]
        assert {"NoncurrentDays": 30} in [rule.get("NoncurrentVersionExpiration") for rule in rules], name


@stages
def test_one_key_encrypts_tables_images_and_answers(synthesized: Synthesized, stage: str) -> None:
    (key,) = synthesized.resources(stage, "training", "AWS::KMS::Key")
    ours = {"Fn::GetAtt": [key, "Arn"]}
    for name in ("Data", "Artefacts", "Results"):
        (rule,) = bucket(synthesized, stage, name)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"KMSMasterKeyID": ours, "SSEAlgorithm": "aws:kms"}
    images = only(synthesized, stage, "AWS::ECR::Repository")
    assert images["EncryptionConfiguration"] == {"EncryptionType": "KMS", "KmsKey": ours}
    assert only(synthesized, stage, "AWS::CodeBuild::Project")["EncryptionKey"] == ours


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
    assert variables["TAG"] == image_tag(ROOT)
    assert "VpcConfig" not in project
    assert project["Artifacts"] == {"Type": "NO_ARTIFACTS"}
    assert project["Source"]["Type"] == "S3"
    script = json.loads(project["Source"]["BuildSpec"])["phases"]["build"]["commands"][0].splitlines()
    assert script[0] == "set -eu"
    assert "describe-images" in script[1], "an image that is there is not built again"
    assert script[1].endswith("exit 0; fi")
    assert f"--file {DOCKERFILE} " in script[3]
    assert script[4] == 'docker push "$REPOSITORY:$TAG"'
    assert text_of(outputs(synthesized, stage)["ImageUri"]) == f"{text_of(variables['REPOSITORY'])}:{image_tag(ROOT)}"


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
    assert image_tag(root) == image_tag(ROOT)
    for name in ("training/__pycache__/a.pyc", "training/jobs/b.pyc", "local/c.py", "README.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("something")
    assert image_tag(root) == image_tag(ROOT)


@pytest.mark.parametrize(
    "name", [DOCKERFILE, f"{DOCKERFILE}.dockerignore", "requirements/jobs.txt", "layers/ebb/ebb/errors.py"]
)
def test_one_byte_of_a_source_is_another_tag(tmp_path: Path, name: str) -> None:
    root = checkout(tmp_path / "checkout")
    (root / name).write_bytes((root / name).read_bytes() + b"\n")
    assert image_tag(root) != image_tag(ROOT)


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


def test_the_definition_of_batch_scoring_is_what_training_writes() -> None:
    assert DEFINITION.read_text() == written(), "run `python -m tests.stacks.batch_definition` and read the difference"


@stages
def test_batch_scoring_runs_the_image_with_its_role_is_traced_and_logs_no_input(
    synthesized: Synthesized, stage: str
) -> None:
    machine = only(synthesized, stage, "AWS::StepFunctions::StateMachine")
    told = outputs(synthesized, stage)
    assert machine["DefinitionString"] == DEFINITION.read_text()
    assert machine["DefinitionSubstitutions"] == {"Image": told["ImageUri"], "Role": told["ProcessingRoleArn"]}
    assert set(machine["DefinitionSubstitutions"]) == {"Image", "Role"}
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False, "keys of shards may name somebody"


@stages
def test_a_query_reads_so_much_and_answers_into_the_one_place(synthesized: Synthesized, stage: str) -> None:
    group = only(synthesized, stage, "AWS::Athena::WorkGroup")["WorkGroupConfiguration"]
    assert group["EnforceWorkGroupConfiguration"] is True
    assert group["BytesScannedCutoffPerQuery"] == STAGES[stage].training.scanned_gigabytes * GIGABYTE
    assert group["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert text_of(group["ResultConfiguration"]["OutputLocation"]).endswith("/queries/")
    database = only(synthesized, stage, "AWS::Glue::Database")
    assert database["DatabaseInput"]["Name"] == f"ebb_{stage}"


@stages
def test_the_tracking_server_is_the_stage_s_and_keeps_files_in_our_bucket(synthesized: Synthesized, stage: str) -> None:
    server = only(synthesized, stage, "AWS::SageMaker::MlflowTrackingServer")
    assert server["TrackingServerSize"] == STAGES[stage].training.tracking
    assert server["AutomaticModelRegistration"] is False
    assert text_of(server["ArtifactStoreUri"]).endswith("/mlflow")
    (resource,) = synthesized.resources(stage, "training", "AWS::SageMaker::MlflowTrackingServer").values()
    assert any(name.startswith("TrackingRoleDefaultPolicy") for name in resource["DependsOn"]), "it writes at once"


@stages
def test_a_job_can_be_submitted_with_what_the_stack_tells(synthesized: Synthesized, stage: str) -> None:
    told = {name: text_of(value) for name, value in outputs(synthesized, stage).items()}
    settings = SageMakerSettings(
        role=f"arn:aws:iam::123456789012:role/{told['TrainingRoleArn']}",
        image=told["ImageUri"],
        region=STAGES[stage].region,
        output=f"s3://{told['ArtefactsBucket'].lower()}/{JOBS}",
        checkpoints=f"s3://{told['ArtefactsBucket'].lower()}/{CHECKPOINTS}",
        spot=True,
    )
    assert settings.place("ebb-train-1").endswith(f"/{JOBS}/ebb-train-1/output")
    assert set(told) == {
        "ArtefactsBucket",
        "BatchScoringArn",
        "DataBucket",
        "EventTables",
        "ImageBuild",
        "ImageUri",
        "ProcessingRoleArn",
        "ResultsBucket",
        "StarterArn",
        "TrackingServerArn",
        "TrainingRoleArn",
        "Workgroup",
    }


def test_training_stands_in_the_first_region_alone(synthesized: Synthesized) -> None:
    assert {place for place, stacks in synthesized.templates.items() if "training" in stacks} == set(STAGES)
