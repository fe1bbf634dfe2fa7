"""Each rule against arithmetic by hand."""

from typing import Any

import pytest

from cdk.pricing.bill import priced
from cdk.pricing.case import Case
from cdk.pricing.errors import PricingError
from cdk.pricing.load import Load
from cdk.pricing.measured import read_measured
from cdk.pricing.table import lines_of
from cdk.pricing.templates import templates_of
from tests.stacks.pricing_case import GIB, HOURS, SECONDS, case_of, lines, named, small

M = read_measured()
CALLS = 100 * SECONDS
WRITES = 1 * SECONDS
CLUSTER = {
    "Type": "AWS::RDS::DBCluster",
    "Properties": {"ServerlessV2ScalingConfiguration": {"MinCapacity": 2, "MaxCapacity": 64}},
}
INSTANCE = {"DBInstanceClass": "db.serverless", "DBClusterIdentifier": {"Ref": "Cluster"}}
PROD_CACHE = {"CacheNodeType": "cache.r7g.2xlarge", "NumCacheClusters": 3}
DEV_CACHE = {"CacheNodeType": "cache.t4g.small", "SnapshotRetentionLimit": 7}
SEEN = {"MetricStat": {"Period": 60}}
HOURLY = {
    "Type": "AWS::Scheduler::Schedule",
    "Properties": {"ScheduleExpression": "rate(1 hour)", "Target": {"Arn": {"Fn::GetAtt": ["It", "Arn"]}}},
}


def usd(kind: str, properties: dict[str, Any], load: Load | None = None, **more: dict[str, Any]) -> float:
    return sum(line.usd for line in lines(kind, properties, load, **more))


def of(name: str, load: Load | None = None) -> dict[str, float]:
    """Return the lines of one resource of the small stage, dollars by what they pay for."""
    case = case_of(load)
    return {line.what: line.usd for line in lines_of(named(case.templates, name), case)}


def test_a_prediction_is_billed_for_its_share_of_a_core_its_wait_and_half_a_millisecond() -> None:
    by_hand = (0.548 / (1_024 / 1_769) + 0.7 + 0.5) / 1_000
    assert case_of().single_seconds == pytest.approx(by_hand)
    assert case_of().batch_seconds == pytest.approx(by_hand + 0.03553 * 1_769 / 1_024)


def test_the_prediction_function_pays_calls_time_and_events() -> None:
    found = of("Predict")
    assert found["calls"] == pytest.approx(CALLS * 0.2 / 1e6)
    assert found["time"] == pytest.approx(CALLS * case_of().single_seconds * 0.0000077778)
    events = CALLS * 744 / GIB
    assert found["events, written"] == pytest.approx(events * 0.50), "below the first tier's end"
    assert found["events, kept"] == pytest.approx(events * 0.36 * 30 / 30.4 * 0.03)
    assert not any("traces" in what for what in found)
    assert found["start and report lines, written"] == 0


def test_where_lambda_reports_each_call_it_costs_lines_and_traces() -> None:
    templates = small()
    told = templates["inference"]["Resources"]["Predict"]["Properties"]
    told["TracingConfig"], told["LoggingConfig"] = {"Mode": "Active"}, {"LogGroup": {"Ref": "Log"}}
    case = Case(templates_of(templates), Load(100, 0.5))
    found = {line.what: line.usd for line in lines_of(case.predict, case)}
    assert found["predict: traces"] == pytest.approx((SECONDS + CALLS * 0.05) * 5 / 1e6)
    assert found["start and report lines, written"] == pytest.approx(CALLS * 560 / GIB * 0.50)


def test_ten_requests_a_second_need_an_environment_however_fast_they_are() -> None:
    assert case_of(Load(100, 0.5)).needed == 20
    assert case_of(Load(100, 1)).needed == 10
    assert case_of(Load(15_000, 0.6)).needed == 25_000 / 10


def test_batches_need_environments_for_as_long_as_they_take_and_a_tenth_of_a_second_at_least() -> None:
    case = case_of(Load(0, 1, batches=1_000))
    assert case.batch_seconds < 0.1
    assert case.needed == 100
    slow = templates_of(small())
    named(slow, "Predict").properties["MemorySize"] = 512  # type: ignore[index]
    found = Case(slow, Load(0, 1, batches=1_000))
    assert found.batch_seconds > 0.1
    assert found.needed == pytest.approx(1_000 * found.batch_seconds, abs=1)


def test_environments_are_held_by_need_and_never_fewer_than_the_schedule_keeps() -> None:
    assert case_of(Load(60, 1)).held == 12 / 24 * 20 + 12 / 24 * 6
    held = of("Version", Load(60, 1))
    assert sum(held.values()) == pytest.approx(13 * SECONDS * 1.0 * 0.0000033334)


