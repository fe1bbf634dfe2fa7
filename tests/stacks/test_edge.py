"""Two regions: predictions in both, writes to one, and all that each must have of the other."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as aws
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdk.assemble import assemble
from cdk.regions import regional_name, regions_of, routed_name
from cdk.stage import BadStage, Stage
from cdk.stage_parts import Access, Domain, Door, Edge
from cdk.stages import STAGES
from stacks.constructs.replication import alias_name
from stacks.firewall import MANAGED
from stacks.routes import ROUTES
from tests.stacks.conftest import CONTEXT, PLACES, Synthesized, Template, place_of
from tests.stacks.evaluation import Permissions
from tests.stacks.references import References
from tests.stacks.snapshot import stage_statements
from tests.stacks.statements import statements_of
from tests.stacks.test_cfn_lint import IGNORED, found_in

PROD = STAGES["prod"]
FIRST, SECOND = "prod", "prod-us-west-2"
EDGE = Edge("us-west-2", "10.41.0.0/16")
DOMAIN = Domain("scores.example.com", "Z0EXAMPLE0ZONE0ID", "example.com")

Stacks = dict[str, Template]


def one(template: Template, kind: str, name: str = "") -> Template:
    """Return the properties of a template's only resource of a type whose logical id begins with a name."""
    found = [one for id_, one in template["Resources"].items() if one["Type"] == kind and id_.startswith(name)]
    (resource,) = found
    return dict(resource.get("Properties", {}))


def every(template: Template, kind: str) -> dict[str, Template]:
    """Return the properties of a template's resources of a type."""
    return {name: r.get("Properties", {}) for name, r in template["Resources"].items() if r["Type"] == kind}


def variables(template: Template, function: str) -> dict[str, Any]:
    """Return what a function is told."""
    found: dict[str, Any] = one(template, "AWS::Lambda::Function", function)["Environment"]["Variables"]
    return found


def of(stage: Stage, folder: Path) -> dict[str, Stacks]:
    """Return the templates of a stage of one's own by place and part; cdk-nag finds nothing in them."""
    app = aws.App(outdir=str(folder), context=CONTEXT)
    assemble(app, stage)
    found: dict[str, Stacks] = {}
    for stack in app.synth().stacks:
        place = place_of(stack.stack_name)
        found.setdefault(place, {})[stack.stack_name.removeprefix(f"ebb-{place}-")] = stack.template
    return found


@pytest.fixture(scope="module")
def first(synthesized: Synthesized) -> Stacks:
    return dict(synthesized.templates[FIRST])


@pytest.fixture(scope="module")
def second(synthesized: Synthesized) -> Stacks:
    return dict(synthesized.templates[SECOND])


@pytest.fixture(scope="module")
def failed_over(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stacks]:
    """Return prod after a failover, as docs/runbooks/failover.md sets it."""
    return of(replace(PROD, edge=replace(EDGE, leads=True)), tmp_path_factory.mktemp("failed-over"))


@pytest.fixture(scope="module")
def walled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stacks]:
    """Return prod with a firewall before both regions."""
    return of(replace(PROD, edge=replace(EDGE, firewall=True)), tmp_path_factory.mktemp("walled"))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"edge": replace(EDGE, region="us-east-1")}, "its second region is us-east-1 too: name another one"),
        ({"edge": replace(EDGE, cidr="10.40.0.0/16")}, "its two regions need networks of different addresses"),
        ({"edge": replace(EDGE, alone=True)}, "its second region can only be alone where it leads"),
        ({"domain": None}, "callers find the nearer of two regions by name: it needs a domain"),
        ({"door": Door(kind="rest")}, "API keys stand in one region: a stage of two regions needs an HTTP API"),
    ],
)
def test_values_that_cannot_work_in_two_regions_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadStage) as refused:
        replace(PROD, **values)
    assert str(refused.value) == f"the stage 'prod': {sentence}"


def test_data_that_is_not_kept_is_followed_by_nobody() -> None:
    with pytest.raises(BadStage, match="a second region follows data that is kept"):
        replace(STAGES["staging"], domain=DOMAIN, edge=EDGE)


