"""The stack of training: what it keeps and for how long, batch scoring, queries, tracking, and what it tells."""

import pytest

from cdk.stages import STAGES
from local.jobs.cloud.settings import SageMakerSettings
from stacks.constructs.batch_scoring import DEFINITION
from stacks.constructs.training_places import CHECKPOINTS, JOBS
from tests.stacks.batch_definition import written
from tests.stacks.conftest import Synthesized
from tests.stacks.training_case import bucket, only, outputs, text_of

stages = pytest.mark.parametrize("stage", STAGES)
GIGABYTE = 10**9


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