def test_without_a_schedule_the_target_s_least_is_held_and_without_a_target_what_is_needed() -> None:
    templates = small()
    del templates["inference"]["Resources"]["Warm"]["Properties"]["ScheduledActions"]
    assert Case(templates_of(templates), Load(10, 1)).held == 5
    del templates["inference"]["Resources"]["Warm"]
    case = Case(templates_of(templates), Load(10, 1))
    assert (case.held, case.most) == (1, None)


def test_a_schedule_of_no_hour_is_told() -> None:
    templates = small()
    templates["inference"]["Resources"]["Warm"]["Properties"]["ScheduledActions"][0]["Schedule"] = "at(2027-01-01)"
    with pytest.raises(PricingError, match="is no hour of the day"):
        _ = Case(templates_of(templates), Load(10, 1)).held


def test_the_door_counts_each_half_megabyte_and_writes_too() -> None:
    assert sum(of("Api").values()) == pytest.approx((CALLS + WRITES) * 1e-6)
    batches = sum(of("Api", Load(0, 0.5, batches=10)).values())
    assert batches == pytest.approx(10 * SECONDS * 1e-6), "420 KB of answers are counted once"


def test_the_door_s_log_and_metrics() -> None:
    found = of("Door")
    size = (CALLS + WRITES) * 248 / GIB
    assert found["access log, written"] == pytest.approx(size * 0.50)
    assert found["access log, kept"] == pytest.approx(size * 0.15 * 30 / 30.4 * 0.03)
    assert found["metrics of routes"] == pytest.approx(6 * 0.30)


def test_a_function_that_keeps_records_is_called_for_each_write() -> None:
    found = lines("AWS::Lambda::Function", {"Handler": "lambdas.records.handler.handle", "MemorySize": 1_769})
    by = {line.what: line for line in found}
    assert by["records: calls"].quantity == pytest.approx(WRITES)
    assert by["records: time"].usd == pytest.approx(WRITES * (0.8 + 4.0) / 1e3 * 1_769 / 1_024 * 0.0000166667)


def test_a_scheduled_function_runs_as_often_as_its_schedule_says() -> None:
    found = lines("AWS::Lambda::Function", {"Handler": "lambdas.maintain.handler.handle"}, Schedule=HOURLY)
    assert found[0].quantity == HOURS


def test_a_function_that_only_deployments_call_is_priced_at_all_the_time_it_may_take() -> None:
    by = {line.what: line for line in lines("AWS::Lambda::Function", {"Handler": "index.handler", "Timeout": 900})}
    assert by["It: time"].quantity == pytest.approx(60 * 900 * 128 / 1_024)


@pytest.mark.parametrize(
    ("kind", "properties", "dollars"),
    [
        ("AWS::ElastiCache::ReplicationGroup", PROD_CACHE, 3 * 730 * 0.6984),
        ("AWS::ElastiCache::ReplicationGroup", DEV_CACHE, 730 * 0.0256 + 6 * 6 * 0.085),
        ("AWS::RDS::DBCluster", {}, 100 * 0.10 + WRITES * 4 * 0.2e-6),
        ("AWS::RDS::DBCluster", {"BackupRetentionPeriod": 35}, 100 * 0.10 + WRITES * 4 * 0.2e-6 + 100 * 0.021),
        ("AWS::RDS::DBProxy", {}, 8 * 730 * 0.015),
        ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b", "c"]}, 3 * 730 * 0.01),
        ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"}, 0.0),
        ("AWS::EC2::NatGateway", {}, 730 * 0.045),
        ("AWS::EC2::EIP", {}, 730 * 0.005),
        ("AWS::EC2::FlowLog", {}, 0.05),
        ("AWS::CloudWatch::Alarm", {"MetricName": "Errors", "Period": 60}, 0.10),
        ("AWS::CloudWatch::Alarm", {"MetricName": "Errors", "Period": 10}, 0.30),
        ("AWS::CloudWatch::Alarm", {"Metrics": [SEEN, SEEN, {"Expression": "a/b"}]}, 0.20),
        ("AWS::CloudWatch::CompositeAlarm", {}, 0.50),
        ("AWS::CloudWatch::Dashboard", {}, 3.00),
        ("AWS::SNS::Topic", {}, 100 * 0.00002),
        ("AWS::FIS::ExperimentTemplate", {}, 20 * 0.10),
        ("AWS::CodeDeploy::DeploymentGroup", {}, 0.0),
        ("AWS::Scheduler::Schedule", {"ScheduleExpression": "rate(1 minute)"}, 730 * 60 / 1e6),
        ("AWS::Scheduler::Schedule", {"ScheduleExpression": "cron(0 1 * * ? *)"}, 730 / 24 / 1e6),
        ("AWS::Events::Rule", {}, 730 * 60 / 1e6),
        ("AWS::Cognito::UserPoolClient", {}, 6.00 + 20 * 730 * 0.00225),
        ("AWS::SageMaker::MlflowTrackingServer", {"TrackingServerSize": "Small"}, 730 * 0.642),
        ("AWS::ECR::Repository", {}, 0.30),
        ("AWS::CodeBuild::Project", {"Environment": {"ComputeType": "BUILD_GENERAL1_MEDIUM"}}, 80 * 0.01),
        ("AWS::StepFunctions::StateMachine", {}, 10_000 * 0.000025),
        ("AWS::Athena::WorkGroup", {}, 0.50),
        ("AWS::ApiGateway::RestApi", {}, (CALLS + WRITES) * 3.5e-6),
    ],
)  # fmt: skip
def test_a_resource_costs_what_a_hand_reckons(kind: str, properties: dict[str, Any], dollars: float) -> None:
    assert usd(kind, properties) == pytest.approx(dollars)