def test_a_region_whose_addresses_are_unknown_is_refused() -> None:
    with pytest.raises(BadStage, match="S3's addresses in ap-south-1 are not known yet"):
        assemble(aws.App(context=CONTEXT), replace(PROD, edge=replace(EDGE, region="ap-south-1")))


@given(provisioned=st.integers(1, 2_500), least=st.integers(1, 2_500), leads=st.booleans())
def test_both_halves_are_a_whole_and_one_region_always_takes_writes(provisioned: int, least: int, leads: bool) -> None:
    schedules = tuple(replace(schedule, least=least) for schedule in PROD.serving.schedules)
    serving = replace(PROD.serving, provisioned=provisioned, schedules=schedules)
    regions = regions_of(replace(PROD, serving=serving, edge=replace(EDGE, leads=leads)))
    assert 0 <= sum(region.serving.provisioned for region in regions) - provisioned <= 1
    for number in range(len(schedules)):
        assert 0 <= sum(region.serving.schedules[number].least for region in regions) - least <= 1
    assert sorted(bool(region.follows) for region in regions) == [False, True]
    (follower,) = [region for region in regions if region.follows]
    (leader,) = [region for region in regions if region.followed]
    assert follower.follows == leader.region
    assert [region.region for region in regions] == ["us-east-1", "us-west-2"], "a failover moves writes, no stack"
    assert [region.place for region in regions] == [FIRST, SECOND]


def test_each_region_keeps_half_warm_and_could_take_all() -> None:
    here, there = regions_of(PROD)
    for region in (here, there):
        assert region.serving.provisioned * 2 == PROD.serving.provisioned
        assert [schedule.least * 2 for schedule in region.serving.schedules] == [
            schedule.least for schedule in PROD.serving.schedules
        ]
        assert region.serving.most_provisioned * 10 >= PROD.serving.requests
    assert (here.place, there.place) == (FIRST, SECOND)
    assert (here.follows, there.follows, there.beside) == ("", "us-east-1", "us-east-1")
    assert (here.followed, there.followed) == (True, False)
    assert here.network.cidr != there.network.cidr == EDGE.cidr
    assert regions_of(STAGES["dev"]) == (STAGES["dev"],)


def test_both_regions_have_the_same_parts_in_their_own_region(synthesized: Synthesized) -> None:
    both = {"seal", "network", "feature-store", "registry", "inference", "monitoring", "edge"}
    assert set(synthesized.templates[SECOND]) == both
    assert both < set(synthesized.templates[FIRST]), "training stands in the first one alone"
    manifest = json.loads((synthesized.folder / "manifest.json").read_text())["artifacts"]
    for name in both:
        assert manifest[f"ebb-prod-us-west-2-{name}"]["environment"] == "aws://unknown-account/us-west-2"


def test_what_one_region_needs_of_the_other_is_deployed_before(synthesized: Synthesized) -> None:
    manifest = json.loads((synthesized.folder / "manifest.json").read_text())["artifacts"]
    for later, earlier in (
        ("ebb-prod-us-west-2-seal", "ebb-prod-seal"),
        ("ebb-prod-feature-store", "ebb-prod-us-west-2-seal"),
        ("ebb-prod-us-west-2-feature-store", "ebb-prod-feature-store"),
        ("ebb-prod-registry", "ebb-prod-us-west-2-registry"),
        ("ebb-prod-us-west-2-inference", "ebb-prod-inference"),
    ):
        assert earlier in manifest[later]["dependencies"], later


def test_no_template_imports_from_another_region_but_by_output(first: Stacks, second: Stacks) -> None:
    outputs = {f"ebb-prod-{name}": set(template.get("Outputs", {})) for name, template in first.items()}
    read = []
    for template in second.values():
        text = json.dumps(template)
        assert '"Fn::ImportValue": "ebb-prod-us-east' not in text
        assert not [name for name in outputs if f'"Fn::ImportValue": "{name}:' in text]
        read += _stack_outputs(template)
    assert {(told["StackName"], told["OutputName"]) for told in read} == {
        ("ebb-prod-seal", "KeyArn"),
        ("ebb-prod-inference", "Issuer"),
        *(("ebb-prod-inference", f"Client{client.name.capitalize()}") for client in PROD.access.clients),
    }
    for told in read:
        assert told["Region"] == "us-east-1"
        assert told["OutputName"] in outputs[told["StackName"]]
    assert not [told for template in first.values() for told in _stack_outputs(template)], "the first asks for nothing"


