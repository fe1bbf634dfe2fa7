"""Synthetic customers: the same bytes each time, a known truth, stated bias and proxy, gaps that are not at random."""

import os
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from ebb.errors import DataError, Misuse
from training.synthesize import synthesize
from training.synthesize.customers import Customers, draw_customers, log_hazard, probability
from training.synthesize.latent import NAMES, correlation, draw_latent
from training.synthesize.world import World, chunk_random, make_world
from training.synthesize.write import CHUNK_ROWS

ROWS = 60_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("synthetic")
    synthesize(ROWS, 0, out)
    return out


def column(folder: Path, name: str, file: str = "customers.parquet") -> NDArray[np.object_]:
    return np.array(pq.read_table(folder / file, columns=[name])[name].to_pylist(), object)


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def test_key_thirty_features_and_label(folder: Path) -> None:
    table = pq.read_table(folder / "customers.parquet")
    assert (table.num_rows, table.num_columns) == (ROWS, 32)
    assert table.column_names[0] == "customer_id"
    assert table.column_names[-1] == "churned"
    assert len(set(table["customer_id"].to_pylist())) == ROWS
    assert {p.name for p in folder.iterdir()} == {"customers.parquet", "truth.parquet"}
    many = {name: len(set(table[name].to_pylist())) for name in ("city", "cell")}
    assert 290 <= many["city"] <= 300
    assert 1_400 <= many["cell"] <= 1_500


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        synthesize(CHUNK_ROWS + 500, seed, tmp_path / folder)
    for file in ("customers.parquet", "truth.parquet"):
        assert digest(tmp_path / "a" / file) == digest(tmp_path / "b" / file)
        assert digest(tmp_path / "a" / file) != digest(tmp_path / "c" / file)


def test_more_rows_do_not_change_the_first_ones(tmp_path: Path, folder: Path) -> None:
    synthesize(1_000, 0, tmp_path)
    assert pq.read_table(tmp_path / "customers.parquet").equals(
        pq.read_table(folder / "customers.parquet").slice(0, 1_000)
    )


def test_the_truth_is_as_good_as_any_model_can_be(folder: Path) -> None:
    truth = column(folder, "probability", "truth.parquet").astype(float)
    churned = column(folder, "churned").astype(int)
    assert column(folder, "customer_id", "truth.parquet").tolist() == column(folder, "customer_id").tolist()
    assert 0.20 <= churned.mean() <= 0.30
    assert 0.80 <= roc_auc_score(churned, truth) <= 0.90
    edges = np.quantile(truth, np.linspace(0, 1, 11))
    for low, high in pairwise(edges):
        inside = (truth >= low) & (truth <= high)
        spread = 4 * np.sqrt(truth[inside].mean() / inside.sum())
        assert churned[inside].mean() == pytest.approx(truth[inside].mean(), abs=spread)


def test_covariates_are_correlated_as_stated() -> None:
    matrix = correlation()
    assert np.min(np.linalg.eigvalsh(matrix)) > 0.01
    latent = draw_latent(np.random.default_rng(0), 50_000)
    ranks = np.corrcoef(np.stack([latent[name] for name in NAMES]))
    # Spearman's rank correlation of a Gaussian copula (Kruskal, 1958)
    assert np.abs(ranks - 6 / np.pi * np.arcsin(matrix / 2)).max() < 0.03
    assert all(np.min(values) > 0 and np.max(values) < 1 for values in latent.values())


def one_chunk() -> tuple[World, Customers]:
    world = make_world(0)
    return world, draw_customers(chunk_random(0, 0), world, CHUNK_ROWS)


def shifted(customers: Customers, name: str, values: NDArray[np.float64]) -> Customers:
    return Customers({**customers.columns, name: values}, customers.group_b)


def test_the_hazard_falls_with_tenure_and_rises_with_the_price() -> None:
    world, customers = one_chunk()
    tenure, rise = customers.columns["tenure_months"], customers.columns["price_rise"]
    before = log_hazard(world, customers)
    assert (log_hazard(world, shifted(customers, "tenure_months", tenure + 6)) < before).all()
    risen = log_hazard(world, shifted(customers, "price_rise", np.abs(rise) + 0.02))
    assert (risen > log_hazard(world, shifted(customers, "price_rise", np.abs(rise) * 0))).all()
    assert probability(np.array([-30.0, 0.0, 30.0])) == pytest.approx([0, 1 - np.exp(-1), 1], abs=1e-9)


def test_the_bias_is_as_stated() -> None:
    world, customers = one_chunk()
    other = Customers(customers.columns, ~customers.group_b)
    ratio = np.exp(log_hazard(world, other) - log_hazard(world, customers))
    assert ratio[~customers.group_b] == pytest.approx(1.35)
    assert ratio[customers.group_b] == pytest.approx(1 / 1.35)


def test_the_city_is_a_proxy_of_the_group(folder: Path) -> None:
    city, group_b = column(folder, "city"), column(folder, "population_group") == "B"
    share = {name: group_b[city == name].mean() for name in set(city)}
    assert roc_auc_score(group_b, [share[name] for name in city]) > 0.75
    churned = column(folder, "churned").astype(bool)
    assert churned[group_b].mean() > churned[~group_b].mean() + 0.03


def test_values_are_missing_not_at_random(folder: Path) -> None:
    churned = column(folder, "churned").astype(bool)
    silent = np.array([value is None for value in column(folder, "satisfaction")])
    assert 0.1 < silent.mean() < 0.4
    assert churned[silent].mean() > churned[~silent].mean() + 0.02
    term = column(folder, "contract_term")
    left = np.array([value is None for value in column(folder, "contract_months_left")])
    assert (left == (term == "monthly")).all()


@pytest.mark.parametrize(("rows", "seed"), [(0, 0), (-5, 0), (100_000_000, 0), (10, -1)])
def test_impossible_figures(tmp_path: Path, rows: int, seed: int) -> None:
    with pytest.raises(Misuse, match="rows must be between 1 and"):
        synthesize(rows, seed, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot be written: .*; name another folder with --out"):
        synthesize(10, 0, tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_failure_midway_leaves_the_old_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synthesize(10, 0, tmp_path)
    before = digest(tmp_path / "customers.parquet")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="No space left on device"):
        synthesize(20, 1, tmp_path)
    assert digest(tmp_path / "customers.parquet") == before
    assert {p.name for p in tmp_path.iterdir()} == {"customers.parquet", "truth.parquet"}