def test_the_stage_of_a_rest_api_pays_its_access_log_and_the_metrics_of_each_method() -> None:
    log = {"AccessLogSetting": {"DestinationArn": {"Fn::GetAtt": ["Log", "Arn"]}}}
    method = {"Type": "AWS::ApiGateway::Method", "Properties": {}}
    written = usd("AWS::ApiGateway::Stage", log)
    assert written == pytest.approx(sum(dollars for what, dollars in of("Door").items() if "access log" in what))
    measured = {**log, "MethodSettings": [{"HttpMethod": "*", "MetricsEnabled": True}]}
    assert usd("AWS::ApiGateway::Stage", measured, One=method, Other=method) == pytest.approx(written + 2 * 5 * 0.30)
    assert usd("AWS::ApiGateway::Stage", {}) == 0


def test_an_instance_has_its_cluster_s_least_and_what_writes_need_up_to_its_most() -> None:
    assert usd("AWS::RDS::DBInstance", INSTANCE, Cluster=CLUSTER) == pytest.approx((2 + 1 * 0.02) * 730 * 0.12)
    busy = usd("AWS::RDS::DBInstance", INSTANCE, Load(1e6), Cluster=CLUSTER)
    assert busy == pytest.approx(64 * 730 * 0.12)


def test_an_instance_that_does_not_scale_needs_a_price_of_its_own() -> None:
    with pytest.raises(PricingError, match=r"what db\.r7g\.large costs is not written down"):
        usd("AWS::RDS::DBInstance", {**INSTANCE, "DBInstanceClass": "db.r7g.large"}, Cluster=CLUSTER)


def test_keys_secrets_and_buckets_are_asked_by_each_new_environment() -> None:
    starts = case_of().held * 730 / 2
    assert usd("AWS::KMS::Key", {}) == pytest.approx(1.00 + starts * 3e-6)
    assert usd("AWS::SecretsManager::Secret", {}) == pytest.approx(0.40 + starts * 5e-6)
    reads, lists = (starts * 2 + 60 * 730) * 0.4e-6, 60 * 730 * 5e-6
    assert usd("AWS::S3::Bucket", {}) == pytest.approx(0.023 + reads + lists)


def test_training_s_buckets_are_priced_by_their_size_and_its_machines_by_the_hour() -> None:
    of_training = templates_of({**small(), "training": {"Resources": {
        "Data": {"Type": "AWS::S3::Bucket", "Properties": {}},
        "Images": {"Type": "AWS::ECR::Repository", "Properties": {}},
    }}})  # fmt: skip
    bill = priced(Case(of_training, Load(100, 0.5)))
    lines_of_training = [line for line in bill.lines if line.component == "training"]
    assert {line.what: line.usd for line in lines_of_training} == pytest.approx(
        {"storage": 100 * 0.023, "images": 0.30, "machines of jobs": 20 * 0.48384}
    )
    assert not any(line.component == "training" for line in priced(case_of()).lines), "no image, no machine"


def test_what_no_resource_stands_for_is_priced() -> None:
    bill = priced(case_of())
    unseen = {line.what: line for line in bill.lines if not line.part}
    assert unseen["metrics of functions"].usd == pytest.approx(60 * 0.30)
    assert unseen["to Valkey and back"].usd == pytest.approx(CALLS * 1_600 / GIB * 0.667 * 0.01)
    assert unseen["second version, warm"].usd == pytest.approx(20 * 25 * 60 * case_of().held * 0.0000033334)
    answers = (CALLS + WRITES) * (420 + 420) / GIB
    assert unseen["answers"].usd == pytest.approx(answers * 0.09)
    assert unseen["through endpoints"].usd > 0


def test_lines_of_metrics_come_after_a_hundred_requests_or_ten_seconds() -> None:
    found = of("Predict", Load(100, 1))  # 17.5 environments on average: 10 s bring fewer than a hundred
    rate = 100 / case_of(Load(100, 1)).held
    lines_a_month = CALLS / min(100, rate * 10)
    assert found["lines of metrics, written"] == pytest.approx(lines_a_month * M["metrics_bytes"] / GIB * 0.50)