def _stack_outputs(node: Any) -> list[dict[str, str]]:
    if isinstance(node, list):
        return [found for each in node for found in _stack_outputs(each)]
    if not isinstance(node, dict):
        return []
    own = [node["Fn::GetStackOutput"]] if "Fn::GetStackOutput" in node else []
    return own + [found for each in node.values() for found in _stack_outputs(each)]


def test_the_database_of_the_second_region_follows_that_of_the_first(first: Stacks, second: Stacks) -> None:
    leads = one(first["feature-store"], "AWS::RDS::DBCluster")
    whole = one(first["feature-store"], "AWS::RDS::GlobalCluster")
    follows = one(second["feature-store"], "AWS::RDS::DBCluster")
    assert whole["GlobalClusterIdentifier"] == follows["GlobalClusterIdentifier"] == "ebb-prod"
    assert json.dumps(whole["SourceDBClusterIdentifier"]).count("DatabaseCluster") == 1
    assert "GlobalClusterIdentifier" not in leads, "a cluster that is there already joins as it is"
    for name in (
        "MasterUsername",
        "MasterUserPassword",
        "ManageMasterUserPassword",
        "MasterUserSecret",
        "DatabaseName",
    ):
        assert name not in follows
    assert follows["EngineVersion"] == leads["EngineVersion"]
    assert follows["EnableIAMDatabaseAuthentication"] is True
    assert follows["KmsKeyId"]["Fn::GetAtt"][0].startswith("Key"), "a key of its own region"
    assert len(every(second["feature-store"], "AWS::RDS::DBInstance")) == 2, "one to read, one to take over"
    assert not every(second["feature-store"], "AWS::RDS::GlobalCluster")


def test_the_second_region_reads_through_its_own_proxy(second: Stacks) -> None:
    endpoint = one(second["feature-store"], "AWS::RDS::DBProxyEndpoint")
    assert endpoint["TargetRole"] == "READ_ONLY"
    assert len(endpoint["VpcSubnetIds"]) == 3
    for function in ("Predict", "Maintain"):
        assert "DatabaseReading" in json.dumps(variables(second["inference"], function)["EBB_POSTGRES_HOST"])
    assert one(second["feature-store"], "AWS::RDS::DBProxy")["DefaultAuthScheme"] == "IAM_AUTH"


def test_each_region_has_a_valkey_and_a_login_of_its_own(first: Stacks, second: Stacks) -> None:
    groups = [one(stacks["feature-store"], "AWS::ElastiCache::ReplicationGroup") for stacks in (first, second)]
    assert {group["CacheNodeType"] for group in groups} == {PROD.cache.node}
    assert not any("GlobalReplicationGroupId" in group for group in groups)
    assert every(second["feature-store"], "AWS::SecretsManager::Secret").keys() == {"CacheLoginB56943F3"}


def test_both_regions_seal_under_one_secret_and_one_key(first: Stacks, second: Stacks) -> None:
    key = one(first["seal"], "AWS::KMS::Key")
    assert key["MultiRegion"] is True
    assert key["EnableKeyRotation"] is True
    replica = one(second["seal"], "AWS::KMS::ReplicaKey")
    assert replica["PrimaryKeyArn"]["Fn::GetStackOutput"]["StackName"] == "ebb-prod-seal"
    secret = one(first["feature-store"], "AWS::SecretsManager::Secret", "StageSecret")
    (copy,) = secret["ReplicaRegions"]
    assert copy["Region"] == "us-west-2"
    address = json.dumps(copy["KmsKeyId"])
    assert ":kms:us-west-2:" in address
    assert "ebb-prod-seal:ExportsOutputRefKey" in address, "a replica has the id of its key"
    told = variables(second["inference"], "Predict")["EBB_STAGE_SECRET"]
    assert told["Fn::Join"][1][-1] == f":secret:{secret['Name']}"
    assert not secret["Name"].endswith("-secret"), "or its address would be taken for a whole one"


