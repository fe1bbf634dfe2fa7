"""Monitoring: alarms with runbooks, burn of the budget, metrics that the functions really emit, who may tell whom."""

import json
import re
from dataclasses import replace
from pathlib import Path

import aws_cdk as aws
import pytest

from cdk.assemble import assemble
from cdk.stage import Stage
from cdk.stages import STAGES
from ebb.connect import make_metrics
from ebb.metric_units import UNITS, unit_of
from ebb.settings import Settings
from stacks.constructs.alarm_table import OBJECTIVE, alarm_table, connections_of
from stacks.constructs.burn import BURNS
from stacks.constructs.signals import NAMESPACE
from tests.home import ROOT
from tests.stacks.conftest import CONTEXT, PLACES, Synthesized, Template
from tests.stacks.watched import alarms, composites, every_metric, flat, own_metrics, shown, statements

STARS = {"champion", "challenger", "cheap", "rules", "fast", "durable", "cache", "none"} | {
    "valkey",
    "valkey_replica",
    "postgres",
}
"""What a star in the name of a metric may stand for (docs/signals.md)."""

stages = pytest.mark.parametrize("stage", tuple(STAGES))


def is_emitted(name: str) -> bool:
    """Say whether the functions know a metric of that name, with what a star may stand for."""
    patterns = [re.escape(known).replace(r"\*", f"({'|'.join(sorted(STARS))})") for known in UNITS]
    return any(re.fullmatch(pattern, name) for pattern in patterns)


def told(synthesized: Synthesized, stage: str) -> dict[str, str]:
    """Return what the prediction function is told, with something in the place of each reference."""
    functions = synthesized.resources(stage, "inference", "AWS::Lambda::Function")
    (predict,) = [one["Properties"] for name, one in functions.items() if name.startswith("Predict")]
    stand_ins = {
        "PORT": "6379",
        "HOST": "localhost",
        "SECRET": "arn:aws:secretsmanager:us-east-1:123456789012:secret:one",
    }
    return {
        name: value
        if isinstance(value, str)
        else stand_ins.get(name.rpartition("_")[2], f"s3://bucket/{name.removeprefix('EBB_').lower()}")
        for name, value in predict["Environment"]["Variables"].items()
    }


@stages
def test_every_metric_of_ours_is_one_that_functions_emit(synthesized: Synthesized, stage: str) -> None:
    found = {name for name, _ in own_metrics(synthesized, stage)}
    assert len(found) >= 40
    assert {name for name in found if not is_emitted(name)} == set()
    assert not is_emitted("breaker_redis_open")
    source = "".join(
        path.read_text() for path in [*(ROOT / "layers/ebb/ebb").rglob("*.py"), *(ROOT / "lambdas").rglob("*.py")]
    )
    plain = {name for name in found if name in UNITS}
    assert {name for name in plain if f'"{name}"' not in source} == set()


