"""A world of events as measured: what is correlated how, why customers leave, what is missing, biased and drifting."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from training.synthesize.customers import draw_customers
from training.synthesize.event_schema import ACCOUNT_KINDS, SCHEMAS, TABLES, USE_KINDS
from training.synthesize.hazard import BIAS, Drivers, monthly_log_hazard
from training.synthesize.lives import INTENT_USE, PERSISTENCE, Lived, live
from training.synthesize.options import Drift, Options
from training.synthesize.seasons import DAY, month
from training.synthesize.shard import SHARD_CUSTOMERS, make_shard, shards_of
from training.synthesize.world import make_world, shard_random

OPTIONS = Options(4_000, 15, 0)
LIVED = Options(12_000, 24, 1)


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shard")
    make_shard(OPTIONS, 0, {name: folder / name for name in TABLES})
    return folder


@pytest.fixture(scope="module")
def lives() -> list[Lived]:
    return lives_of(LIVED)


def lives_of(options: Options) -> list[Lived]:
    world, random = make_world(options.seed), shard_random(options.seed, 0)
    return list(live(random, world, draw_customers(random, world, options.customers), options))


def columns(shard: Path, name: str, *wanted: str, where: Any = None) -> dict[str, NDArray[Any]]:
    table = pq.read_table(shard / name, columns=list(wanted), filters=where)
    return {column: table[column].to_numpy() for column in wanted}


def drivers(count: int = 3_000, **changed: Any) -> Drivers:
    random, world = shard_random(0, 0), make_world(0)
    customers = draw_customers(random, world, count)
    told = Drivers(
        customers.columns, customers.group_b, customers.columns["tenure_months"], np.full(count, 0.05),
        np.zeros(count, np.int64), random.standard_normal(count), np.zeros(count, bool), 0.0, 0.0,
    )  # fmt: skip
    return replace(told, **changed)


def test_files_have_their_schemas_and_shards_their_keys(shard: Path) -> None:
    for name in TABLES:
        assert pq.read_schema(shard / name).equals(SCHEMAS[name]), name
    assert columns(shard, "customers", "customer_id")["customer_id"].tolist() == list(range(1, 4_001))
    assert shards_of(replace(OPTIONS, customers=SHARD_CUSTOMERS)) == 1
    assert shards_of(replace(OPTIONS, customers=SHARD_CUSTOMERS + 1)) == 2


def test_row_groups_hold_one_month_of_accounts_or_of_use(shard: Path) -> None:
    metadata = pq.read_metadata(shard / "events")
    assert metadata.num_row_groups == 2 * OPTIONS.months
    at, kind = (pq.read_schema(shard / "events").get_field_index(name) for name in ("happened_at", "kind"))
    for group in range(metadata.num_row_groups):
        told = metadata.row_group(group)
        of, kinds = month(group // 2), (ACCOUNT_KINDS, USE_KINDS)[group % 2]
        first, last = np.datetime64(of.start, "us"), np.datetime64(of.end, "us")
        assert (
            first
            <= np.datetime64(told.column(at).statistics.min)
            <= np.datetime64(told.column(at).statistics.max)
            < last
        )
        assert {told.column(kind).statistics.min, told.column(kind).statistics.max} <= set(kinds)
    assert max(ACCOUNT_KINDS) < min(USE_KINDS)


def test_the_truth_and_its_label(shard: Path) -> None:
    truth = columns(shard, "truth", "customer_id", "snapshot_time", "probability")
    outcome = columns(shard, "outcomes", "customer_id", "snapshot_time", "left", "known_at")
    assert (truth["customer_id"] == outcome["customer_id"]).all()
    assert (truth["snapshot_time"] == outcome["snapshot_time"]).all()
    assert (outcome["known_at"] > outcome["snapshot_time"]).all()
    left = outcome["left"]
    assert left.mean() == pytest.approx(truth["probability"].mean(), abs=4 * np.sqrt(0.03 / len(left)))
    assert 0.80 <= roc_auc_score(left, truth["probability"]) <= 0.90
    gone = columns(shard, "events", "customer_id", "happened_at", where=pc.field("kind") == "left")
    assert set(gone["customer_id"]) == set(outcome["customer_id"][left])
    began = dict(zip(outcome["customer_id"][left].tolist(), outcome["snapshot_time"][left], strict=True))
    after = [at - began[who] for who, at in zip(gone["customer_id"].tolist(), gone["happened_at"], strict=True)]
    assert min(after) > np.timedelta64(2, "D")
    assert max(after) < np.timedelta64(28, "D")


def test_nobody_does_anything_before_joining_or_after_leaving(shard: Path) -> None:
    events = columns(shard, "events", "customer_id", "happened_at", "kind")
    at = events["happened_at"].astype("datetime64[us]").astype(np.int64)
    for kind, sign in (("joined", 1), ("left", -1)):
        edge = np.full(OPTIONS.customers + 1, np.iinfo(np.int64).min // 2)
        chosen = events["kind"] == kind
        edge[events["customer_id"][chosen]] = sign * at[chosen]
        assert chosen.sum() > 100
        assert (sign * at >= edge[events["customer_id"]]).all(), kind


def test_hours_weekdays_and_seasons(shard: Path) -> None:
    at = columns(shard, "events", "happened_at", where=pc.field("kind") == "session")["happened_at"]
    micros = at.astype("datetime64[us]").astype(np.int64)
    hours = np.bincount(micros % DAY // (DAY // 24), minlength=24).tolist()
    assert hours.index(max(hours)) == 21
    assert sum(hours[19:22]) > 8 * sum(hours[2:5])
    weekday = np.bincount((micros // DAY + 3) % 7, minlength=7)
    assert weekday[5] > 1.1 * weekday[0]
    assert month(11).use_season > 1.3 * month(5).use_season
    assert month(0).leaving_season > month(6).leaving_season + 0.4
    assert month(1).days == 28
    assert month(12).end == month(13).start
    active = [int(lived.stays.sum()) for lived in lives_of(OPTIONS)]
    each = np.bincount((at.astype("datetime64[M]") - np.datetime64("2023-01", "M")).astype(int), minlength=15)
    use = each / np.array(active)
    assert use[11] > 1.15 * use[5]


def test_covariates_are_correlated(shard: Path) -> None:
    told = columns(shard, "customers", "age", "tenure_months", "credit_score", "joined_before")
    known = told["joined_before"] & ~np.isnan(told["credit_score"])
    ranks = np.corrcoef([np.argsort(np.argsort(told[n][known])) for n in ("age", "tenure_months", "credit_score")])
    assert ranks[0, 1] > 0.2
    assert ranks[0, 2] > 0.15
    assert ranks[1, 2] > 0.1


def test_satisfaction_is_an_autoregression(lives: list[Lived]) -> None:
    felt = np.stack([lived.satisfaction for lived in lives])
    felt -= felt.mean(axis=1, keepdims=True)
    # Each customer has a level of their own, so the value before last is the instrument (Anderson and Hsiao, 1981).
    change = np.diff(felt, axis=0)
    found = (change[1:] * felt[:-2]).sum() / (change[:-1] * felt[:-2]).sum()
    assert found == pytest.approx(PERSISTENCE, abs=0.04)
    far = np.corrcoef(felt[0], felt[12])[0, 1]
    near = np.corrcoef(felt[0], felt[1])[0, 1]
    assert near > 0.75
    assert 0 < far < 0.5
    assert 0.7 < felt.std() < 1.3


def test_the_hazard_falls_with_tenure_and_satisfaction_and_rises_with_the_price() -> None:
    world, told = make_world(0), drivers()
    base = monthly_log_hazard(world, told)
    assert (monthly_log_hazard(world, replace(told, tenure=told.tenure + 6)) < base).all()
    assert (monthly_log_hazard(world, replace(told, satisfaction=told.satisfaction + 1)) < base).all()
    assert (monthly_log_hazard(world, replace(told, intent=~told.intent)) > base + 1).all()
    assert (monthly_log_hazard(world, replace(told, late=told.late + 1)) > base).all()
    risen = monthly_log_hazard(world, replace(told, rise=told.rise + 0.1)) - base
    free = told.columns["contract_term"] == 0
    assert (risen > 0).all()
    assert risen[free].mean() == pytest.approx(3 * risen[~free].mean())


def test_the_bias_is_as_stated_and_found_again(lives: list[Lived], shard: Path) -> None:
    world, told = make_world(0), drivers()
    ratio = np.exp(monthly_log_hazard(world, replace(told, group_b=~told.group_b)) - monthly_log_hazard(world, told))
    assert ratio[~told.group_b] == pytest.approx(BIAS)
    random = shard_random(1, 0)
    group_b = draw_customers(random, make_world(1), LIVED.customers).group_b
    risk = np.concatenate([lived.at_risk for lived in lives])
    hazard = -np.log1p(-np.concatenate([lived.chance for lived in lives])[risk])
    left, b = np.concatenate([lived.left for lived in lives])[risk], np.tile(group_b, len(lives))[risk]
    without = hazard / np.where(b, BIAS, 1.0)
    found = (left[b].sum() / without[b].sum()) / (left[~b].sum() / without[~b].sum())
    assert found == pytest.approx(BIAS, abs=0.12)
    rises = [lived.rise[lived.rise > 0] / (lived.charge - lived.rise)[lived.rise > 0] for lived in lives]
    of_b = [group_b[lived.rise > 0] for lived in lives]
    share, whose = np.concatenate(rises), np.concatenate(of_b)
    assert share[whose].mean() - share[~whose].mean() == pytest.approx(0.02, abs=0.003)
    told_of = columns(shard, "customers", "city", "population_group")
    b_share = {
        city: (told_of["population_group"][told_of["city"] == city] == "B").mean() for city in set(told_of["city"])
    }
    assert roc_auc_score(told_of["population_group"] == "B", [b_share[city] for city in told_of["city"]]) > 0.75


def test_drift_changes_the_reasons_from_its_month_on() -> None:
    world, told = make_world(0), drivers()
    assert (monthly_log_hazard(world, replace(told, drift=0.0)) == monthly_log_hazard(world, told)).all()

    def slope(name: str, by: float, drift: float) -> float:
        moved = replace(told, drift=drift)
        raised = replace(moved, **{name: getattr(moved, name) + by})
        return float((monthly_log_hazard(world, raised) - monthly_log_hazard(world, moved)).mean() / by)

    assert slope("rise", 0.05, 1.0) == pytest.approx(2 * slope("rise", 0.05, 0.0))
    assert slope("satisfaction", 1.0, 1.0) == pytest.approx(0.4 * slope("satisfaction", 1.0, 0.0))
    assert slope("satisfaction", 1.0, 5.0) == 0.0
    options = replace(LIVED, customers=6_000, drift=Drift(13, 1.0))
    with_drift, without = lives_of(options), lives_of(replace(options, drift=None))
    for one, other in zip(with_drift[:12], without[:12], strict=True):
        assert (one.chance == other.chance).all()
    risk = with_drift[12].at_risk
    assert (with_drift[12].chance != without[12].chance).all()

    def found(lived: Lived, before: Lived) -> float:
        hazard = np.log(-np.log1p(-lived.chance[risk]))
        return float(np.cov(hazard, before.satisfaction[risk])[0, 1] / before.satisfaction[risk].var())

    assert found(with_drift[12], with_drift[11]) > found(without[12], without[11]) + 0.2


def test_use_falls_before_customers_leave(shard: Path) -> None:
    outcome = columns(shard, "outcomes", "customer_id", "snapshot_time", "left")
    events = columns(shard, "events", "customer_id", "happened_at", where=pc.field("kind") == "session")
    when = (events["happened_at"].astype("datetime64[M]") - np.datetime64("2023-01", "M")).astype(int)
    count = np.zeros((OPTIONS.customers + 1, OPTIONS.months))
    np.add.at(count, (events["customer_id"], when), 1)
    at = (outcome["snapshot_time"].astype("datetime64[M]") - np.datetime64("2023-01", "M")).astype(int)
    late = at >= 4
    who, at, left = outcome["customer_id"][late], at[late], outcome["left"][late]
    last, earlier = count[who, at - 1], count[who, at - 4]
    known = earlier > 0
    falls = last[left & known].sum() / earlier[left & known].sum()
    stays = last[~left & known].sum() / earlier[~left & known].sum()
    assert falls < 0.8 * stays
    truth = columns(shard, "truth", "intent")["intent"][late]
    assert last[truth].mean() < (INTENT_USE + 0.15) * last[~truth].mean()
    assert 0.03 < truth.mean() < 0.15


def test_values_are_missing_not_at_random(shard: Path) -> None:
    told = columns(shard, "customers", "credit_score", "population_group")
    missing, b = np.isnan(told["credit_score"]), told["population_group"] == "B"
    assert 0.05 < missing.mean() < 0.4
    assert missing[b].mean() > missing[~b].mean() + 0.05
    truth = columns(shard, "truth", "customer_id", "snapshot_time", "satisfaction")
    answers = columns(shard, "events", "customer_id", "happened_at", where=pc.field("kind") == "survey")
    answered = set(
        zip(answers["customer_id"].tolist(), answers["happened_at"].astype("datetime64[M]").tolist(), strict=True)
    )
    of = (truth["snapshot_time"].astype("datetime64[M]") - np.timedelta64(1, "M")).tolist()
    said = np.array([pair in answered for pair in zip(truth["customer_id"].tolist(), of, strict=True)])
    felt = truth["satisfaction"]
    assert said[felt > 0.5].mean() > said[felt < -0.5].mean() + 0.1
    lines = columns(shard, "events", "customer_id", "quality", where=pc.field("kind") == "session")
    lost = np.isnan(lines["quality"])
    mean = np.bincount(truth["customer_id"], felt, OPTIONS.customers + 1)
    mean /= np.maximum(np.bincount(truth["customer_id"], minlength=OPTIONS.customers + 1), 1)
    assert lost[mean[lines["customer_id"]] < -0.5].mean() > lost[mean[lines["customer_id"]] > 0.5].mean() + 0.05