def test_releases_and_routing_tables_are_copied_and_written_by_nobody_else(first: Stacks, second: Stacks) -> None:
    source = one(first["registry"], "AWS::S3::Bucket", "Releases")
    target = one(second["registry"], "AWS::S3::Bucket", "Releases")
    rules = source["ReplicationConfiguration"]["Rules"]
    assert {rule["Filter"]["Prefix"] for rule in rules} == {"releases/", "routing/"}
    named = target["BucketName"]["Fn::Join"][1]
    for rule in rules:
        assert rule["Status"] == rule["DeleteMarkerReplication"]["Status"] == "Enabled"
        assert rule["SourceSelectionCriteria"]["SseKmsEncryptedObjects"]["Status"] == "Enabled"
        destination = rule["Destination"]
        assert destination["Bucket"]["Fn::Join"][1][-3:] == [f":s3:::{named[0]}", *named[1:]]
        assert destination["ReplicationTime"]["Time"] == destination["Metrics"]["EventThreshold"] == {"Minutes": 15}
        assert json.dumps(destination["EncryptionConfiguration"]).count(f":{alias_name(PROD, 'releases')}") == 1
    alias = one(second["registry"], "AWS::KMS::Alias")
    assert alias["AliasName"] == alias_name(PROD, "releases")
    assert "ReplicationConfiguration" not in target
    told = one(second["registry"], "AWS::S3::BucketPolicy", "Releases")["PolicyDocument"]["Statement"]
    (refusal,) = [statement for statement in told if statement.get("Sid") == "OnlyReplicated"]
    assert (refusal["Effect"], refusal["Principal"]) == ("Deny", {"AWS": "*"})
    assert refusal["Action"] == ["s3:DeleteObject*", "s3:PutObject*"] or refusal["Action"] == [
        "s3:PutObject*",
        "s3:DeleteObject*",
    ]


def test_only_what_predicts_stands_in_the_second_region(first: Stacks, second: Stacks) -> None:
    handlers = [
        sorted(
            function["Handler"].split(".")[1]
            for name in ("feature-store", "inference")
            for function in every(stacks[name], "AWS::Lambda::Function").values()
        )
        for stacks in (first, second)
    ]
    assert handlers[1] == ["maintain", "postflight", "predict", "preflight"]
    assert sorted({*handlers[0]} - {*handlers[1]}) == ["migrate", "records"]


def test_functions_are_told_whom_they_follow_and_by_whom_they_are_followed(first: Stacks, second: Stacks) -> None:
    for function in ("Predict", "Maintain"):
        told = variables(second["inference"], function)
        assert told["EBB_POSTGRES_READ_ONLY"] == "true"
        assert told["EBB_FOLLOWS"] == "us-east-1"
        assert told["EBB_POSTGRES_USER"] == "ebb_reader"
        assert "EBB_FOLLOWED" not in told
    for function in ("Records", "Maintain"):
        told = variables(first["inference"], function)
        assert told["EBB_FOLLOWED"] == "true"
        assert not {"EBB_FOLLOWS", "EBB_POSTGRES_READ_ONLY"} & set(told)
    alone = synthesized_variables(STAGES["dev"])
    assert not {"EBB_FOLLOWED", "EBB_FOLLOWS", "EBB_POSTGRES_READ_ONLY"} & alone


def synthesized_variables(stage: Stage) -> set[str]:
    """Return the variables that a stage's maintenance is told."""
    app = aws.App(context=CONTEXT)
    stacks = assemble(app, stage)
    template = app.synth(validate_on_synthesis=False).get_stack_by_name(stacks.inference.stack_name).template
    return set(variables(template, "Maintain"))


def test_writes_are_handed_on_to_the_region_that_takes_them(second: Stacks) -> None:
    routes = {one["RouteKey"]: one for one in every(second["inference"], "AWS::ApiGatewayV2::Route").values()}
    integrations = every(second["inference"], "AWS::ApiGatewayV2::Integration")
    for route in ROUTES:
        made = routes[f"{route.method} {route.path}"]
        assert made["AuthorizationType"] == ("JWT" if route.authorized else "NONE"), "tokens are asked for here too"
        target = integrations[made["Target"]["Fn::Join"][1][1]["Ref"]]
        if route.function == "predict":
            assert target["IntegrationType"] == "AWS_PROXY"
        else:
            assert target["IntegrationType"] == "HTTP_PROXY"
            assert target["IntegrationMethod"] == route.method
            assert target["IntegrationUri"] == f"https://us-east-1.scores.example.com{route.path}"
            assert "RequestParameters" not in target, "the token passes along"


