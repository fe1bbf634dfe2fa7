"""The values of a stage: what cannot work is refused in a sentence, what can is taken, and a shift fits the account."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdk.egress import HOURS_A_MONTH, cheaper_egress
from cdk.stage import OTHER_CONCURRENCY, REQUESTS_AN_ENVIRONMENT, BadStage, Stage
from cdk.stage_parts import Access, Client, Door, Schedule, UsagePlan
from cdk.stages import STAGES, stage_named

TOO_MANY = (
    "during a shift two versions hold 5,000 environments, the other functions need 200: more than the account's 5,199"
)
PROD, DEV = STAGES["prod"], STAGES["dev"]


def changed(stage: Stage, part: str, **values: Any) -> Stage:
    """Return a stage with other values in one of its parts."""
    return replace(stage, **{part: replace(getattr(stage, part), **values)})


@pytest.mark.parametrize(
    ("part", "values", "sentence"),
    [
        ("network", {"zones": 1}, "1 zones; Aurora needs two, a region has three"),
        ("network", {"zones": 4}, "4 zones; Aurora needs two, a region has three"),
        ("database", {"least_acu": 0.0}, "capacity from 0.0 to 64 ACU; between 0.5 and 256, rising"),
        ("database", {"least_acu": 65}, "capacity from 65 to 64 ACU; between 0.5 and 256, rising"),
        ("database", {"most_acu": 257}, "capacity from 2 to 257 ACU; between 0.5 and 256, rising"),
        ("database", {"backup_days": 0}, "backups of 0 days; 1 to 35 can be had"),
        ("database", {"backup_days": 36}, "backups of 36 days; 1 to 35 can be had"),
        ("database", {"reader": False}, "data is kept, so the database needs a reader that can take over"),
        ("cache", {"replicas": 0}, "data is kept, so the cache needs a replica that can take over"),
        ("cache", {"replicas": 6}, "6 cache replicas; 0 to 5 can be had"),
        ("access", {"issuer": "https://a"}, "name an issuer of tokens, or clients of its own, not both"),
        ("access", {"clients": ()}, "name an issuer of tokens, or clients of its own, not both"),
        ("access", {"audiences": ("ebb",)}, "an issuer and its audiences go together"),
        ("serving", {"memory_mb": 127}, "127 MB of memory; 128 to 10,240 can be had"),
        ("serving", {"memory_mb": 10_241}, "10241 MB of memory; 128 to 10,240 can be had"),
        ("serving", {"provisioned": 0}, "provisioned environments: 1 to the most"),
        ("serving", {"provisioned": 2_501}, "provisioned environments: 1 to the most"),
        ("serving", {"schedules": (Schedule("Feast", 9, 2_501),)}, "a schedule asks beyond the most"),
        ("serving", {"schedules": (Schedule("Never", 9, 0),)}, "a schedule asks beyond the most"),
        ("serving", {"utilisation": 0.05}, "utilisation must lie between 0.1 and 0.9"),
        ("serving", {"utilisation": 0.95}, "utilisation must lie between 0.1 and 0.9"),
        (
            "serving",
            {"requests": 25_001},
            "25,001 requests a second need 2,501 environments (10 each), and at most 2,500 are provisioned",
        ),
        (
            "serving",
            {"account_concurrency": 5_199},
            TOO_MANY,
        ),
    ],
)
def test_impossible_values_are_refused_in_a_sentence_that_names_the_stage(
    part: str, values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadStage) as refused:
        changed(PROD, part, **values)
    assert str(refused.value) == f"the stage 'prod': {sentence}"


@pytest.mark.parametrize(
    ("access", "sentence"),
    [
        (Access(issuer="http://a", audiences=("ebb",)), "the issuer must be an https address"),
        (Access(issuer="https://a"), "an issuer and its audiences go together"),
        (Access((Client("x", ("predict", "fly")),)), "unknown scopes: fly; there are predict, explain, "),
    ],
)
def test_impossible_access_is_refused(access: Access, sentence: str) -> None:
    with pytest.raises(BadStage) as refused:
        replace(PROD, access=access)
    assert str(refused.value).startswith(f"the stage 'prod': {sentence}")


SCORING = UsagePlan("scoring", 20, 40, 1_000_000)


@pytest.mark.parametrize(
    ("door", "sentence"),
    [
        (Door("http", (SCORING,)), "usage plans need a REST API: an HTTP API has no API keys"),
        (Door("rest", (replace(SCORING, client="nobody"),)), "usage plans of unknown clients: nobody"),
        (Door("rest", (SCORING, replace(SCORING, rate=1))), "a client has more than one usage plan"),
        *[
            (Door("rest", (plan,)), "a usage plan allows at least one request a second, at once and a month")
            for plan in (replace(SCORING, rate=0), replace(SCORING, burst=0), replace(SCORING, monthly=0))
        ],
        *[
            (Door("rest", (plan,)), "a usage plan allows more than the stage lets through")
            for plan in (replace(SCORING, rate=51), replace(SCORING, burst=101))
        ],
    ],
)
def test_an_impossible_door_is_refused(door: Door, sentence: str) -> None:
    with pytest.raises(BadStage) as refused:
        replace(DEV, door=door)
    assert str(refused.value) == f"the stage 'dev': {sentence}"


def test_a_rest_api_takes_tokens_of_its_own_pool_only() -> None:
    with pytest.raises(BadStage, match="a REST API takes tokens of its own user pool only"):
        replace(DEV, access=Access(issuer="https://login.example.com", audiences=("ebb",)), door=Door("rest"))


def test_a_rest_api_stands_in_one_region() -> None:
    assert PROD.edge is not None
    with pytest.raises(BadStage, match="API keys stand in one region: a stage of two regions needs an HTTP API"):
        replace(PROD, door=Door("rest"))
    assert replace(PROD, door=Door("rest"), edge=None).door.kind == "rest"


def test_plans_as_large_as_the_stage_are_taken() -> None:
    door = Door("rest", (UsagePlan("scoring", 50, 100, 1), UsagePlan("loading", 1, 1, 1)))
    assert replace(DEV, door=door).door == door


def test_an_issuer_of_ones_own_stands_in_place_of_the_clients() -> None:
    issuer = Access(issuer="https://login.example.com", audiences=("ebb",))
    assert replace(PROD, access=issuer).access == issuer


def test_only_data_that_is_kept_needs_somebody_who_takes_over() -> None:
    alone = changed(changed(DEV, "database", reader=False), "cache", replicas=0)
    assert not alone.database.reader
    with pytest.raises(BadStage, match="the database needs a reader"):
        replace(alone, keep=True)


@given(most=st.integers(1, 10_000), requests=st.integers(1, 200_000), account=st.integers(300, 30_000))
def test_a_stage_is_taken_exactly_where_peak_and_shift_both_fit(most: int, requests: int, account: int) -> None:
    values: dict[str, Any] = {
        "provisioned": 1,
        "most_provisioned": most,
        "schedules": (),
        "requests": requests,
        "account_concurrency": account,
    }
    fits = most * REQUESTS_AN_ENVIRONMENT >= requests and 2 * most + OTHER_CONCURRENCY <= account
    try:
        stage = changed(DEV, "serving", **values)
    except BadStage:
        assert not fits
    else:
        assert fits
        # While a version is shifted to the next, both are whole, and a hundred unreserved environments are left.
        assert stage.reserved_concurrency == 2 * stage.version_concurrency
        assert stage.reserved_concurrency + 100 <= account


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_each_stage_covers_its_peak_while_a_version_is_shifted(stage: Stage) -> None:
    old, new = stage.version_concurrency, stage.version_concurrency
    assert old * REQUESTS_AN_ENVIRONMENT >= stage.serving.requests
    assert old + new <= stage.reserved_concurrency
    assert stage.reserved_concurrency + OTHER_CONCURRENCY <= stage.serving.account_concurrency


def test_prod_keeps_its_data_and_survives_the_loss_of_a_zone() -> None:
    assert PROD.keep
    assert PROD.network.zones == 3
    assert PROD.database.reader
    assert PROD.database.backup_days == 35
    assert PROD.cache.replicas >= 2
    assert PROD.shift == "linear"
    assert STAGES["staging"].shift == "linear"


def test_stages_do_not_share_addresses() -> None:
    assert len({stage.network.cidr for stage in STAGES.values()}) == len(STAGES)


def test_a_stage_is_had_by_its_name() -> None:
    assert [stage_named(name) for name in ("dev", "staging", "prod")] == list(STAGES.values())


@pytest.mark.parametrize("name", ["", "production", "Dev"])
def test_an_unknown_stage_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(BadStage) as refused:
        stage_named(name)
    assert str(refused.value) == f"there is no stage {name!r}: choose one of dev, staging, prod with `-c stage=...`"


@given(services=st.integers(0, 30), zones=st.integers(1, 3), gigabytes=st.floats(0, 1e6, allow_nan=False))
def test_egress_takes_the_cheaper_way(services: int, zones: int, gigabytes: float) -> None:
    hours = range(HOURS_A_MONTH)
    endpoints = sum(0.01 for _ in range(services * zones) for _ in hours) + 0.01 * gigabytes
    nat = sum(0.045 for _ in range(zones) for _ in hours) + 0.045 * gigabytes
    egress = cheaper_egress(services, zones, gigabytes)
    assert egress.endpoints_usd == pytest.approx(endpoints, abs=0.006, rel=1e-9)
    assert egress.nat_usd == pytest.approx(nat, abs=0.006, rel=1e-9)
    if abs(endpoints - nat) > 1e-6:
        assert egress.way == ("endpoints" if endpoints < nat else "nat")


def test_many_services_and_few_bytes_go_through_nat() -> None:
    assert cheaper_egress(4, 3, 1).way == "endpoints"
    assert cheaper_egress(5, 3, 1).way == "nat"
    assert cheaper_egress(5, 3, 10_000).way == "endpoints"
