"""A training whose folds follow time: only rows that were held out are judged, and the rest stays consistent."""

import csv
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ebb.folder import FolderReleases
from tests.fakes.made_contracts import contract_text
from tests.integration.training_case import Case

ENTITIES, MONTHS = 150, 8


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Entities that come again every month, with a label that a number explains."""
    folder = tmp_path_factory.mktemp("by-time")
    rng = np.random.default_rng(0)
    with (folder / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "at", "x", "g", "y"])
        for month in range(MONTHS):
            at = (datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=31 * month)).date().isoformat()
            x = rng.normal(size=ENTITIES)
            for i in range(ENTITIES):
                writer.writerow([f"k{i}", at, f"{x[i]:.3f}", "ab"[i % 2], int(x[i] + rng.normal() > 0.5)])
    text = contract_text(
        'name = "x"; kind = "number"',
        'name = "g"; kind = "category"; protected = true',
        entity="id",
        event_time="at",
    )
    (folder / "small.toml").write_text('folds = "temporal"\n' + text)
    found = Case(folder / "table.csv", folder / "releases", folder / "small.toml")
    found.releases.mkdir()
    (found.releases / "mlflow.db").write_text("no database")  # the registry takes seconds, and is not needed here
    return found


def test_only_rows_that_were_held_out_are_judged(case: Case) -> None:
    metrics = case.train().metrics
    assert metrics["search"]["folds"]["temporal"]
    assert 0 < metrics["rows"] < ENTITIES * MONTHS
    assert metrics["rows"] % ENTITIES == 0
    assert metrics["entities"] == ENTITIES
    assert metrics["leakage"]["by_time"]
    assert metrics["leakage"]["entities_in_two_folds"] == ENTITIES  # they come again in later months
    assert sum(group["rows"] for group in metrics["fairness"][0]["groups"]) == metrics["rows"]
    assert sum(b["rows"] for b in metrics["reliability"]["after"]["bins"]) == metrics["rows"]
    assert {gate["rows"] for gate in metrics["gates"] if gate["name"] == "min_auc"} == {metrics["rows"]}
    store = FolderReleases(case.releases)
    written = store.read("small", store.champion("small") or "")
    assert json.loads(written["metrics.json"]) == json.loads(json.dumps(metrics, allow_nan=False))
    assert b"nan" not in written["card.html"].lower().replace(b"finance", b"")