def test_both_regions_trust_the_same_issuer(first: Stacks, second: Stacks) -> None:
    outputs = first["inference"]["Outputs"]
    here = one(first["inference"], "AWS::ApiGatewayV2::Authorizer")["JwtConfiguration"]
    there = one(second["inference"], "AWS::ApiGatewayV2::Authorizer")["JwtConfiguration"]
    assert outputs[there["Issuer"]["Fn::GetStackOutput"]["OutputName"]]["Value"] == here["Issuer"]
    clients = [outputs[each["Fn::GetStackOutput"]["OutputName"]]["Value"] for each in there["Audience"]]
    assert clients == here["Audience"]
    assert not every(second["inference"], "AWS::Cognito::UserPool")


def test_an_issuer_of_ones_own_is_trusted_by_both_and_read_from_nowhere(tmp_path: Path) -> None:
    access = Access(issuer="https://login.example.com", audiences=("ebb",))
    found = of(replace(PROD, access=access, training=PROD.training), tmp_path)
    for place in (FIRST, SECOND):
        told = one(found[place]["inference"], "AWS::ApiGatewayV2::Authorizer")["JwtConfiguration"]
        assert told == {"Issuer": "https://login.example.com", "Audience": ["ebb"]}
    assert not _stack_outputs(found[SECOND]["inference"])


@pytest.mark.parametrize("place", [FIRST, SECOND])
def test_callers_are_led_to_the_nearer_region_that_is_well(synthesized: Synthesized, place: str) -> None:
    region, template = PLACES[place].region, synthesized.templates[place]["edge"]
    check = one(template, "AWS::Route53::HealthCheck")["HealthCheckConfig"]
    own = f"{region}.scores.example.com"
    assert (check["Type"], check["FullyQualifiedDomainName"], check["ResourcePath"]) == ("HTTPS", own, "/v1/health")
    assert check["RequestInterval"] * check["FailureThreshold"] <= 30
    routed = one(template, "AWS::Route53::RecordSet", "Routed")
    assert routed["Name"] == "scores.example.com."
    assert (routed["Region"], routed["SetIdentifier"]) == (region, region)
    assert routed["HealthCheckId"]["Fn::GetAtt"][0].startswith("Health")
    assert routed["AliasTarget"]["EvaluateTargetHealth"] is True
    regional = one(template, "AWS::Route53::RecordSet", "Regional")
    assert regional["Name"] == f"{own}."
    assert "HealthCheckId" not in regional, "or nobody could ask a region that is not well"
    assert ROUTES[[route.path for route in ROUTES].index("/v1/health")].authorized is False


@pytest.mark.parametrize("place", [FIRST, SECOND])
def test_each_region_answers_to_the_common_name_and_to_its_own(synthesized: Synthesized, place: str) -> None:
    template, region = synthesized.templates[place]["inference"], PLACES[place].region
    certificate = one(template, "AWS::CertificateManager::Certificate")
    names = {certificate["DomainName"], *certificate["SubjectAlternativeNames"]}
    assert names == {"scores.example.com", f"{region}.scores.example.com"}
    assert {name["DomainName"] for name in every(template, "AWS::ApiGatewayV2::DomainName").values()} == names
    assert len(every(template, "AWS::ApiGatewayV2::ApiMapping")) == 2
    assert one(template, "AWS::ApiGatewayV2::Api")["DisableExecuteApiEndpoint"] is True
    assert not every(template, "AWS::Route53::RecordSet"), "the edge leads to them"