@stages
def test_namespace_and_dimensions_are_those_of_the_line_that_functions_write(
    synthesized: Synthesized, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    monkeypatch.setattr("ebb.metrics._to_stdout", written.append)
    names = {(name, given["function"]) for name, given in own_metrics(synthesized, stage)}
    assert {function for _, function in names} <= {"predict", "records", "maintain"}
    settings = Settings.from_environment(told(synthesized, stage))
    for name, function in sorted(names):
        metrics = make_metrics(settings, function)
        metrics.count(name)
        metrics.flush()
        line = json.loads(written.pop())
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        (dimensions,) = directive["Dimensions"]
        emitted = {dimension: line[dimension] for dimension in dimensions}
        assert directive["Namespace"] == NAMESPACE
        assert (name, emitted) in own_metrics(synthesized, stage)
        assert directive["Metrics"] == [{"Name": name, "Unit": unit_of(name)}]


@stages
def test_alarms_are_the_rows_of_the_table_and_of_the_burns(synthesized: Synthesized, stage: str) -> None:
    table = alarm_table(PLACES[stage])
    windows = {f"burn-{burn.name}-{window}" for burn in BURNS for window in ("long", "short")}
    found = alarms(synthesized, stage)
    assert set(found) == set(table) | windows
    for name, row in table.items():
        given = found[name]
        assert given["Threshold"] == row.beyond
        assert (given["DatapointsToAlarm"], given["EvaluationPeriods"]) == (row.points, row.of)
        assert row.points <= row.of
        periods = {one["MetricStat"]["Period"] for one in given.get("Metrics", []) if "MetricStat" in one}
        assert (periods or {given["Period"]}) == {row.period}
    assert ("aurora-lag" in found) is STAGES[stage].database.reader
    assert ("valkey-lag" in found) is (STAGES[stage].cache.replicas > 0)


@stages
def test_silence_is_a_fault_only_of_what_always_speaks(synthesized: Synthesized, stage: str) -> None:
    said = {name: given["TreatMissingData"] for name, given in alarms(synthesized, stage).items()}
    assert set(said.values()) == {"breaching", "notBreaching"}
    silent = {name for name, treated in said.items() if treated == "breaching"}
    assert silent == {"maintain-silent", "aurora-capacity", "valkey-memory"}
    assert alarms(synthesized, stage)["maintain-silent"]["ComparisonOperator"] == "LessThanThreshold"


@stages
def test_a_percentile_of_few_changes_nothing(synthesized: Synthesized, stage: str) -> None:
    found = alarms(synthesized, stage)
    ignoring = {name for name, given in found.items() if given.get("EvaluateLowSampleCountPercentile") == "ignore"}
    assert ignoring == {"gateway-latency", "predict-duration"}
    assert ignoring == {name for name, given in found.items() if given.get("ExtendedStatistic")}


@stages
def test_the_budget_burns_in_both_windows_before_anybody_is_told(synthesized: Synthesized, stage: str) -> None:
    found, rules = alarms(synthesized, stage), composites(synthesized, stage)
    logical = synthesized.resources(stage, "monitoring", "AWS::CloudWatch::Alarm")
    names = {name: one["Properties"]["AlarmName"] for name, one in logical.items()}
    assert set(rules) == {f"burn-{burn.name}" for burn in BURNS} | {"rollback"}
    for burn in BURNS:
        for window, seconds in (("long", burn.long), ("short", burn.short)):
            given = found[f"burn-{burn.name}-{window}"]
            assert given["Threshold"] == burn.rate
            (expression,) = [one["Expression"] for one in given["Metrics"] if "Expression" in one]
            least = STAGES[stage].watch.requests
            assert expression == f"IF(requests >= {least}, FILL(errors, 0) / requests / 0.0005, 0)"
            metrics = {one["Id"]: one["MetricStat"] for one in given["Metrics"] if "MetricStat" in one}
            assert {one["Period"] for one in metrics.values()} == {seconds}
            assert {one: metric["Metric"]["MetricName"] for one, metric in metrics.items()} == {
                "errors": "5xx",
                "requests": "Count",
            }
        rule = flat(rules[f"burn-{burn.name}"]["AlarmRule"])
        members = [names[one] for one in re.findall(r"\$\{(\w+)\.Arn\}", rule)]
        assert members == [f"ebb-{stage}-burn-{burn.name}-{window}" for window in ("long", "short")]
        assert " AND " in rule
        assert " OR " not in rule


def test_rates_and_windows_are_the_workbook_s() -> None:
    hour, month = 3_600, 30 * 86_400
    pages = [(burn.rate, burn.long / hour, burn.short / hour) for burn in BURNS if burn.told == "page"]
    assert pages == [(14.4, 1, 1 / 12), (6, 6, 0.5)]
    spent = [round(burn.rate * burn.long * burn.days / month, 3) for burn in BURNS]
    assert spent == [0.02, 0.05, 0.1, 0.1], "of a month's budget when the alarm begins"
    assert [burn.short * 12 for burn in BURNS[:3]] == [burn.long for burn in BURNS[:3]]
    assert pytest.approx(0.0005) == 1 - OBJECTIVE


@stages
def test_the_rollback_is_what_a_change_makes_worse(synthesized: Synthesized, stage: str) -> None:
    rule = flat(composites(synthesized, stage)["rollback"]["AlarmRule"])
    members = set(re.findall(r"\$\{(\w+?)[0-9A-F]{8}\.Arn\}", rule))
    assert {"GatewayErrors", "PredictErrors", "PredictDuration", "PredictDegraded", "BurnHour"} <= members
    alarms = synthesized.resources(stage, "inference", "AWS::CloudWatch::Alarm")
    shift = {name for name in alarms if not name.startswith("WarmAsked")}  # which ask for capacity
    assert all(name in rule for name in shift), "what takes a shift back is a member"
    assert shift
    assert " AND " not in rule


@stages
def test_topics_are_encrypted_and_hear_this_stage_s_alarms_over_tls_only(synthesized: Synthesized, stage: str) -> None:
    topics = synthesized.resources(stage, "monitoring", "AWS::SNS::Topic")
    (key,) = synthesized.resources(stage, "monitoring", "AWS::KMS::Key").values()
    assert len(topics) == 2
    assert all("KmsMasterKeyId" in topic["Properties"] for topic in topics.values())
    said = statements(synthesized, stage, "AWS::SNS::TopicPolicy")
    refused = [one for one in said if one["Effect"] == "Deny"]
    assert [one["Condition"] for one in refused] == [{"Bool": {"aws:SecureTransport": "false"}}] * 2
    allowed = [one for one in said if one["Effect"] == "Allow"]
    for one in allowed:
        assert one["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert one["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        assert flat(one["Condition"]["ArnLike"]["aws:SourceArn"]).endswith(f":alarm:ebb-{stage}-*")
    assert len(allowed) == 2
    (opened,) = [one for one in key["Properties"]["KeyPolicy"]["Statement"] if one.get("Sid") == "Alarms"]
    assert opened["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@stages
def test_dashboards_say_what_they_replace_and_show_every_part(synthesized: Synthesized, stage: str) -> None:
    bodies = {
        flat(one["Properties"]["DashboardName"]): flat(one["Properties"]["DashboardBody"])
        for one in synthesized.resources(stage, "monitoring", "AWS::CloudWatch::Dashboard").values()
    }
    assert set(bodies) == {f"ebb-{stage}-service", f"ebb-{stage}-tiers"}
    for body in bodies.values():
        text = json.loads(body)["widgets"][0]["properties"]["markdown"]
        assert "Prometheus and Grafana" in text
        assert "docs/signals.md" in text
    names = {name for _, name, _ in shown(synthesized, stage)}
    traffic = {"Count", "5xx", "Latency", "Duration", "latency_ms", "degraded", "variant_champion", "cost_usd_champion"}
    tiers = {"read_fast", "breaker_valkey", "breaker_postgres", "ServerlessDatabaseCapacity", "EngineCPUUtilization"}
    assert traffic | tiers <= names


def test_where_addresses_are_named_they_are_told(tmp_path: Path) -> None:
    watch = replace(STAGES["dev"].watch, page=("https://example.com/hook", "a@example.com"), ticket=("b@example.com",))
    template = monitoring_of(replace(STAGES["dev"], watch=watch), tmp_path)
    told = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::SNS::Subscription"]
    assert sorted((one["Protocol"], one["Endpoint"]) for one in told) == [
        ("email", "a@example.com"),
        ("email", "b@example.com"),
        ("https", "https://example.com/hook"),
    ]


def monitoring_of(stage: Stage, folder: Path) -> Template:
    """Return the monitoring's template of a stage of one's own."""
    app = aws.App(outdir=str(folder), context=CONTEXT)
    stacks = assemble(app, stage)
    found: Template = app.synth(validate_on_synthesis=False).get_stack_by_name(stacks.monitoring.stack_name).template
    return found


@pytest.mark.parametrize(
    ("least", "most", "connections"),
    [(0.5, 2, 450), (0.5, 8, 1_802), (0.5, 64, 2_000), (2, 64, 5_000), (2, 16, 3_604)],
)
def test_connections_follow_from_the_capacity(least: float, most: float, connections: int) -> None:
    database = replace(STAGES["prod"].database, least_acu=least, most_acu=most)
    assert connections_of(replace(STAGES["prod"], database=database)) == connections


@stages
def test_no_alarm_looks_at_a_node_that_is_not_there(synthesized: Synthesized, stage: str) -> None:
    nodes = {
        flat(given["CacheClusterId"])
        for space, _, given in every_metric(synthesized, stage)
        if space == "AWS/ElastiCache"
    }
    assert sorted(node[-4:] for node in nodes) == [f"-{n:03}" for n in range(1, STAGES[stage].cache.replicas + 2)]