def test_alarms_tell_what_does_not_arrive(first: Stacks, second: Stacks) -> None:
    def named(stacks: Stacks) -> dict[str, Template]:
        found = every(stacks["monitoring"], "AWS::CloudWatch::Alarm").values()
        return {alarm["AlarmName"].removeprefix("ebb-prod-"): alarm for alarm in found}

    here, there = named(first), named(second)
    assert "follower-behind" in there.keys() - here.keys()
    assert {"replication-failed", "records-errors", "migrate-errors"} <= here.keys() - there.keys()
    assert there["follower-behind"]["MetricName"] == "followed_lag_seconds"
    assert there["follower-behind"]["Threshold"] <= 300
    boards = [every(s["monitoring"], "AWS::CloudWatch::Dashboard").values() for s in (first, second)]
    names = [{board["DashboardName"] for board in found} for found in boards]
    assert not names[0] & names[1], "an account has them once, for all regions"


def permissions_of(templates: Stacks, region: str) -> Permissions:
    """Return who may do what in a region."""
    return Permissions(statements_of(References(templates, region)))


WRITES = (
    "rds-db:connect",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:ReplicateObject",
    "kms:GenerateDataKey",
    "kms:Encrypt",
)


def test_nothing_in_the_second_region_may_write_what_the_first_one_holds(synthesized: Synthesized) -> None:
    evaluated = Permissions(stage_statements(synthesized, SECOND))
    roles = sorted({statement.where for statement in evaluated.statements if statement.kind == "trust"})
    database = "arn:aws:rds-db:us-west-2:<account>:dbuser:<feature-store.DatabaseProxy>/"
    resources = [
        f"{database}ebb",
        f"{database}ebb_administrator",
        database.replace("us-west-2", "us-east-1") + "ebb",
        "arn:aws:s3:::<registry.Releases>/releases/churn/0123456789ab.zip",
        "arn:aws:s3:::<registry.Releases>/routing/churn/0000000007.json",
        "arn:aws:s3:::ebb-prod-releases-<account>-us-east-1/routing/churn/0000000007.json",
        "arn:aws:kms:us-west-2:<account>:key/<registry.Key>",
        "arn:aws:kms:us-east-1:<account>:key/another",
    ]
    assert roles
    for role in roles:
        assert list(evaluated.what(role, WRITES, resources)) == [], role
    readers = [role for role in roles if evaluated.allowed(role, "rds-db:connect", f"{database}ebb_reader")]
    assert "<inference.PredictRole>" in readers
    assert "<inference.MaintainRole>" in readers


def test_after_a_failover_each_region_has_the_others_part(failed_over: dict[str, Stacks], second: Stacks) -> None:
    leads, follows = failed_over[SECOND], failed_over[FIRST]
    assert one(leads["inference"], "AWS::Lambda::Function", "Records")
    assert one(leads["feature-store"], "AWS::Lambda::Function", "Migrate")
    assert not [name for name in every(follows["inference"], "AWS::Lambda::Function") if name.startswith("Records")]
    assert variables(follows["inference"], "Predict")["EBB_FOLLOWS"] == "us-west-2"
    assert variables(leads["inference"], "Records")["EBB_FOLLOWED"] == "true"
    assert "ReplicationConfiguration" in one(leads["registry"], "AWS::S3::Bucket", "Releases")
    assert "ReplicationConfiguration" not in one(follows["registry"], "AWS::S3::Bucket", "Releases")
    proxied = [
        target["IntegrationUri"]
        for target in every(follows["inference"], "AWS::ApiGatewayV2::Integration").values()
        if target["IntegrationType"] == "HTTP_PROXY"
    ]
    assert proxied
    assert all(uri.startswith("https://us-west-2.scores.example.com/") for uri in proxied)
    kinds = ("AWS::RDS::DBCluster", "AWS::ElastiCache::ReplicationGroup", "AWS::RDS::DBProxyEndpoint")
    for kind in kinds:
        assert every(leads["feature-store"], kind) == every(second["feature-store"], kind), "nothing is made anew"


def test_a_region_that_is_alone_copies_nothing_and_takes_writes() -> None:
    app = aws.App(context=CONTEXT)
    stacks = assemble(app, replace(PROD, edge=replace(EDGE, leads=True, alone=True))).second
    assert stacks is not None
    template = app.synth(validate_on_synthesis=False).get_stack_by_name(stacks.registry.stack_name).template
    assert "ReplicationConfiguration" not in one(template, "AWS::S3::Bucket", "Releases")
    told = one(template, "AWS::S3::BucketPolicy", "Releases")["PolicyDocument"]["Statement"]
    assert {"WrittenOnce"} == {statement["Sid"] for statement in told if "Sid" in statement}


def test_after_a_failover_no_export_goes_away_that_a_later_stack_still_imports(
    failed_over: dict[str, Stacks], second: Stacks
) -> None:
    """Promoted in the order of the stacks, each finds its imports and takes none away from those not yet deployed."""
    for name in ("feature-store", "registry", "inference"):
        now, before = (set(stacks[name].get("Outputs", {})) for stacks in (failed_over[SECOND], second))
        assert {each for each in before if each.startswith("Exports")} <= now, name


def test_after_a_failover_the_templates_are_sound(failed_over: dict[str, Stacks]) -> None:
    for place, region in ((FIRST, "us-east-1"), (SECOND, "us-west-2")):
        for name in ("feature-store", "registry"):
            findings = [one for one in found_in(failed_over[place][name], region) if one[0] not in IGNORED]
            assert findings == [], f"{place} {name}"


def test_after_a_failover_the_region_that_follows_writes_nothing(failed_over: dict[str, Stacks]) -> None:
    evaluated = permissions_of(failed_over[FIRST], "us-east-1")
    database = "arn:aws:rds-db:us-east-1:<account>:dbuser:<feature-store.DatabaseProxy>/"
    for role in ("<inference.PredictRole>", "<inference.MaintainRole>"):
        assert not evaluated.allowed(role, "rds-db:connect", f"{database}ebb")
        assert evaluated.allowed(role, "rds-db:connect", f"{database}ebb_reader")
    leads = permissions_of(failed_over[SECOND], "us-west-2")
    assert leads.allowed(
        "<inference.RecordsRole>", "rds-db:connect", f"{database}ebb".replace("us-east-1", "us-west-2")
    )


def test_a_firewall_stands_before_both_regions_where_a_stage_asks_for_it(
    walled: dict[str, Stacks], synthesized: Synthesized
) -> None:
    assert "firewall" not in synthesized.templates[FIRST]
    assert "firewall" not in walled[SECOND]
    template = walled[FIRST]["firewall"]
    acl = one(template, "AWS::WAFv2::WebACL")
    assert acl["Scope"] == "CLOUDFRONT"
    rules = {rule["Name"]: rule for rule in acl["Rules"]}
    assert set(rules) == {"Flood", *MANAGED}
    assert rules["Flood"]["Action"] == {"Block": {}}
    common = rules["AWSManagedRulesCommonRuleSet"]["Statement"]["ManagedRuleGroupStatement"]
    assert common["RuleActionOverrides"] == [{"ActionToUse": {"Count": {}}, "Name": "SizeRestrictions_BODY"}]
    log = one(template, "AWS::WAFv2::LoggingConfiguration")
    assert {"SingleHeader": {"Name": "authorization"}} in log["RedactedFields"]
    assert one(template, "AWS::Logs::LogGroup")["LogGroupName"].startswith("aws-waf-logs-")
    distribution = one(template, "AWS::CloudFront::Distribution")["DistributionConfig"]
    assert distribution["Aliases"] == ["scores.example.com"]
    (origin,) = distribution["Origins"]
    assert origin["DomainName"] == "regions.scores.example.com"
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert distribution["WebACLId"]["Fn::GetAtt"][0].startswith("Firewall")
    assert set(distribution["DefaultCacheBehavior"]["AllowedMethods"]) >= {"GET", "PUT", "POST", "DELETE"}
    assert not {rule for rule, _ in found_in(template, "us-east-1")} - set(IGNORED)
    for place in (FIRST, SECOND):
        assert one(walled[place]["edge"], "AWS::Route53::RecordSet", "Routed")["Name"] == "regions.scores.example.com."
        certificate = one(walled[place]["inference"], "AWS::CertificateManager::Certificate")
        assert certificate["DomainName"] == "regions.scores.example.com"


def test_names_are_known_before_anything_is_made() -> None:
    here, there = regions_of(PROD)
    assert regional_name(DOMAIN, there.region) == "us-west-2.scores.example.com"
    assert routed_name(here, DOMAIN) == routed_name(there, DOMAIN) == DOMAIN.name
